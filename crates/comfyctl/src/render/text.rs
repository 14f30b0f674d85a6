//! Plain text for people: lines that fit, and amounts.

use indicatif::BinaryBytes;
use unicode_width::UnicodeWidthStr;

use crate::render::table::visible;

/// A text of unknown origin in lines of at most `width` columns of the screen, with blanks in front. Words that are
/// longer stand alone.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> Vec<String> {
    let blank = " ".repeat(indent);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace().map(visible) {
            if !line.is_empty() && indent + line.width() + 1 + word.width() > width {
                lines.push(format!("{blank}{line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        if !line.is_empty() {
            lines.push(format!("{blank}{line}"));
        }
    }
    lines
}

/// How much of a memory is in use.
pub(crate) fn used(free: u64, total: u64) -> String {
    let used = total.saturating_sub(free);
    let percent = (total > 0).then(|| format!(" ({:.0} %)", 100.0 * used as f64 / total as f64));
    format!("{} of {} used{}", BinaryBytes(used), BinaryBytes(total), percent.unwrap_or_default())
}

/// A size in bytes; empty for one that is not known.
pub(crate) fn size(bytes: Option<u64>) -> String {
    bytes.map(|bytes| BinaryBytes(bytes).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words_and_does_not_act_on_the_terminal() {
        assert_eq!(wrapped("one two  three\n\nfour", 2, 9), ["  one two", "  three", "  four"]);
        assert_eq!(wrapped("extraordinary \u{1b}[2J", 0, 5), ["extraordinary", "\\u{1b}[2J"]);
        assert!(wrapped(" \n ", 2, 9).is_empty());
    }

    #[test]
    fn memory_is_told_as_used() {
        assert_eq!(used(1 << 30, 4 << 30), "3.00 GiB of 4.00 GiB used (75 %)");
        assert_eq!(used(0, 0), "0 B of 0 B used");
        assert_eq!(used(9, 5), "0 B of 5 B used (0 %)");
    }
}
