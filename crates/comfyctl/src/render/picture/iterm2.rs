//! Pictures within the text of iTerm2, which WezTerm, mintty and others have too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Draws a PNG in so many cells.
pub(super) fn draw(png: &[u8], columns: u16, rows: u16) -> String {
    let (size, data) = (png.len(), STANDARD.encode(png));
    // `doNotMoveCursor` is known to some only; the saved cursor is for the others.
    format!(
        "\u{1b}7\u{1b}]1337;File=inline=1;size={size};width={columns};height={rows};preserveAspectRatio=0;\
         doNotMoveCursor=1:{data}\u{7}\u{1b}8"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_one_sequence() {
        assert_eq!(
            draw(b"png", 10, 5),
            "\u{1b}7\u{1b}]1337;File=inline=1;size=3;width=10;height=5;preserveAspectRatio=0;doNotMoveCursor=1:cG5n\
             \u{7}\u{1b}8"
        );
    }
}
