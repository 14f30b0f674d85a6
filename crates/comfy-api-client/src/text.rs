//! Texts of a server, made fit for messages.

/// `text` on one line, without control characters, at most `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut blank = false;
    for c in text.trim().chars() {
        if c.is_whitespace() || c.is_control() {
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

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_text_becomes_one_clipped_line_without_escape_sequences() {
        assert_eq!(one_line("  boom\n\x1b[31m red \t x\n", 100), "boom [31m red x");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }
}
