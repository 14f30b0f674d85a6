//! The text below simulated pictures.

use font8x8::UnicodeFonts as _;

use super::picture::Canvas;

/// Sides of a letter, in its own dots.
const LETTER: usize = 8;
/// From one line to the next, in dots.
const LINE: usize = 10;
/// Smaller pictures have no room for letters: they get a mark without.
const SMALLEST: usize = 64;
/// Of the height, for all lines together.
const SHARE: usize = 4;

/// Draws lines on a dark strip at the lower edge; as many as there is room for.
pub(super) fn draw(canvas: &mut Canvas, lines: &[String]) {
    if canvas.width < SMALLEST || canvas.height < SMALLEST {
        return draw_mark(canvas);
    }
    let scale = (canvas.width.min(canvas.height) / 400).max(1);
    let columns = (canvas.width / scale).saturating_sub(LETTER) / LETTER;
    let room = (canvas.height / SHARE / scale / LINE).clamp(1, 4);
    let lines: Vec<_> = lines.iter().flat_map(|line| wrap(line, columns)).take(room).collect();
    let top = canvas.height.saturating_sub((lines.len() * LINE + 4) * scale);
    for pixel in &mut canvas.pixels[top * canvas.width..] {
        *pixel = pixel.map(|channel| channel / 4);
    }
    for (at, line) in lines.iter().enumerate() {
        let y = top + (at * LINE + 3) * scale;
        for (column, letter) in line.chars().enumerate() {
            draw_letter(canvas, letter, (LETTER / 2 + column * LETTER) * scale, y, scale);
        }
    }
}

fn draw_letter(canvas: &mut Canvas, letter: char, left: usize, top: usize, scale: usize) {
    for (row, dots) in glyph(letter).into_iter().enumerate() {
        for column in (0..LETTER).filter(|column| dots >> column & 1 == 1) {
            for y in top + row * scale..(top + (row + 1) * scale).min(canvas.height) {
                let start = y * canvas.width + left + column * scale;
                if let Some(dot) = canvas.pixels.get_mut(start..start + scale) {
                    dot.fill([236, 236, 228]);
                }
            }
        }
    }
}

fn glyph(letter: char) -> [u8; LETTER] {
    let fonts = font8x8::BASIC_FONTS.get(letter).or_else(|| font8x8::LATIN_FONTS.get(letter));
    let fonts =
        fonts.or_else(|| font8x8::GREEK_FONTS.get(letter)).or_else(|| font8x8::HIRAGANA_FONTS.get(letter));
    fonts.or_else(|| font8x8::BASIC_FONTS.get('?')).unwrap_or_default()
}

/// Stripes along the lower edge.
fn draw_mark(canvas: &mut Canvas) {
    let rows = (canvas.height / 8).max(1);
    let width = canvas.width.max(1);
    for (row, line) in canvas.pixels.chunks_mut(width).rev().take(rows).enumerate() {
        for (x, pixel) in line.iter_mut().enumerate() {
            *pixel = if (x + row) / 2 % 2 == 0 { [236, 236, 228] } else { [20, 20, 24] };
        }
    }
}

/// A text in lines of at most this many letters, broken between words.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        // More lines than this have no room anyway.
        if lines.len() > SMALLEST {
            break;
        }
        let length = word.chars().count();
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + length > columns {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(word.chars().take(columns));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words() {
        assert_eq!(wrap("a cat on  a mat", 6), ["a cat", "on a", "mat"]);
        assert_eq!(wrap("unbreakable", 4), ["unbr"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn pictures_of_all_sizes_have_room_for_a_mark() {
        for (width, height) in [(1, 1), (3, 70), (64, 64), (65, 500), (2000, 64)] {
            let mut canvas = Canvas { width, height, pixels: vec![[9; 3]; width * height] };
            draw(&mut canvas, &["simulated, seed 5".into(), "a cat".repeat(90)]);
            assert!(canvas.pixels.iter().any(|pixel| pixel[0] > 200), "{width} {height}");
        }
    }
}
