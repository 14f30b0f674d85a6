//! A picture above the lines that live: as large as fits, drawn again in its place, taken away without a trace.

use std::path::Path;

use super::picture::{Graphics, Picture};
use super::screen::{size, write};

/// Columns and rows of the largest block, and the rows that stay free for the lines.
const LARGEST: (u16, u16) = (80, 24);
const FREE: u16 = 4;
/// Bytes of the largest file that is shown.
const LARGEST_FILE: u64 = 64 << 20;

/// A picture on the screen.
#[derive(Debug)]
pub(super) struct Block {
    picture: Picture,
    graphics: Graphics,
    /// Its cells, and the columns of the terminal when it was drawn; `None` when it is not on the screen.
    drawn: Option<Drawn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Drawn {
    cells: (u16, u16),
    terminal: (u16, u16),
}

impl Block {
    pub(super) fn new(picture: Picture, graphics: Graphics) -> Self {
        Self { picture, graphics, drawn: None }
    }

    /// Another picture in the place of this one. The cursor is below the block, in the first column.
    pub(super) fn replace(&mut self, picture: Picture) {
        self.picture = picture;
        if self.drawn != self.place() {
            self.erase();
        }
    }

    /// Draws it above the cursor, making room first where it is not on the screen yet.
    pub(super) fn draw(&mut self) {
        let Some(place) = self.place() else { return };
        let (columns, rows) = place.cells;
        let room = if self.drawn.is_some() { String::new() } else { "\n".repeat(rows.into()) };
        let picture = self.picture.escape_over(self.graphics, number(), columns, rows);
        draw(&format!("{room}\r\u{1b}[{rows}A{picture}\u{1b}[{rows}B\r"));
        self.drawn = Some(place);
    }

    /// Takes it away. The cursor is where it began then.
    pub(super) fn erase(&mut self) {
        let Some(Drawn { cells: (columns, rows), terminal }) = self.drawn.take() else { return };
        // A terminal that has become narrower than the picture has wrapped its rows.
        let now = size().unwrap_or(terminal);
        let wraps = if self.graphics == Graphics::Blocks { columns.div_ceil(now.0.max(1)) } else { 1 };
        let up = rows.saturating_mul(wraps.max(1));
        draw(&format!("{}\r\u{1b}[{up}A\u{1b}[J", self.graphics.erase(number())));
    }

    /// Where it would be drawn now; nowhere on a screen that is too small.
    fn place(&self) -> Option<Drawn> {
        let terminal = size()?;
        Some(Drawn { cells: cells(&self.picture, terminal)?, terminal })
    }
}

/// Clears the row in which the cursor is.
pub(super) fn clear_row() {
    draw("\r\u{1b}[K");
}

/// Draws the picture of a file at the cursor, to stay there. What is no picture that can be shown is passed over.
pub(super) fn print(path: &Path, graphics: Graphics) {
    let is_small = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() <= LARGEST_FILE);
    let bytes = is_small.then(|| std::fs::read(path).ok()).flatten();
    let picture = bytes.and_then(|bytes| Picture::decode(&bytes));
    let Some(picture) = picture else { return };
    let Some((columns, rows)) = size().and_then(|terminal| cells(&picture, terminal)) else { return };
    if graphics == Graphics::Blocks {
        let lines = picture.lines(columns, rows);
        draw(&format!("{}\n", lines.join("\n")));
        return;
    }
    let room = "\n".repeat(rows.into());
    let drawn = picture.escape(graphics, columns, rows);
    draw(&format!("{room}\r\u{1b}[{rows}A{drawn}\u{1b}[{rows}B\r"));
}

fn cells(picture: &Picture, (columns, rows): (u16, u16)) -> Option<(u16, u16)> {
    // A part of the screen, so that what was there before does not all go.
    let most = (rows * 3 / 5).min(rows.saturating_sub(FREE)).min(LARGEST.1);
    let cells = (most >= 2 && columns >= 8)
        .then(|| picture.fitted(columns.saturating_sub(1).min(LARGEST.0), most))?;
    (cells.0 > 0 && cells.1 > 0).then_some(cells)
}

/// Names the picture to the terminal, which may have some of other programs.
fn number() -> u32 {
    std::process::id()
}

/// A terminal that is gone is no failure.
fn draw(text: &str) {
    let _ = write(text);
}
