//! How large everything on a contact sheet is.

use image::ImageReader;

use super::super::{Row, RowFile};
use super::plan::Plan;
use super::text::Style;
use super::{CAPTION_LINES, HEAD_LINES, label_lines};

/// Around everything.
pub(super) const MARGIN: u32 = 24;
/// Between cells.
const GAP: u32 = 10;
/// Between a picture and what is written below.
pub(super) const CAPTION_GAP: u32 = 4;
/// Between heads and pictures.
pub(super) const HEAD_GAP: u32 = 8;
/// Widest head beside a line, in characters.
const HEAD_COLUMNS: usize = 28;

/// Pixels of a side that every program and format takes.
const LONGEST_SIDE: u32 = 16_000;
/// Pixels of a sheet: 3 bytes each while it is drawn.
const MOST_PIXELS: u64 = 48_000_000;
/// Pixels of all cells of a sheet that is easy to look at.
const PLEASANT_PIXELS: f64 = 4_000_000.0;
/// The longer side of a cell where nothing limits it.
const SIDES: std::ops::RangeInclusive<f64> = 192.0..=512.0;
/// The longer side below which nothing can be seen.
const LEAST_SIDE: f64 = 48.0;

#[derive(Debug)]
pub(super) struct Measures {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Of a picture's place.
    pub(super) cell: (u32, u32),
    /// Of what is written.
    pub(super) style: Style,
    pub(super) head_width: u32,
    head_height: u32,
    caption_height: u32,
}

impl Measures {
    /// Nothing if there are too many cells.
    pub(super) fn of(plan: &Plan, rows: &[Row]) -> Option<Self> {
        let least = (plan.columns * plan.lines) as f64 * LEAST_SIDE * LEAST_SIDE;
        if least > MOST_PIXELS as f64 {
            return None;
        }
        let (shape, longest) = shape(rows);
        let cells = plan.cells.len().max(1) as f64;
        let pleasant = (PLEASANT_PIXELS / cells).sqrt().clamp(*SIDES.start(), *SIDES.end());
        // Small pictures stay small, as far as there is still room to write.
        let mut side = pleasant.min(f64::from(longest).max(*SIDES.start()));
        loop {
            let cell = (((side * shape.0) as u32).max(1), ((side * shape.1) as u32).max(1));
            let measures = Self::with_cells(plan, cell);
            let fits = measures.width.max(measures.height) <= LONGEST_SIDE
                && u64::from(measures.width) * u64::from(measures.height) <= MOST_PIXELS;
            if fits {
                return Some(measures);
            }
            side *= 0.95;
            if side < LEAST_SIDE {
                return None;
            }
        }
    }

    fn with_cells(plan: &Plan, cell: (u32, u32)) -> Self {
        let style = Style::for_width(cell.0);
        let tallest = |labels: &mut dyn Iterator<Item = &super::Label>, most| {
            let lines = labels.map(|label| label_lines(label, cell.0, most, style).len()).max().unwrap_or(0);
            lines as u32 * style.line_height()
        };
        let caption = tallest(&mut plan.cells.iter().map(|cell| &cell.caption), CAPTION_LINES);
        let caption_height = if caption > 0 { caption + CAPTION_GAP + GAP / 2 } else { 0 };
        let heads = tallest(&mut plan.heads_across.iter(), HEAD_LINES);
        let name = if plan.name_across.is_some() { style.line_height() } else { 0 };
        let head_height = if heads + name > 0 { heads + name + HEAD_GAP } else { 0 };
        let head_width = widest_head(plan) as u32 * style.character_width();
        let mut measures = Self { width: 0, height: 0, cell, style, head_width, head_height, caption_height };
        // The name of an axis is readable above a single narrow column.
        let names =
            plan.name_across.iter().map(|name| name.chars().count().min(HEAD_COLUMNS)).max().unwrap_or(0);
        let (columns, lines) = (plan.columns.max(1), plan.lines.max(1));
        let (right, bottom) = measures.corner(columns, lines);
        let (left, _) = measures.corner(0, 0);
        let content = (right - GAP).max(left + names as u32 * style.character_width());
        (measures.width, measures.height) = (content + MARGIN, bottom - GAP + MARGIN);
        measures
    }

    /// The upper left of a picture's place.
    pub(super) fn corner(&self, column: usize, line: usize) -> (u32, u32) {
        let beside = if self.head_width > 0 { self.head_width + 2 * HEAD_GAP } else { 0 };
        let step = (self.cell.0 + GAP, self.cell.1 + self.caption_height + GAP);
        (MARGIN + beside + column as u32 * step.0, MARGIN + self.head_height + line as u32 * step.1)
    }
}

/// Characters of the widest head beside a line.
fn widest_head(plan: &Plan) -> usize {
    let heads = plan.heads_down.iter().flatten().map(|(name, value)| {
        let value = value.chars().count();
        name.as_ref().map_or(value, |name| name.chars().count() + 1 + value)
    });
    let name = plan.name_down.as_ref().map(|name| name.chars().count());
    heads.chain(name).max().unwrap_or(0).min(HEAD_COLUMNS)
}

/// The shape that all pictures fit in, with a longer side of 1, and the longest side of all.
fn shape(rows: &[Row]) -> ((f64, f64), u32) {
    let mut shape = (0.0_f64, 0.0_f64);
    let mut longest = 0;
    for (width, height) in rows.iter().flat_map(|row| &row.files).filter_map(size_of) {
        let longer = width.max(height);
        longest = longest.max(longer);
        let part = |side: u32| f64::from(side) / f64::from(longer);
        shape = (shape.0.max(part(width)), shape.1.max(part(height)));
    }
    if longest == 0 {
        // Only texts and other files: these lines are easy to read.
        return ((1.0, 0.7), 256);
    }
    ((shape.0.max(0.3), shape.1.max(0.3)), longest)
}

/// From the beginning of the file; nothing is decoded.
fn size_of(file: &RowFile) -> Option<(u32, u32)> {
    if file.kind != "image" {
        return None;
    }
    let size = ImageReader::open(&file.path).ok()?.with_guessed_format().ok()?.into_dimensions().ok()?;
    (size.0 > 0 && size.1 > 0).then_some(size)
}
