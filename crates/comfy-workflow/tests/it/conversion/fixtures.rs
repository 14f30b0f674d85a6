use std::path::Path;

use comfy_workflow::convert::convert;
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::Schemas;
use serde_json::{Map, Value, json};

use super::compare::{Comparison, Volatile};
use super::pairs::options;

#[test]
fn drawn_workflows_become_the_prompts_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/convert");
    for name in ["plain", "dynamic", "subgraphs"] {
        let fixture: Value =
            serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
        let schemas = Schemas::from_value(fixture["schemas"].clone()).unwrap();
        let editor = EditorWorkflow::from_value(fixture["workflow"].clone()).unwrap();
        let conversion = convert(&editor, &schemas, &options());
        assert_eq!(conversion.problems, [], "{name}");
        let found: Map<String, Value> = conversion
            .workflow
            .nodes()
            .map(|(id, node)| (id.to_string(), json!({"class_type": node.class_type, "inputs": node.inputs})))
            .collect();
        let volatile = Volatile::new();
        let comparison = Comparison::new(&fixture["schemas"], &volatile);
        let wanted = fixture["prompt"].as_object().unwrap();
        assert_eq!(comparison.differences(wanted, &found), Vec::<String>::new(), "{name}");
    }
}
