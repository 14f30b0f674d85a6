//! Constants, texts, and the node that shows any value as text.

use serde_json::Value as Json;

use super::{Context, Inputs, NodeClass, NodeError, Ran};
use crate::python::python_text;
use crate::value::{Value, room_for_text};
use crate::wire::to_indented_json;

mod case;
mod format;
mod pattern;

pub(super) static CLASSES: [NodeClass; 28] = [
    NodeClass::new("PrimitiveString", primitive),
    NodeClass::new("PrimitiveStringMultiline", primitive),
    NodeClass::new("PrimitiveInt", primitive),
    NodeClass::new("PrimitiveFloat", primitive),
    NodeClass::new("PrimitiveBoolean", primitive),
    NodeClass::new("PreviewAny", preview_any),
    NodeClass::new("StringConcatenate", concatenate),
    NodeClass::new("StringSubstring", substring),
    NodeClass::new("StringLength", length),
    NodeClass::new("CaseConverter", convert_case),
    NodeClass::new("StringTrim", trim),
    NodeClass::new("StringReplace", replace),
    NodeClass::new("StringContains", contains),
    NodeClass::new("StringCompare", compare),
    NodeClass::new("RegexMatch", pattern::matches),
    NodeClass::new("RegexExtract", pattern::extract),
    NodeClass::new("RegexReplace", pattern::replace),
    NodeClass::new("StringFormat", format::format),
    NodeClass::new("JsonExtractString", json_extract),
    NodeClass::new("TextToLowercase", |inputs, _| each(inputs, |text| Ok(text.to_lowercase()))),
    NodeClass::new("TextToUppercase", |inputs, _| each(inputs, |text| Ok(text.to_uppercase()))),
    NodeClass::new("TruncateText", |inputs, _| {
        let length = inputs.int("max_length")?;
        each(inputs, |text| Ok(part(text, 0, length)))
    }),
    NodeClass::new("AddTextPrefix", |inputs, _| {
        each(inputs, |text| joined(&[inputs.text("prefix")?, text], ""))
    }),
    NodeClass::new("AddTextSuffix", |inputs, _| {
        each(inputs, |text| joined(&[text, inputs.text("suffix")?], ""))
    }),
    NodeClass::new("ReplaceText", |inputs, _| {
        each(inputs, |text| replaced(text, inputs.text("find")?, inputs.text("replace")?))
    }),
    NodeClass::new("StripWhitespace", |inputs, _| {
        each(inputs, |text| Ok(text.trim_matches(is_blank).to_owned()))
    }),
    NodeClass::new("MergeTextLists", merge_lists),
    NodeClass::new("CustomCombo", custom_combo),
];

/// PrimitiveInt, PrimitiveFloat, PrimitiveString, PrimitiveStringMultiline and PrimitiveBoolean: the value itself.
/// Its type was made right when the prompt was validated.
fn primitive(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(inputs.value("value")?.clone()))
}

/// Texts one after the other, as long as there is room for them.
fn joined(texts: &[&str], between: &str) -> Result<String, NodeError> {
    room_for_text(texts.iter().map(|text| text.len() + between.len()).sum())?;
    Ok(texts.join(between))
}

/// A text with every place of `find` replaced, as long as there is room for it.
fn replaced(text: &str, find: &str, with: &str) -> Result<String, NodeError> {
    room_for_text(text.len().saturating_add(text.matches(find).count().saturating_mul(with.len())))?;
    Ok(text.replace(find, with))
}

/// StringConcatenate.
fn concatenate(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (first, second) = (inputs.text("string_a")?, inputs.text("string_b")?);
    let text = joined(&[first, second], inputs.text("delimiter")?)?;
    Ok(Ran::output(Json::from(text)))
}

/// PreviewAny: texts as they are, numbers as Python prints them, lists and objects as indented JSON, tensors as
/// torch prints them. The text is also the node's output.
fn preview_any(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = match inputs.value("source")? {
        Value::Json(json @ (Json::Array(_) | Json::Object(_))) => to_indented_json(json),
        other => other.python_text(context.version),
    };
    let text = Json::from(text);
    Ok(Ran::shown(Value::Json(text.clone()), "text", vec![text]))
}

/// StringSubstring: positions count characters, below 0 from the end.
fn substring(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = part(inputs.text("string")?, inputs.int("start")?, inputs.int("end")?);
    Ok(Ran::output(Json::from(text)))
}

/// The characters from `start` to before `end`.
fn part(text: &str, start: i64, end: i64) -> String {
    let length = text.chars().count() as i64;
    let place = |at: i64| if at < 0 { (at + length).max(0) } else { at.min(length) } as usize;
    let (start, end) = (place(start), place(end));
    text.chars().skip(start).take(end.saturating_sub(start)).collect()
}

/// StringLength, in characters.
fn length(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    Ok(Ran::output(Json::from(inputs.text("string")?.chars().count())))
}

/// CaseConverter.
fn convert_case(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = inputs.text("string")?;
    let converted = match inputs.text("mode")? {
        "UPPERCASE" => text.to_uppercase(),
        "lowercase" => text.to_lowercase(),
        "Capitalize" => case::capitalize(text),
        "Title Case" => case::title(text),
        _ => text.to_owned(),
    };
    Ok(Ran::output(Json::from(converted)))
}

/// What the server's language takes for blank: some control characters too.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// StringTrim.
fn trim(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = inputs.text("string")?;
    let trimmed = match inputs.text("mode")? {
        "Both" => text.trim_matches(is_blank),
        "Left" => text.trim_start_matches(is_blank),
        "Right" => text.trim_end_matches(is_blank),
        _ => text,
    };
    Ok(Ran::output(Json::from(trimmed)))
}

/// StringReplace: every place. An empty text is found between all characters.
fn replace(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = replaced(inputs.text("string")?, inputs.text("find")?, inputs.text("replace")?)?;
    Ok(Ran::output(Json::from(text)))
}

/// StringContains.
fn contains(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (text, wanted) = (folded(inputs, "string")?, folded(inputs, "substring")?);
    Ok(Ran::output(Json::from(text.contains(&wanted))))
}

/// StringCompare.
fn compare(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (first, second) = (folded(inputs, "string_a")?, folded(inputs, "string_b")?);
    let result = match inputs.text("mode")? {
        "Equal" => first == second,
        "Starts With" => first.starts_with(&second),
        "Ends With" => first.ends_with(&second),
        _ => return Ok(Ran::output(Json::Null)),
    };
    Ok(Ran::output(Json::from(result)))
}

/// A text, in small letters unless their size matters.
fn folded(inputs: &Inputs, name: &str) -> Result<String, NodeError> {
    let text = inputs.text(name)?;
    Ok(if inputs.flag_or("case_sensitive", true) { text.to_owned() } else { text.to_lowercase() })
}

/// JsonExtractString: a value of an object as text; nothing where there is none.
fn json_extract(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = inputs.text("json_string")?;
    let key = inputs.text("key")?;
    let found = match serde_json::from_str(text) {
        Ok(Json::Object(mut entries)) => entries.shift_remove(key),
        _ => None,
    };
    let text = found.filter(|value| !value.is_null()).map_or_else(String::new, |value| python_text(&value));
    Ok(Ran::output(Json::from(text)))
}

/// The nodes of text data sets give a list, even for one text.
fn each(inputs: &Inputs, change: impl Fn(&str) -> Result<String, NodeError>) -> Result<Ran, NodeError> {
    let text = change(inputs.text("texts")?)?;
    Ok(Ran::output(Json::from(vec![text])))
}

/// MergeTextLists: all texts in one list, inside a list.
fn merge_lists(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut texts = Vec::new();
    for value in inputs.list("texts")? {
        match value {
            Value::Json(json) => texts.push(json.clone()),
            other => return Err(super::inputs::wrong("expected str", other)),
        }
    }
    Ok(Ran::output(Json::from(vec![Json::from(texts)])))
}

/// CustomCombo: the choice, and its number. Of the options, only those that the prompt has count.
fn custom_combo(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let choice = inputs.value("choice")?.clone();
    let index = inputs.optional("index").map_or(Ok(0), |_| inputs.int("index"))?;
    Ok(Ran { outputs: vec![choice, Value::Json(Json::from(index))], ..Ran::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_characters_from_both_ends() {
        assert_eq!(part("Hellö 😀!", -2, 100), "😀!");
        assert_eq!(part("abc", 2, 1), "");
        assert_eq!(part("abc", -100, 1), "a");
    }
}
