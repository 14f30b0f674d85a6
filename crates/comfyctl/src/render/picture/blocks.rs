//! Pictures of half blocks: each cell has two pixels, one above the other.

use std::fmt::Write;

use image::{Rgba, RgbaImage};

use super::detect::Depth;

/// One line for each two rows of pixels, each complete in itself.
pub(super) fn lines(image: &RgbaImage, depth: Depth) -> Vec<String> {
    (0..image.height().div_ceil(2)).map(|row| line(image, row * 2, depth)).collect()
}

/// The lines below each other from the cursor on, with the cursor left where it was.
pub(super) fn at_cursor(lines: &[String]) -> String {
    let mut drawn = String::new();
    for line in lines {
        // Where the cursor is after the last column differs among terminals.
        let _ = write!(drawn, "\u{1b}7{line}\u{1b}8\u{1b}[B");
    }
    let _ = write!(drawn, "\u{1b}[{}A", lines.len());
    drawn
}

fn line(image: &RgbaImage, row: u32, depth: Depth) -> String {
    let mut line = String::new();
    // What is set at present: the colours of the text and behind it.
    let mut set = (None, None);
    for column in 0..image.width() {
        let upper = color(image.get_pixel(column, row), depth);
        let lower = image.get_pixel_checked(column, row + 1).and_then(|pixel| color(pixel, depth));
        let (text, behind, block) = match (upper, lower) {
            (None, None) => (set.0, None, ' '),
            (Some(upper), Some(lower)) if upper == lower => (set.0, Some(lower), ' '),
            (Some(upper), lower) => (Some(upper), lower, '▀'),
            (None, Some(lower)) => (Some(lower), None, '▄'),
        };
        if behind != set.1 {
            match behind {
                Some(color) => write_color(&mut line, 48, color),
                None => line.push_str("\u{1b}[49m"),
            }
        }
        if let (true, Some(color)) = (text != set.0, text) {
            write_color(&mut line, 38, color);
        }
        set = (text, behind);
        line.push(block);
    }
    if set != (None, None) {
        line.push_str("\u{1b}[0m");
    }
    line
}

/// A colour as the terminal knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Color {
    Exact([u8; 3]),
    Palette(u8),
}

fn color(pixel: &Rgba<u8>, depth: Depth) -> Option<Color> {
    let [red, green, blue, alpha] = pixel.0;
    // How the terminal's background looks is unknown: there is no half of it.
    (alpha >= 128).then(|| match depth {
        Depth::All => Color::Exact([red, green, blue]),
        Depth::Palette => Color::Palette(nearest([red, green, blue])),
    })
}

fn write_color(line: &mut String, place: u8, color: Color) {
    let _ = match color {
        Color::Exact([red, green, blue]) => write!(line, "\u{1b}[{place};2;{red};{green};{blue}m"),
        Color::Palette(number) => write!(line, "\u{1b}[{place};5;{number}m"),
    };
}

/// The nearest of the 256 colours: from the cube of 6 × 6 × 6 or the 24 greys.
fn nearest(color: [u8; 3]) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let distance = |other: [u8; 3]| {
        color
            .iter()
            .zip(other)
            .map(|(one, other)| i32::from(*one).abs_diff(i32::from(other)).pow(2))
            .sum::<u32>()
    };
    let step =
        |value: u8| (0..6_u8).min_by_key(|step| STEPS[usize::from(*step)].abs_diff(value)).unwrap_or(0);
    let cube = color.map(step);
    let mean = color.iter().map(|value| u32::from(*value)).sum::<u32>() / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    if distance(cube.map(|step| STEPS[usize::from(step)])) <= distance([8 + 10 * grey; 3]) {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    } else {
        232 + grey
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgba<u8> = Rgba([255, 0, 0, 255]);
    const BLUE: Rgba<u8> = Rgba([0, 0, 255, 255]);
    const CLEAR: Rgba<u8> = Rgba([9, 9, 9, 0]);

    fn image(rows: &[&[Rgba<u8>]]) -> RgbaImage {
        RgbaImage::from_fn(rows[0].len() as u32, rows.len() as u32, |x, y| rows[y as usize][x as usize])
    }

    #[test]
    fn two_rows_of_pixels_are_one_of_text() {
        let image = image(&[&[RED, RED, BLUE], &[BLUE, BLUE, BLUE]]);
        assert_eq!(lines(&image, Depth::All), ["\u{1b}[48;2;0;0;255m\u{1b}[38;2;255;0;0m▀▀ \u{1b}[0m"]);
        assert_eq!(lines(&image, Depth::Palette), ["\u{1b}[48;5;21m\u{1b}[38;5;196m▀▀ \u{1b}[0m"]);
    }

    #[test]
    fn what_is_transparent_shows_the_terminals_background() {
        let image =
            image(&[&[CLEAR, RED, RED, CLEAR], &[CLEAR, CLEAR, BLUE, BLUE], &[CLEAR, RED, CLEAR, CLEAR]]);
        assert_eq!(
            lines(&image, Depth::All),
            [
                " \u{1b}[38;2;255;0;0m▀\u{1b}[48;2;0;0;255m▀\u{1b}[49m\u{1b}[38;2;0;0;255m▄\u{1b}[0m",
                " \u{1b}[38;2;255;0;0m▀  \u{1b}[0m"
            ]
        );
    }

    #[test]
    fn colours_of_the_palette_are_the_nearest() {
        assert_eq!(nearest([0, 0, 0]), 16);
        assert_eq!(nearest([255, 255, 255]), 231);
        assert_eq!(nearest([128, 128, 128]), 244);
        assert_eq!(nearest([250, 100, 5]), 202);
    }

    #[test]
    fn drawn_at_the_cursor_it_is_left_where_it_was() {
        let mut screen = vt100::Parser::new(10.try_into().unwrap(), 20.try_into().unwrap(), 0);
        screen.process(b"\x1b[3;18H");
        let image = image(&[&[RED, BLUE, RED], &[BLUE, BLUE, RED], &[RED, RED, BLUE], &[BLUE, RED, RED]]);
        screen.process(at_cursor(&lines(&image, Depth::All)).as_bytes());
        assert_eq!(screen.screen().cursor_position(), (2, 17));
        let cell = |row, column| {
            let cell = screen.screen().cell(row, column).unwrap();
            (cell.contents().to_owned(), cell.fgcolor(), cell.bgcolor())
        };
        assert_eq!(cell(2, 17), ("▀".into(), vt100::Color::Rgb(255, 0, 0), vt100::Color::Rgb(0, 0, 255)));
        assert_eq!(cell(3, 19), ("▀".into(), vt100::Color::Rgb(0, 0, 255), vt100::Color::Rgb(255, 0, 0)));
        assert_eq!(cell(2, 19).2, vt100::Color::Rgb(255, 0, 0));
        assert_eq!(cell(4, 0).0, "");
    }
}
