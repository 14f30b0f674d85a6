//! Tables for people.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between columns.
const GAP: usize = 2;
/// Most columns of the screen for a column that is not the last.
const WIDEST: usize = 80;
/// Fewest for the last if it has as much to say: a seed has up to 20 digits.
const LEAST: usize = 20;

/// Rows of texts under a head.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned)] }
    }

    /// Adds a row. What would move the cursor or end the line is written out.
    pub(crate) fn row(&mut self, cells: [&str; N]) {
        self.rows.push(cells.map(visible));
    }

    /// The lines, clipped to `width` columns of the screen if that is given. Columns without content are left out.
    pub(crate) fn lines(&self, width: Option<usize>) -> Vec<String> {
        let filled: Vec<usize> =
            (0..N).filter(|column| self.rows.iter().skip(1).any(|row| !row[*column].is_empty())).collect();
        let Some((last, others)) = filled.split_last() else { return Vec::new() };
        let content = |column: &usize| self.rows.iter().map(|row| row[*column].width()).max().unwrap_or(0);
        let mut widths: Vec<usize> = others.iter().map(|column| content(column).min(WIDEST)).collect();
        let least = content(last).min(LEAST);
        if let Some(width) = width {
            // On a narrow terminal the widest columns give way first.
            let fixed = |widths: &[usize]| widths.iter().map(|width| width + GAP).sum::<usize>();
            while fixed(&widths) + least > width
                && let Some(most) = widths.iter_mut().max().filter(|most| **most > 4)
            {
                *most -= 1;
            }
        }
        let taken: usize = widths.iter().map(|width| width + GAP).sum();
        let room = width.map(|width| width.saturating_sub(taken).max(1));
        let mut lines = Vec::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, width) in others.iter().zip(&widths) {
                let limit = if room.is_some() { *width } else { usize::MAX };
                let cell = clipped(&row[*column], limit);
                line.push_str(&cell);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + GAP));
            }
            line.push_str(&clipped(&row[*last], room.unwrap_or(usize::MAX)));
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

/// A text of unknown origin with all that is no plain character written out, such as `\n` and `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    // Quotes and backslashes do no harm.
    for piece in text.split_inclusive(['\\', '\'', '"']) {
        let plain = piece.strip_suffix(['\\', '\'', '"']).unwrap_or(piece);
        visible.extend(plain.escape_debug());
        visible.push_str(&piece[plain.len()..]);
    }
    visible
}

/// What of a text fits into `width` columns of the screen, with an ellipsis in place of the rest.
fn clipped(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut clipped = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        clipped.push(c);
    }
    clipped.push('…');
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let mut table = Table::new(["A", "EMPTY", "B"]);
        table.row(["漢字", "", "one"]);
        table.row(["x", "", "two"]);
        assert_eq!(table.lines(None), ["A     B", "漢字  one", "x     two"]);
    }

    #[test]
    fn lines_are_clipped_to_a_width_and_whole_without_one() {
        let mut table = Table::new(["A", "B"]);
        table.row(["name", &"漢".repeat(30)]);
        table.row(["n".repeat(50).as_str(), "b"]);
        let lines = table.lines(Some(40));
        assert!(lines.iter().all(|line| line.width() <= 40), "{lines:?}");
        assert!(lines[1].ends_with('…'));
        assert!(table.lines(None)[1].ends_with('漢'));
        assert!(table.lines(Some(3)).iter().all(|line| line.width() <= 24));
    }

    #[test]
    fn what_would_act_on_a_terminal_is_written_out() {
        assert_eq!(visible("a\u{1b}[31m\n\"C:\\x\" \u{202e}é"), "a\\u{1b}[31m\\n\"C:\\x\" \\u{202e}é");
        let mut table = Table::new(["A"]);
        table.row(["\r\u{9b}x"]);
        assert_eq!(table.lines(None)[1], "\\r\\u{9b}x");
    }
}
