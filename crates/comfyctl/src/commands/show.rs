use comfy_api_client::workflow::{Link, Node, Workflow};
use serde_json::{Value, json};

use crate::args::Show;
use crate::commands::{look, request, workflow_file};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::table::{Table, visible};

/// Shows the inputs of a workflow.
pub(crate) async fn show(printer: &Printer, args: Show) -> Exit {
    match workflow(printer, &args).await {
        Ok(workflow) => {
            print(printer, &workflow);
            Exit::Success
        }
        Err(failure) => request::fail(printer, &failure),
    }
}

async fn workflow(printer: &Printer, args: &Show) -> Result<Workflow, Failure> {
    let opened = workflow_file::open(&args.workflow).await?;
    let schemas = look::schemas(args.object_info.as_deref())?;
    match look::converted(&opened, schemas.as_ref(), printer)? {
        Some(converted) => Ok(converted.in_part(printer)),
        None => Ok(look::outlined(&opened, printer)),
    }
}

fn print(printer: &Printer, workflow: &Workflow) {
    if printer.is_json() {
        for (id, node) in workflow.nodes() {
            printer.json(&json!({
                "type": "node", "node": id, "class_type": node.class_type, "title": node.title(),
                "mode": mode(node).unwrap_or("active"), "inputs": node.inputs,
            }));
        }
        return;
    }
    let terminal = printer.width().is_some();
    let mut table = Table::new(["NODE", "CLASS", "TITLE", "INPUT", "VALUE"]);
    for (id, node) in workflow.nodes() {
        let class = match mode(node) {
            Some(mode) => format!("{} ({mode})", node.class_type),
            None => node.class_type.clone(),
        };
        let head = [id.as_str(), &class, node.title().unwrap_or_default()];
        let mut first = true;
        for (name, value) in &node.inputs {
            // For people one head is enough; programs that go through lines want it on each.
            let [id, class, title] = if first || !terminal { head } else { [""; 3] };
            table.row([id, class, title, name, &shown(value, workflow)]);
            first = false;
        }
        if first {
            table.row([head[0], head[1], head[2], "", ""]);
        }
    }
    printer.table(&table);
}

/// What the outline of a workflow of the editor says of a node that does not run.
fn mode(node: &Node) -> Option<&str> {
    node.extra.get("mode").and_then(Value::as_str)
}

fn shown(value: &Value, workflow: &Workflow) -> String {
    if let Some(link) = Link::from_value(value) {
        let source = workflow.node(link.node);
        let class = source.map_or_else(|| " (missing)".to_owned(), |node| format!(" ({})", node.class_type));
        return format!("<- {} output {}{class}", link.node, link.slot);
    }
    match value {
        Value::String(text) => visible(text),
        other => other.to_string(),
    }
}
