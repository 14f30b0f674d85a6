//! Texts of unknown origin within a page.

use std::fmt;

use serde::Serialize;

/// A text within HTML, also within an attribute in quotes.
#[derive(Debug)]
pub(super) struct Html<'a>(pub(super) &'a str);

impl fmt::Display for Html<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for c in self.0.chars() {
            match c {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                '\n' | '\t' => formatter.write_char(c)?,
                // HTML has no words for them.
                _ if c.is_control() => formatter.write_char('\u{fffd}')?,
                _ => formatter.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A value as JSON that can stand in a `<script>`: without `<` nothing ends it and no comment begins.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned()).replace('<', "\\u003c")
}

/// Fills the places `{{name}}` of a template. What is filled in is not looked at again.
pub(super) fn filled(template: &str, content: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else { break };
        let found = content.iter().find(|content| content.0 == name);
        filled.push_str(found.map_or("", |content| content.1));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_in_a_text_means_anything_in_html() {
        let text = Html("<img src=x onerror='a(\"1\")'>&\n\u{0}\u{1b}").to_string();
        assert_eq!(text, "&lt;img src=x onerror=&#39;a(&quot;1&quot;)&#39;&gt;&amp;\n\u{fffd}\u{fffd}");
    }

    #[test]
    fn nothing_in_json_ends_the_script_that_it_stands_in() {
        let value = json!({"</script>": "<!--<script>", "seed": 18_446_744_073_709_551_615_u64});
        let text = super::json(&value);
        assert!(!text.contains('<'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn what_is_filled_in_is_no_template() {
        assert_eq!(filled("a {{x}} {{y}} {{z}}.", &[("x", "{{y}}"), ("y", "2")]), "a {{y}} 2 .");
    }
}
