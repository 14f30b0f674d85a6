//! Converts workflows of the editor to the API format.
//!
//! `convert OBJECT_INFO WORKFLOW…` prints one line of JSON per workflow: the prompt, and what was found on the way.

use std::error::Error;

use comfy_workflow::convert::{ConvertOptions, LocalTime, convert};
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::Schemas;
use serde_json::json;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let schemas = arguments.next().ok_or("usage: convert OBJECT_INFO WORKFLOW...")?;
    let schemas = Schemas::from_slice(&std::fs::read(schemas)?)?;
    let now = LocalTime { year: 2025, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    for path in arguments {
        let Ok(editor) = EditorWorkflow::from_slice(&std::fs::read(&path)?) else {
            println!(
                "{}",
                json!({"prompt": {}, "problems": [format!("{path} is no workflow of the editor")]})
            );
            continue;
        };
        let conversion = convert(&editor, &schemas, &ConvertOptions::new().now(now));
        let problems: Vec<String> = conversion.problems.iter().map(ToString::to_string).collect();
        println!("{}", json!({"prompt": conversion.workflow.to_value(), "problems": problems}));
    }
    Ok(())
}
