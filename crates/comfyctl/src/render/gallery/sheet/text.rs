//! Text on a picture.

use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use unicode_width::UnicodeWidthChar;

/// In place of a character that the font lacks.
const UNKNOWN: char = '\u{fffd}';

/// Characters that a place for a label should have.
const GOOD_LABEL: usize = 22;

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    weight: FontWeight,
    size: RasterHeight,
    color: [u8; 3],
}

impl Style {
    /// The largest letters of which a good label fits into so many pixels.
    pub(super) fn for_width(width: u32) -> Self {
        let sizes = [RasterHeight::Size32, RasterHeight::Size24, RasterHeight::Size20];
        let sizes = sizes.map(|size| Self { weight: FontWeight::Regular, size, color: [0; 3] });
        let fitting = sizes.into_iter().find(|style| style.columns(width) >= GOOD_LABEL);
        fitting.unwrap_or(Self { size: RasterHeight::Size16, ..sizes[0] })
    }

    pub(super) fn color(self, color: [u8; 3]) -> Self {
        Self { color, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { weight: FontWeight::Bold, ..self }
    }

    pub(super) fn character_width(self) -> u32 {
        get_raster_width(self.weight, self.size) as u32
    }

    /// From one line to the next.
    pub(super) fn line_height(self) -> u32 {
        let size = self.size.val() as u32;
        size + size / 8
    }

    /// How many characters fit.
    pub(super) fn columns(self, width: u32) -> usize {
        (width / self.character_width()) as usize
    }
}

/// Draws one line of what [`plain`] gave, with its upper left corner there. Returns where it ends.
pub(super) fn draw(canvas: &mut RgbImage, (x, y): (u32, u32), text: &str, style: Style) -> u32 {
    let width = style.character_width();
    let mut left = x;
    for c in text.chars() {
        if c == '…' {
            draw_ellipsis(canvas, (left, y), style);
        } else if let Some(raster) = get_raster(c, style.weight, style.size) {
            for (row, pixels) in (y..).zip(raster.rows()) {
                for (column, share) in (left..).zip(pixels) {
                    blend(canvas, column, row, style.color, *share);
                }
            }
        }
        left += width;
    }
    left
}

/// The font has none.
fn draw_ellipsis(canvas: &mut RgbImage, (x, y): (u32, u32), style: Style) {
    let (width, height) = (style.character_width(), style.size.val() as u32);
    let dot = (height / 12).max(1);
    let (line, step) = (y + height * 3 / 4, width / 3);
    for place in 0..3 {
        for (column, row) in (0..dot * dot).map(|pixel| (pixel % dot, pixel / dot)) {
            blend(canvas, x + place * step + column + 1, line - dot + row, style.color, 230);
        }
    }
}

fn blend(canvas: &mut RgbImage, x: u32, y: u32, color: [u8; 3], share: u8) {
    if share == 0 {
        return;
    }
    if let Some(Rgb(below)) = canvas.get_pixel_mut_checked(x, y) {
        let share = u32::from(share);
        for (below, color) in below.iter_mut().zip(color) {
            *below = ((u32::from(*below) * (255 - share) + u32::from(color) * share) / 255) as u8;
        }
    }
}

/// The text in characters that can be drawn, on one line.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    // Nothing that long is drawn.
    for c in text.chars().take(2000) {
        match c {
            '‐'..='―' | '−' => plain.push('-'),
            '‘' | '’' | '‚' | '′' => plain.push('\''),
            '“' | '”' | '„' | '″' => plain.push('"'),
            '→' => plain.push_str("->"),
            '…' => plain.push(c),
            _ if c.is_control() || c.is_whitespace() => plain.push(' '),
            // Accents of their own, and marks that nobody sees.
            _ if c.width() == Some(0) => {}
            _ if get_raster(c, FontWeight::Regular, RasterHeight::Size16).is_some() => plain.push(c),
            _ => plain.push(UNKNOWN),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A plain text on at most so many lines, broken between words where that can be, with an ellipsis for what is left.
pub(super) fn lines(plain: &str, columns: usize, most: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines: Vec<String> = Vec::new();
    let mut rest: Vec<char> = plain.chars().collect();
    while !rest.is_empty() && lines.len() < most {
        if rest.len() <= columns {
            lines.push(rest.drain(..).collect());
        } else if lines.len() + 1 == most {
            let clipped: String = rest.drain(..).take(columns - 1).collect();
            lines.push(format!("{}…", clipped.trim_end()));
        } else {
            let space = rest[..=columns].iter().rposition(|c| *c == ' ');
            // A word that is longer than half a line is broken rather than leaving that much empty.
            let end = space.filter(|end| *end > columns / 2).unwrap_or(columns);
            lines.push(rest.drain(..end).collect());
            if rest.first() == Some(&' ') {
                rest.remove(0);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_lacks_is_replaced() {
        assert_eq!(plain("Größe — “a”\n\tb…"), "Größe - \"a\" b…");
        assert_eq!(plain("e\u{301}\u{200b} 猫"), "e \u{fffd}");
        assert!(get_raster(UNKNOWN, FontWeight::Bold, RasterHeight::Size20).is_some());
    }

    #[test]
    fn text_is_broken_between_words_and_clipped_at_the_end() {
        assert_eq!(lines("a quiet lake at dawn", 10, 3), ["a quiet", "lake at", "dawn"]);
        assert_eq!(lines("a quiet lake at dawn", 10, 2), ["a quiet", "lake at d…"]);
        assert_eq!(lines("unbreakablewordsgoon", 8, 5), ["unbreaka", "blewords", "goon"]);
        assert_eq!(lines("abc", 0, 1), ["…"]);
        assert!(lines("", 10, 3).is_empty() && lines("abc", 10, 0).is_empty());
    }

    #[test]
    fn letters_are_larger_where_there_is_room() {
        let heights = [100, 200, 250, 500].map(|width| Style::for_width(width).size.val());
        assert_eq!(heights, [16, 20, 24, 32]);
    }

    #[test]
    fn text_beyond_the_edge_is_cut_off() {
        let mut canvas = RgbImage::new(30, 20);
        draw(&mut canvas, (15, 2), "W…W", Style::for_width(400).color([255; 3]).bold());
        assert!(canvas.pixels().any(|pixel| pixel.0[0] > 200));
    }
}
