//! Tables of values: CSV, and JSON objects.

use csv::{Position, ReaderBuilder, StringRecord, Trim};
use indexmap::IndexSet;
use serde_json::{Map, Value};

use crate::assign::value::shown;
use crate::json;
use crate::template::Given;
use crate::template::problem::{Problem, ProblemKind};
use crate::workflow::clip;

/// A table: each row gives values to some of the columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The line of the file that it begins on, from 1, where rows have lines.
    pub(super) line: Option<usize>,
    /// The values, each with the place of its column.
    pub(super) cells: Vec<(usize, Given)>,
}

/// Reads CSV, JSON lines or a JSON list of objects, told apart by the first character.
pub(super) fn read(bytes: &[u8]) -> Result<Rows, Vec<Problem>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match bytes.trim_ascii_start().first() {
        None => Err(vec![wrong("the table is empty")]),
        Some(b'{') => from_json_lines(bytes),
        Some(b'[') => from_json_list(bytes),
        Some(_) => from_csv(bytes),
    }
}

fn wrong(message: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::Syntax, message)
}

fn from_csv(bytes: &[u8]) -> Result<Rows, Vec<Problem>> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::Headers).from_reader(bytes);
    let header =
        reader.headers().map_err(|error| vec![wrong(format!("the table is no CSV: {}", reason(&error)))])?;
    let columns: Vec<String> = header.iter().map(str::to_owned).collect();
    let mut problems = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        if column.is_empty() {
            let message =
                format!("column {} has no name; the first row names inputs or parameters", index + 1);
            problems.push(wrong(message));
        } else if columns[..index].contains(column) {
            problems.push(wrong(format!("two columns are named `{}`", clip(column))));
        }
    }
    if let [only] = columns.as_slice()
        && let Some(divider) = only.chars().find(|c| matches!(c, ';' | '\t'))
    {
        let message =
            format!("the first row has one column and a {divider:?}; columns are divided by commas");
        problems.push(wrong(message));
    }
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    loop {
        let number = rows.len() + 1;
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let line = record.position().and_then(|position| line(bytes, position));
                if record.len() != columns.len() {
                    let message =
                        format!("it has {} cells, but there are {} columns", record.len(), columns.len());
                    problems.push(wrong(message).in_row(number, line));
                }
                let cells = record.iter().enumerate().filter(|(_, text)| !text.is_empty());
                rows.push(Row { line, cells: cells.map(|(column, text)| (column, text.into())).collect() });
            }
            Err(error) => {
                problems.push(wrong(reason(&error)).in_row(number, None));
                break;
            }
        }
    }
    if problems.is_empty() { Ok(Rows { columns, rows }) } else { Err(problems) }
}

/// The line that a row begins on. The reader counts empty lines, and half of a line break, to the row behind them.
fn line(bytes: &[u8], position: &Position) -> Option<usize> {
    let rest = bytes.get(usize::try_from(position.byte()).ok()?..)?;
    let breaks = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    Some(usize::try_from(position.line()).ok()? + breaks.count())
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => format!("cell {} is not UTF-8", err.field() + 1),
        _ => error.to_string(),
    }
}

fn from_json_lines(bytes: &[u8]) -> Result<Rows, Vec<Problem>> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let rows = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    from_objects(rows.map(|(index, line)| {
        let value = json::from_slice::<Value>(line).map_err(|error| format!("it is no JSON: {error}"));
        (Some(index + 1), value)
    }))
}

fn from_json_list(bytes: &[u8]) -> Result<Rows, Vec<Problem>> {
    let rows: Vec<Value> =
        json::from_slice(bytes).map_err(|error| vec![wrong(format!("the table is no JSON: {error}"))])?;
    from_objects(rows.into_iter().map(|row| (None, Ok(row))))
}

fn from_objects(
    objects: impl Iterator<Item = (Option<usize>, Result<Value, String>)>,
) -> Result<Rows, Vec<Problem>> {
    let mut problems = Vec::new();
    // In the order in which they come up.
    let mut columns: IndexSet<String> = IndexSet::new();
    let mut rows = Vec::new();
    for (index, (line, value)) in objects.enumerate() {
        let object = value.and_then(|value| match value {
            Value::Object(object) => Ok(object),
            other => Err(format!("it is {}, not an object of values", shown(&other))),
        });
        let object = object.unwrap_or_else(|reason| {
            problems.push(wrong(reason).in_row(index + 1, line));
            Map::new()
        });
        let mut cells = Vec::with_capacity(object.len());
        for (column, value) in object {
            let (place, _) = columns.insert_full(column);
            if !value.is_null() {
                cells.push((place, value.into()));
            }
        }
        rows.push(Row { line, cells });
    }
    let columns = columns.into_iter().collect();
    if problems.is_empty() { Ok(Rows { columns, rows }) } else { Err(problems) }
}
