//! The graphics protocol of kitty, which Ghostty and others have too.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Most characters of data in one escape sequence.
const CHUNK: usize = 4096;

/// Draws a PNG. One with a number takes the place of the last one with it.
pub(super) fn draw(png: &[u8], id: Option<u32>, columns: u16, rows: u16) -> String {
    let data = STANDARD.encode(png);
    // `q=2`: no answers, which would arrive as key presses; `C=1`: the cursor stays.
    let mut head = format!("a=T,f=100,q=2,C=1,c={columns},r={rows}");
    if let Some(id) = id {
        let _ = write!(head, ",i={},p=1", id.max(1));
    }
    let mut drawn = String::with_capacity(data.len() + data.len() / 64 + 128);
    let mut rest = data.as_str();
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
        let more = u8::from(!after.is_empty());
        let _ = write!(drawn, "\u{1b}_G{head},m={more};{chunk}\u{1b}\\");
        head = "q=2".to_owned();
        rest = after;
    }
    drawn
}

/// Takes the picture with this number away and forgets it.
pub(super) fn erase(id: u32) -> String {
    format!("\u{1b}_Ga=d,d=I,i={},q=2\u{1b}\\", id.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_goes_over_in_chunks() {
        let png: Vec<u8> = (0..7000_u32).map(|byte| byte as u8).collect();
        let drawn = draw(&png, Some(3), 10, 5);
        let parts: Vec<&str> = drawn.split_terminator("\u{1b}\\").collect();
        assert_eq!(parts.len(), 3);
        let heads = ["\u{1b}_Ga=T,f=100,q=2,C=1,c=10,r=5,i=3,p=1,m=1", "\u{1b}_Gq=2,m=1", "\u{1b}_Gq=2,m=0"];
        let mut data = String::new();
        for (part, head) in parts.iter().zip(heads) {
            let (found, chunk) = part.split_once(';').unwrap();
            assert_eq!(found, head);
            assert!(chunk.len() <= CHUNK && chunk.len() % 4 == 0);
            data.push_str(chunk);
        }
        assert_eq!(STANDARD.decode(data).unwrap(), png);
    }

    #[test]
    fn a_picture_without_a_number_stays() {
        assert_eq!(draw(b"png", None, 2, 1), "\u{1b}_Ga=T,f=100,q=2,C=1,c=2,r=1,m=0;cG5n\u{1b}\\");
        assert_eq!(erase(3), "\u{1b}_Ga=d,d=I,i=3,q=2\u{1b}\\");
    }
}
