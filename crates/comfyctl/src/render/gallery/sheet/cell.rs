//! What is in one cell of a contact sheet.

use image::{Rgb, RgbImage, Rgba, RgbaImage};

use super::super::{Row, RowFile};
use super::measure::Measures;
use super::text::{self, Style};
use super::{FAINT, INK};
use crate::render::picture::Picture;

/// Behind what has failed, around it, and the words.
const FAILED: [[u8; 3]; 3] = [[255, 240, 239], [244, 190, 186], [164, 14, 38]];
/// Behind what is no picture, and around it.
const OTHER: [[u8; 3]; 2] = [[246, 248, 250], [216, 222, 228]];
/// The squares behind transparent pictures.
const SQUARES: [[u8; 3]; 2] = [[255, 255, 255], [232, 235, 239]];
const SQUARE: u32 = 8;
/// Between the edge of a cell and its text.
const PADDING: u32 = 10;
/// Between the pictures of a cell.
const GAP: u32 = 4;
/// Pictures of a cell that are shown; of more, the last place says how many.
const MOST_PICTURES: usize = 4;

type Place = (u32, u32);

/// Draws what the runs of a cell came to: their pictures, else the failure, else what there is.
pub(super) fn draw(
    canvas: &mut RgbImage,
    corner: Place,
    measures: &Measures,
    places: &[usize],
    rows: &[Row],
) {
    let size = measures.cell;
    let runs = || places.iter().map(|place| &rows[*place]);
    if let Some(failed) = runs().find(|row| row.error.is_some() && pictures(row).next().is_none()) {
        let reason = failed.error.as_deref().unwrap_or_default();
        return note(canvas, corner, size, "failed", reason, FAILED);
    }
    let pictures: Vec<&RowFile> = runs().flat_map(pictures).collect();
    if !pictures.is_empty() {
        return draw_pictures(canvas, corner, size, &pictures);
    }
    let [behind, around] = OTHER;
    let (kind, text) = if let Some(file) = runs().flat_map(|row| &row.files).next() {
        (file.kind, name_of(file))
    } else if let Some(text) = runs().flat_map(|row| &row.texts).next() {
        ("text", text.clone())
    } else {
        ("no files", String::new())
    };
    note(canvas, corner, size, kind, &text, [behind, around, INK]);
}

fn pictures(row: &Row) -> impl Iterator<Item = &RowFile> {
    row.files.iter().filter(|file| file.kind == "image")
}

fn name_of(file: &RowFile) -> String {
    file.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// One picture in the whole cell, several beside and below each other.
fn draw_pictures(canvas: &mut RgbImage, corner: Place, size: Place, pictures: &[&RowFile]) {
    let (columns, lines) = match pictures.len() {
        1 => (1, 1),
        2 if size.0 >= size.1 => (2, 1),
        2 => (1, 2),
        _ => (2, 2),
    };
    let part = |length: u32, parts: u32| length.saturating_sub(GAP * (parts - 1)) / parts;
    let size = (part(size.0, columns), part(size.1, lines));
    let shown = if pictures.len() > MOST_PICTURES { MOST_PICTURES - 1 } else { pictures.len() };
    let corner_of = |place: u32| {
        (corner.0 + place % columns * (size.0 + GAP), corner.1 + place / columns * (size.1 + GAP))
    };
    for (place, file) in (0..).zip(&pictures[..shown]) {
        draw_picture(canvas, corner_of(place), size, file);
    }
    if shown < pictures.len() {
        let [behind, around] = OTHER;
        let more = format!("+{}", pictures.len() - shown);
        note(canvas, corner_of(shown as u32), size, &more, "more pictures", [behind, around, INK]);
    }
}

fn draw_picture(canvas: &mut RgbImage, corner: Place, size: Place, file: &RowFile) {
    // Decoded one after another: a batch has more pictures than there is memory.
    let picture = std::fs::read(&file.path).ok().and_then(|bytes| Picture::decode(&bytes));
    let Some(picture) = picture else {
        let [behind, around] = OTHER;
        return note(canvas, corner, size, "not shown", &name_of(file), [behind, around, INK]);
    };
    let drawn = picture.fit(size.0, size.1);
    let left = corner.0 + size.0.saturating_sub(drawn.width()) / 2;
    let top = corner.1 + size.1.saturating_sub(drawn.height()) / 2;
    overlay(canvas, (left, top), &drawn);
}

fn overlay(canvas: &mut RgbImage, (left, top): Place, picture: &RgbaImage) {
    for (x, y, Rgba([red, green, blue, alpha])) in picture.enumerate_pixels() {
        let Some(pixel) = canvas.get_pixel_mut_checked(left + x, top + y) else { continue };
        let square = SQUARES[((x / SQUARE + y / SQUARE) % 2) as usize];
        let share = u32::from(*alpha);
        let mixed = |color: &u8, below: u8| {
            ((u32::from(*color) * share + u32::from(below) * (255 - share)) / 255) as u8
        };
        *pixel = Rgb([mixed(red, square[0]), mixed(green, square[1]), mixed(blue, square[2])]);
    }
}

/// Words in place of a picture.
fn note(
    canvas: &mut RgbImage,
    (left, top): Place,
    (width, height): Place,
    title: &str,
    text: &str,
    [behind, around, color]: [[u8; 3]; 3],
) {
    for y in 0..height {
        for x in 0..width {
            let edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            if let Some(pixel) = canvas.get_pixel_mut_checked(left + x, top + y) {
                *pixel = Rgb(if edge { around } else { behind });
            }
        }
    }
    let (room, below) = (width.saturating_sub(2 * PADDING), height.saturating_sub(2 * PADDING));
    let style = Style::for_width(width).color(color).bold();
    let mut y = top + PADDING;
    for line in text::lines(&text::plain(title), style.columns(room), 1) {
        text::draw(canvas, (left + PADDING, y), &line, style);
        y += style.line_height() + 2;
    }
    let style = Style::for_width(width).color(FAINT);
    let lines = below.saturating_sub(y - top - PADDING) / style.line_height();
    for line in text::lines(&text::plain(text), style.columns(room), lines as usize) {
        text::draw(canvas, (left + PADDING, y), &line, style);
        y += style.line_height();
    }
}
