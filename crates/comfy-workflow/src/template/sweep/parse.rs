//! `KEY=VALUES`, as a person writes it.

use serde_json::Value;

use super::plan::{Axis, Item};
use super::range::Range;
use crate::json;
use crate::select::split_assignment;
use crate::template::Given;
use crate::workflow::clip;

/// Reads `KEY=VALUES` or `KEY:=JSON`. The error says why it is neither.
pub(super) fn axis(text: &str) -> Result<Axis, String> {
    let (key, values) = split_assignment(text).ok_or("it has no `=`")?;
    let key = key.trim();
    let (key, items) = match key.strip_suffix(':') {
        Some(key) => (key.trim_end(), json_items(values)?),
        None => (key, items(values)?),
    };
    if key.is_empty() {
        return Err("the input or parameter is missing".into());
    }
    Ok(Axis::new(key.to_owned(), items))
}

fn json_items(text: &str) -> Result<Vec<Item>, String> {
    match json::from_str(text) {
        Ok(Value::Array(values)) => Ok(values.into_iter().map(|value| Item::One(value.into())).collect()),
        Ok(_) => Err("after `:=` there is a JSON list of the values".into()),
        Err(error) => Err(format!("after `:=` there is no JSON: {error}")),
    }
}

fn items(text: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut rest = text;
    loop {
        let after = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let (text, after) = unquoted(quoted)?;
                items.push(Item::One(Given::Text(text)));
                let after = after.trim_start();
                if !(after.is_empty() || after.starts_with(',')) {
                    return Err(format!(
                        "after a quoted value there is `{}` instead of a comma",
                        clip(after)
                    ));
                }
                after
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let value = rest[..end].trim();
                items.push(match Range::parse(value) {
                    Some(range) => Item::Range(range?),
                    None => Item::One(value.into()),
                });
                &rest[end..]
            }
        };
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok(items),
        }
    }
}

/// The text up to the closing quote, and what follows it.
fn unquoted(quoted: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((text, &quoted[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some((_, other)) => text.extend(['\\', other]),
                None => {}
            },
            c => text.push(c),
        }
    }
    Err("the closing quote of a value is missing".into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values(text: &str) -> (String, Vec<Given>) {
        let axis = axis(text).unwrap();
        let values = (0..axis.count()).map(|index| axis.at(index).unwrap().into_owned()).collect();
        (axis.key, values)
    }

    fn texts(key: &str, texts: &[&str]) -> (String, Vec<Given>) {
        (key.to_owned(), texts.iter().map(|text| Given::from(*text)).collect())
    }

    #[test]
    fn values_are_divided_by_commas() {
        assert_eq!(values("K.cfg=4, 6.5,8"), texts("K.cfg", &["4", "6.5", "8"]));
        assert_eq!(values("K.text=a b,"), texts("K.text", &["a b", ""]));
        assert_eq!(values("K.text="), texts("K.text", &[""]));
        assert_eq!(
            values("K.seed=1..3,10,20..30..5"),
            texts("K.seed", &["1", "2", "3", "10", "20", "25", "30"])
        );
    }

    #[test]
    fn quotes_keep_commas_and_ranges_together() {
        assert_eq!(
            values(r#"K.t="red, blue" , "1..3","a \"b\" \\ \n""#),
            texts("K.t", &["red, blue", "1..3", r#"a "b" \ \n"#])
        );
        assert_eq!(values(r#"K.t=a "b""#), texts("K.t", &[r#"a "b""#]));
        assert_eq!(values(r#""A = \"B\"".text=x=1"#), texts(r#""A = \"B\"".text"#, &["x=1"]));
    }

    #[test]
    fn json_lists_have_their_types() {
        let (key, values) = values("K.a:=[1, \"2\", [3], null]");
        assert_eq!(key, "K.a");
        assert_eq!(values, [json!(1), json!("2"), json!([3]), json!(null)].map(Given::from));
    }

    #[test]
    fn what_is_no_sweep_is_said_so() {
        for (text, reason) in [
            ("K.seed", "it has no `=`"),
            ("=1", "the input or parameter is missing"),
            ("K.t=\"a", "the closing quote of a value is missing"),
            ("K.t=\"a\"b", "after a quoted value there is `b` instead of a comma"),
            ("K.t:=5", "after `:=` there is a JSON list of the values"),
            ("K.t=0..1..0", "the range `0..1..0` has a step of 0"),
        ] {
            assert_eq!(axis(text).unwrap_err(), reason, "{text}");
        }
        assert!(axis("K.t:=[").unwrap_err().starts_with("after `:=` there is no JSON: "));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r#"(K|"|\\|=|:|,|\.\.|[0-9]|é|\[| ){0,30}"#) {
            let _ = axis(&text);
        }

        #[test]
        fn quoted_texts_are_read_back(texts in proptest::collection::vec(any::<String>(), 1..5)) {
            let quoted: Vec<String> =
                texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))).collect();
            let given: Vec<Given> = texts.into_iter().map(Given::from).collect();
            prop_assert_eq!(values(&format!("K.t={}", quoted.join(","))).1, given);
        }
    }
}
