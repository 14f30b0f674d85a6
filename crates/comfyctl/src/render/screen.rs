//! The terminal below the lines that live.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;
use unicode_width::UnicodeWidthStr;

/// Draws on stderr, each time in one piece.
///
/// indicatif fills lines up to the edge of the terminal, so that what the terminal writes itself for a Ctrl-C would be on
/// a row of its own, and the line could not be taken away any more. Here lines end where their text ends. A terminal that
/// has become narrower has wrapped what was wider, which goes too.
#[derive(Debug, Default)]
pub(super) struct Screen {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What is to be written.
    out: String,
    /// Whether the next text only fills up the line before.
    is_filler: bool,
    /// The widths of the lines that are written, and of those on the screen, and the terminal's when they were drawn.
    drawing: Vec<usize>,
    drawn: Vec<usize>,
    columns: u16,
}

/// Columns and rows of the terminal.
pub(super) fn size() -> Option<(u16, u16)> {
    terminal_size::terminal_size_of(io::stderr()).map(|(columns, rows)| (columns.0, rows.0))
}

/// Writes in one piece.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes())?;
    stderr.flush()
}

impl Screen {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        let columns = self.width();
        let mut state = self.state();
        if state.out.is_empty() {
            state.unwrap_rows(columns);
        }
        state.out.write_fmt(text).map_err(io::Error::other)
    }

    fn go(&self, n: usize, direction: char) -> io::Result<()> {
        if n > 0 { self.push(format_args!("\u{1b}[{n}{direction}")) } else { Ok(()) }
    }
}

impl State {
    /// Takes away rows that the terminal has wrapped, and leaves the cursor where it would be if it had not.
    fn unwrap_rows(&mut self, columns: u16) {
        let rows = |width: &usize| width.div_ceil(usize::from(columns.max(1))).max(1);
        let (lines, wrapped) = (self.drawn.len(), self.drawn.iter().map(rows).sum::<usize>());
        if columns >= self.columns || wrapped <= lines {
            return;
        }
        self.out = format!("\r\u{1b}[{}A\u{1b}[J", wrapped - 1);
        if lines > 1 {
            let _ = write!(self.out, "\u{1b}[{}B", lines - 1);
        }
        self.drawn.clear();
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        size().map_or(80, |(columns, _)| columns)
    }

    fn height(&self) -> u16 {
        size().map_or(24, |(_, rows)| rows)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(format_args!("{text}\r\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let is_first = {
            let mut state = self.state();
            state.is_filler = !state.is_filler;
            if !state.is_filler {
                return Ok(());
            }
            state.drawing.push(text.trim_end().width());
            state.drawing.len() == 1
        };
        let text = text.trim_end();
        if is_first { self.push(format_args!("{text}")) } else { self.push(format_args!("\r\n{text}")) }
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push(format_args!("\r\u{1b}[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let columns = self.width();
        let mut state = self.state();
        state.is_filler = false;
        state.columns = columns;
        state.drawn = std::mem::take(&mut state.drawing);
        let out = std::mem::take(&mut state.out);
        drop(state);
        write(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_the_terminal_has_wrapped_are_taken_away() {
        let mut state = State { drawn: vec![50, 10, 30], columns: 60, ..State::default() };
        state.unwrap_rows(60);
        assert_eq!(state.out, "");
        // Three rows, one and two.
        state.unwrap_rows(20);
        assert_eq!(state.out, "\r\u{1b}[5A\u{1b}[J\u{1b}[2B");
    }
}
