//! RegexMatch, RegexExtract and RegexReplace: patterns in the dialect of the server's language.

use fancy_regex::{Captures, Regex, RegexBuilder};
use serde_json::Value as Json;

use super::super::{Context, Inputs, NodeError, Ran};
use crate::value::room_for_text;

mod dialect;

use dialect::{Template, translate};

/// RegexMatch: whether the pattern occurs anywhere.
pub(super) fn matches(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let found = match compile(inputs)? {
        Some(pattern) => pattern.is_match(inputs.text("string")?).map_err(too_hard)?,
        None => false,
    };
    Ok(Ran::output(Json::from(found)))
}

/// RegexExtract: the first or all matches, or one group of them, a line each.
pub(super) fn extract(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = inputs.text("string")?;
    let Some(pattern) = compile(inputs)? else { return Ok(Ran::output(Json::from(""))) };
    let group = usize::try_from(inputs.int_or("group_index", 1)?).unwrap_or(0);
    let all = all(&pattern, text, 0)?;
    let piece = |found: &Captures<'_>, group: usize| found.get(group).map(|part| part.as_str().to_owned());
    let groups = pattern.captures_len() - 1;
    let text = match inputs.text("mode")? {
        "First Match" => all.first().and_then(|found| piece(found, 0)).unwrap_or_default(),
        "All Matches" => {
            // A pattern with groups gives its first group.
            let pieces = all.iter().map(|found| piece(found, usize::from(groups > 0)).unwrap_or_default());
            pieces.collect::<Vec<_>>().join("\n")
        }
        "First Group" if group <= groups => match all.first() {
            Some(found) => match piece(found, group) {
                Some(piece) => piece,
                None => return Ok(Ran::output(Json::Null)),
            },
            None => String::new(),
        },
        "All Groups" if groups > 0 && group <= groups => {
            let mut pieces = Vec::new();
            for (index, found) in all.iter().enumerate() {
                pieces.push(piece(found, group).ok_or_else(|| {
                    NodeError::type_error(format!(
                        "sequence item {index}: expected str instance, NoneType found"
                    ))
                })?);
            }
            pieces.join("\n")
        }
        _ => String::new(),
    };
    Ok(Ran::output(Json::from(text)))
}

/// RegexReplace: `count` matches, or all of them.
pub(super) fn replace(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let text = inputs.text("string")?;
    let source = inputs.text("regex_pattern")?;
    let pattern = build(inputs, source).map_err(|error| pattern_error(&error))?;
    let template = Template::parse(inputs.text("replace")?, &pattern)?;
    let count = usize::try_from(inputs.int_or("count", 0)?).unwrap_or(0);
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for found in all(&pattern, text, count)? {
        room_for_text(result.len())?;
        let Some(whole) = found.get(0) else { continue };
        result.push_str(&text[copied..whole.start()]);
        template.expand(&found, &mut result);
        copied = whole.end();
    }
    result.push_str(&text[copied..]);
    Ok(Ran::output(Json::from(result)))
}

/// The pattern; none when it is not one.
fn compile(inputs: &Inputs) -> Result<Option<Regex>, NodeError> {
    Ok(build(inputs, inputs.text("regex_pattern")?).ok())
}

fn build(inputs: &Inputs, source: &str) -> Result<Regex, String> {
    let many_lines = inputs.flag_or("multiline", false);
    let source = translate(source, many_lines)?;
    RegexBuilder::new(&source)
        .case_insensitive(inputs.flag_or("case_insensitive", true))
        .multi_line(many_lines)
        .dot_matches_new_line(inputs.flag_or("dotall", false))
        .build()
        .map_err(|error| error.to_string())
}

fn pattern_error(text: &str) -> NodeError {
    NodeError::new("re.error", text)
}

/// The server would go on for as long as it takes.
fn too_hard(error: fancy_regex::Error) -> NodeError {
    NodeError::runtime_error(format!("the simulator gave up on this pattern: {error}"))
}

/// All matches, or the first `limit` where it is not 0. After an empty match, the next one may not be empty at the
/// same place.
fn all<'t>(pattern: &Regex, text: &'t str, limit: usize) -> Result<Vec<Captures<'t>>, NodeError> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut empty_at = None;
    while from <= text.len() && (limit == 0 || found.len() < limit) {
        let Some(captures) = pattern.captures_from_pos(text, from).map_err(too_hard)? else { break };
        let Some(whole) = captures.get(0) else { break };
        let (start, end) = (whole.start(), whole.end());
        if start == end && empty_at == Some(start) {
            let step = text[start..].chars().next().map_or(1, char::len_utf8);
            from = start + step;
            empty_at = None;
            continue;
        }
        from = end;
        empty_at = (start == end).then_some(end);
        found.push(captures);
    }
    Ok(found)
}
