//! Texts of a server, made fit for messages.

/// `text` on one line, without control characters, at most `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut blank = false;
    for c in text.trim().chars() {
        if c.is_whitespace() || c.is_control() || is_invisible(c) {
            blank = true;
            continue;
        }
        if line.chars().count() >= most {
            line.push('…');
            break;
        }
        if std::mem::take(&mut blank) && !line.is_empty() {
            line.push(' ');
        }
        line.push(c);
    }
    line
}

/// Characters that change the direction of text or cannot be seen.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_text_becomes_one_clipped_line_without_escape_sequences() {
        assert_eq!(one_line("  boom\n\x1b[31m red \t x\n", 100), "boom [31m red x");
        assert_eq!(one_line("a\u{202e}gnp.exe", 100), "a gnp.exe");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }
}
