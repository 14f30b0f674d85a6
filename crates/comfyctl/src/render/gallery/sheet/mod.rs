//! A contact sheet: the pictures of a batch in cells of the same size, with what they differ in.

mod cell;
mod measure;
mod plan;
mod text;

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, Rgb, RgbImage};

use self::measure::Measures;
use self::plan::{Label, Plan};
use self::text::Style;
use super::Row;
use super::axes::Axes;
use crate::exit::Exit;
use crate::failure::Failure;

const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
const INK: [u8; 3] = [31, 35, 40];
const FAINT: [u8; 3] = [101, 109, 118];
/// Of a hundred: hardly to be told from the original.
const JPEG_QUALITY: u8 = 90;

/// Most lines of a head above a column.
const HEAD_LINES: usize = 3;
/// Most lines below a picture.
const CAPTION_LINES: usize = 5;

/// What a file of this name has in it.
pub(super) fn format_of(path: &Path) -> Result<ImageFormat, Failure> {
    match ImageFormat::from_path(path) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) => Ok(format),
        _ => {
            let name = crate::failure::one_line(&path.display().to_string());
            Err(Failure::usage("grid", format!("a contact sheet cannot be written as {name}"))
                .with_hint("choose a name that ends in .png, .jpg or .webp"))
        }
    }
}

/// The sheet as a file of that kind.
pub(super) fn encoded(rows: &[Row], format: ImageFormat) -> Result<Vec<u8>, Failure> {
    let sheet = drawn(rows)?;
    let mut content = Cursor::new(Vec::new());
    let written = match format {
        ImageFormat::Jpeg => {
            sheet.write_with_encoder(JpegEncoder::new_with_quality(&mut content, JPEG_QUALITY))
        }
        _ => sheet.write_to(&mut content, format),
    };
    written.map_err(|error| {
        Failure::new(Exit::Failure, "grid", "the contact sheet cannot be written").caused_by(&error)
    })?;
    Ok(content.into_inner())
}

fn drawn(rows: &[Row]) -> Result<RgbImage, Failure> {
    let plan = Plan::of(rows, &Axes::of(rows));
    let measures = Measures::of(&plan, rows).ok_or_else(|| {
        let count = rows.len();
        Failure::new(Exit::Failure, "grid", format!("a contact sheet has no room for {count} runs"))
            .with_hint("write a page with `--gallery out/index.html`, or sweep over less")
    })?;
    let mut canvas = RgbImage::from_pixel(measures.width, measures.height, PAPER);
    draw_heads(&mut canvas, &plan, &measures);
    for cell in &plan.cells {
        let corner = measures.corner(cell.column, cell.line);
        cell::draw(&mut canvas, corner, &measures, &cell.rows, rows);
        let mut y = corner.1 + measures.cell.1 + measure::CAPTION_GAP;
        for line in label_lines(&cell.caption, measures.cell.0, CAPTION_LINES, measures.style) {
            y = draw_line(&mut canvas, (corner.0, y), &line, measures.style);
        }
    }
    Ok(canvas)
}

fn draw_heads(canvas: &mut RgbImage, plan: &Plan, measures: &Measures) {
    let style = measures.style;
    let faint = style.color(FAINT);
    let (left, top) = measures.corner(0, 0);
    // Down to the pictures, however many lines they are.
    let above = |lines: usize| top - measure::HEAD_GAP - lines as u32 * style.line_height();
    if let Some(across) = &plan.name_across {
        let room = style.columns(measures.width - left - measure::MARGIN);
        for line in text::lines(&text::plain(across), room, 1) {
            text::draw(canvas, (left, measure::MARGIN), &line, faint);
        }
    }
    for (column, head) in plan.heads_across.iter().enumerate() {
        let (x, _) = measures.corner(column, 0);
        let lines = label_lines(head, measures.cell.0, HEAD_LINES, style);
        let mut y = above(lines.len());
        for line in lines {
            y = draw_line(canvas, (x, y), &line, style);
        }
    }
    if let Some(down) = &plan.name_down {
        for line in text::lines(&text::plain(down), style.columns(measures.head_width), 1) {
            text::draw(canvas, (measure::MARGIN, above(1)), &line, faint);
        }
    }
    for (line, head) in plan.heads_down.iter().enumerate() {
        let (_, top) = measures.corner(0, line);
        let fitting = (measures.cell.1 / style.line_height()).max(1) as usize;
        let lines = label_lines(head, measures.head_width, fitting, style);
        let height = lines.len() as u32 * style.line_height();
        let mut y = top + measures.cell.1.saturating_sub(height) / 2;
        for line in lines {
            y = draw_line(canvas, (measure::MARGIN, y), &line, style);
        }
    }
}

/// A piece of a label that goes on one line: a name in faint letters, and a value.
type Line = (String, String);

/// A label on at most so many lines.
fn label_lines(label: &Label, width: u32, most: usize, style: Style) -> Vec<Line> {
    let columns = style.columns(width);
    let mut lines: Vec<Line> = Vec::new();
    for (place, (name, value)) in label.iter().enumerate() {
        // What is left when every other value has its line.
        let room = most.saturating_sub(lines.len() + label.len() - place - 1).clamp(1, HEAD_LINES);
        let value = text::plain(value);
        let Some(name) = name else {
            lines.extend(text::lines(&value, columns, room).into_iter().map(|line| (String::new(), line)));
            continue;
        };
        // Half of the line at least is for the value, if it needs that.
        let beside = columns.saturating_sub(value.chars().count() + 1).max(columns / 2);
        let name = text::lines(&text::plain(name), beside, 1).pop().unwrap_or_default();
        let mut pieces = text::lines(&format!("{name} {value}"), columns, room).into_iter();
        let first = pieces.next().unwrap_or_default();
        lines.push(match first.strip_prefix(&name) {
            Some(value) => (name, value.trim_start().to_owned()),
            None => (String::new(), first),
        });
        lines.extend(pieces.map(|line| (String::new(), line)));
    }
    if lines.len() > most {
        lines.truncate(most.saturating_sub(1));
        lines.push((String::new(), "…".to_owned()));
    }
    lines
}

/// Returns where the next line is.
fn draw_line(canvas: &mut RgbImage, (x, y): (u32, u32), (name, value): &Line, style: Style) -> u32 {
    let mut left = x;
    if !name.is_empty() {
        left = text::draw(canvas, (x, y), name, style.color(FAINT)) + style.character_width();
    }
    text::draw(canvas, (left, y), value, style.color(INK).bold());
    y + style.line_height()
}

#[cfg(test)]
mod tests;
