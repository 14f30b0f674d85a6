use comfy_api_client::workflow::schema::{NodeSchema, Schemas};
use serde_json::Value;

use super::describe::{self, Input};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::{Table, visible};
use crate::render::text::wrapped;

/// Blanks in front of what is said of a row.
const INDENT: usize = 4;

/// Shows what a class takes and gives.
pub(super) fn show(printer: &Printer, schemas: &Schemas, class: &str) -> Result<(), Failure> {
    let schema = schemas.get(class).ok_or_else(|| unknown(schemas, class))?;
    if printer.is_json() {
        printer.json(&describe::json(schema));
        return Ok(());
    }
    print_head(printer, schema);
    let inputs = describe::inputs(schema);
    if !inputs.is_empty() {
        printer.line("");
        match printer.width() {
            Some(width) => print_inputs(printer, &inputs, width),
            None => print_inputs_whole(printer, &inputs),
        }
    }
    if !schema.outputs.is_empty() {
        printer.line("");
        print_outputs(printer, schema);
    }
    Ok(())
}

fn print_outputs(printer: &Printer, schema: &NodeSchema) {
    let width = printer.width();
    let mut table = Table::new(["OUTPUT", "TYPE", "LIST", "TOOLTIP"]);
    let mut notes = Vec::new();
    for output in &schema.outputs {
        let list = if output.is_list { "list" } else { "" };
        let tooltip = output.tooltip.as_deref().unwrap_or_default();
        let cell = if width.is_none() { tooltip } else { "" };
        table.row([&output.name, describe::output_type(schema, output), list, cell]);
        notes.push(width.map(|width| wrapped(tooltip, INDENT, width)).unwrap_or_default());
    }
    print_with_notes(printer, &table, notes);
}

/// Prints a table with what is to be said of each row below it.
fn print_with_notes<const N: usize>(printer: &Printer, table: &Table<N>, notes: Vec<Vec<String>>) {
    let mut lines = table.lines(printer.width()).into_iter();
    if let Some(head) = lines.next() {
        printer.head(&head);
    }
    for (line, notes) in lines.zip(notes) {
        printer.line(&line);
        notes.iter().for_each(|note| printer.line(note));
    }
}

fn unknown(schemas: &Schemas, class: &str) -> Failure {
    let failure = Failure::new(Exit::Failure, "not_found", format!("no node class `{}`", one_line(class)));
    let is_called = |schema: &NodeSchema| schema.title().eq_ignore_ascii_case(class.trim());
    let called = schemas.iter().find(|(_, schema)| is_called(schema)).map(|(name, _)| name);
    match called.or_else(|| schemas.similar(class)) {
        Some(near) => failure.with_hint(format!("did you mean `{}`?", one_line(near))),
        None => failure.with_hint("find it with `comfyctl nodes search TEXT`"),
    }
}

fn print_head(printer: &Printer, schema: &NodeSchema) {
    let mut flags = Vec::new();
    for (is_set, word) in [
        (schema.output_node, "output node"),
        (schema.deprecated, "deprecated"),
        (schema.experimental, "experimental"),
        (schema.api_node, "calls a paid service"),
        (schema.is_input_list, "takes whole lists"),
    ] {
        if is_set {
            flags.push(word);
        }
    }
    let flags = flags.join(", ");
    let module = schema.python_module.as_deref().unwrap_or_default();
    let rows = [
        ("class", schema.name.as_str()),
        ("name", schema.title()),
        ("category", &schema.category),
        ("pack", schema.pack().unwrap_or_default()),
        ("module", if schema.pack().is_none() { module } else { "" }),
        ("flags", &flags),
    ];
    for (label, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        printer.line(&format!("{label:10}{}", visible(value)));
    }
    if !schema.description.trim().is_empty() {
        printer.line("");
        // In a pipe a paragraph is a line.
        for line in wrapped(&schema.description, 0, printer.width().unwrap_or(usize::MAX)) {
            printer.line(&line);
        }
    }
}

/// For programs: every row has all that is known of its input.
fn print_inputs_whole(printer: &Printer, inputs: &[Input<'_>]) {
    let mut table = Table::new(["INPUT", "TYPE", "NEED", "DEFAULT", "RANGE", "WHEN", "CHOICES", "TOOLTIP"]);
    for input in inputs {
        let choices = match &input.count {
            Some(count) => count.clone(),
            None => joined(&input.choices()),
        };
        table.row([
            &input.name,
            &input.type_name,
            input.need,
            &input.default().map(shown).unwrap_or_default(),
            &input.range(),
            input.when.as_deref().unwrap_or_default(),
            &choices,
            input.tooltip(),
        ]);
    }
    printer.table(&table);
}

/// For people: what an input may be is one column, and its tooltip stands below.
fn print_inputs(printer: &Printer, inputs: &[Input<'_>], width: usize) {
    // Names are to be copied, so that they have the room where there is little.
    let has_room = width >= super::ROOM;
    let mut table = Table::new(["INPUT", "TYPE", "NEED", "VALUES"]);
    let mut notes = Vec::new();
    for input in inputs {
        let choices = input.choices();
        let (need, mut values) = match (has_room, input.need) {
            (true, need) => (need, Vec::new()),
            (false, "required") => ("", Vec::new()),
            (false, need) => ("", vec![need.to_owned()]),
        };
        values.extend(input.default().map(|default| format!("= {}", shown(default))));
        values.extend(input.count.clone());
        values.extend(Some(input.range()).filter(|range| !range.is_empty()));
        if !choices.is_empty() {
            values.push(format!("{} choices: {}", choices.len(), joined(&choices)));
        }
        table.row([&input.name, &input.type_name, need, &values.join("; ")]);
        let when = input.when.as_ref().map(|when| format!("if {when}")).unwrap_or_default();
        let mut note = wrapped(&when, INDENT, width);
        note.extend(wrapped(input.tooltip(), INDENT, width));
        notes.push(note);
    }
    print_with_notes(printer, &table, notes);
}

fn joined(choices: &[Value]) -> String {
    choices.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// A value as a cell of a table, which writes out what would act on a terminal.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
