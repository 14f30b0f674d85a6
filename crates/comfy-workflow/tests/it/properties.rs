//! What holds for all documents.

use arbitrary::Unstructured;
use comfy_workflow::convert::{ConvertOptions, DynamicPrompts, convert};
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::{Options, validate};
use comfy_workflow::{NodeId, Workflow};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

use crate::generate::{Made, json, spoil};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..2000)
}

fn options() -> ConvertOptions {
    ConvertOptions::new().dynamic_prompts(DynamicPrompts::Random(7))
}

/// Converts a document and checks what holds for any: it is the same each time, and no link leads to nowhere.
fn check(document: &Value, schemas: &Schemas) -> TestCaseResult {
    let _ = Workflow::from_value(document.clone());
    let _ = validate(document, &Options::new(schemas));
    let Ok(editor) = EditorWorkflow::from_value(document.clone()) else { return Ok(()) };
    let conversion = convert(&editor, schemas, &options());
    prop_assert_eq!(&conversion, &convert(&editor, schemas, &options()));
    let workflow = &conversion.workflow;
    for (id, input, link) in workflow.links() {
        prop_assert!(workflow.node(link.node).is_some(), "{}.{} leads to nowhere", id, input);
    }
    for problem in &conversion.problems {
        prop_assert!(!problem.to_string().contains(char::is_control), "{}", problem);
    }
    let written = workflow.to_value();
    if !workflow.is_empty() {
        let read: Workflow = written.to_string().parse().unwrap();
        prop_assert_eq!(read.to_value(), written.clone());
    }
    let _ = validate(&written, &Options::new(schemas));
    Ok(())
}

proptest! {
    #[test]
    fn no_json_makes_a_conversion_or_a_validation_panic(bytes in bytes()) {
        let mut u = Unstructured::new(&bytes);
        let (document, schemas) = (json(&mut u, 7).unwrap(), json(&mut u, 7).unwrap());
        let schemas = Schemas::from_value(schemas).unwrap_or_default();
        check(&document, &schemas)?;
    }

    #[test]
    fn no_spoiled_document_makes_a_conversion_or_a_validation_panic(bytes in bytes()) {
        let mut u = Unstructured::new(&bytes);
        let mut made = Made::sound(&mut u).unwrap();
        spoil(&mut u, &mut made.document).unwrap();
        check(&made.document, &Schemas::from_value(made.schemas.clone()).unwrap())?;
        spoil(&mut u, &mut made.schemas).unwrap();
        check(&made.document, &Schemas::from_value(made.schemas).unwrap_or_default())?;
    }

    #[test]
    fn every_node_link_and_value_of_a_sound_graph_arrives(bytes in bytes()) {
        let made = Made::sound(&mut Unstructured::new(&bytes)).unwrap();
        let schemas = Schemas::from_value(made.schemas.clone()).unwrap();
        check(&made.document, &schemas)?;
        let editor = EditorWorkflow::from_value(made.document.clone()).unwrap();
        prop_assert_eq!(editor.oddities(), &Vec::<String>::new()[..]);
        let workflow = convert(&editor, &schemas, &options()).workflow;
        let mut ids: Vec<&str> = workflow.nodes().map(|(id, _)| id.as_str()).collect();
        let mut wanted: Vec<&str> = made.expected.iter().map(|(id, _)| id.as_str()).collect();
        ids.sort_unstable();
        wanted.sort_unstable();
        prop_assert_eq!(ids, wanted, "{}", made.document);
        for (id, inputs) in &made.expected {
            let node = workflow.node(id).unwrap();
            for (name, value) in inputs {
                prop_assert_eq!(node.inputs.get(name), Some(value), "{}.{} of {}", id, name, made.document);
            }
        }
    }

    #[test]
    fn what_is_set_is_got_and_what_is_written_is_read(bytes in bytes(), seed: u64) {
        let mut u = Unstructured::new(&bytes);
        let made = Made::sound(&mut u).unwrap();
        let schemas = Schemas::from_value(made.schemas).unwrap();
        let editor = EditorWorkflow::from_value(made.document).unwrap();
        let mut workflow = convert(&editor, &schemas, &options()).workflow;
        let places: Vec<(NodeId, String)> = workflow
            .nodes()
            .flat_map(|(id, node)| node.inputs.iter().map(move |(name, value)| (id.clone(), name.clone(), value.clone())))
            .filter(|(_, _, value)| !value.is_array())
            .map(|(id, name, _)| (id, name))
            .collect();
        for (id, name) in places {
            let selector = format!("{id}.{name}");
            workflow.set(&selector, seed).unwrap();
            prop_assert_eq!(workflow.get(&selector).unwrap().as_u64(), Some(seed));
        }
        if !workflow.is_empty() {
            let read: Workflow = workflow.to_value().to_string().parse().unwrap();
            prop_assert_eq!(read.to_value(), workflow.to_value());
            prop_assert_eq!(read, workflow);
        }
    }
}
