//! Workflows of real templates, written again with the builder.

use std::collections::HashMap;
use std::path::Path;

use comfy_workflow::builder::NodeHandle;
use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::{ErrorType, Line, Options, Verdict, validate};
use comfy_workflow::{Link, Workflow, WorkflowBuilder};

use crate::corpus;

/// The same nodes, inputs and links.
fn rebuilt(workflow: &Workflow) -> WorkflowBuilder {
    let graph = WorkflowBuilder::new();
    let nodes: HashMap<&str, NodeHandle> = workflow
        .nodes()
        .map(|(id, node)| (id.as_str(), graph.add(node.class_type.as_str()).id(id.as_str())))
        .collect();
    for (id, node) in workflow.nodes() {
        let handle = &nodes[id.as_str()];
        if let Some(title) = node.title() {
            handle.title(title);
        }
        for (name, value) in &node.inputs {
            match Link::from_value(value) {
                Some(link) => handle.set(name, nodes[link.node].output(usize::try_from(link.slot).unwrap())),
                None => handle.set(name, value.clone()),
            };
        }
    }
    graph
}

#[test]
fn the_workflows_of_real_templates_can_be_built() {
    let Some(folder) = corpus::folder() else { return };
    let convert = folder.join("convert");
    let mut built = 0;
    let mut accepted = 0;
    for (pairs, version) in [("dev", "0.8.0"), ("dev4", "0.30.0")] {
        let schemas =
            Schemas::from_value(corpus::gzipped(&convert.join(format!("object_info.{version}.json.gz"))))
                .unwrap();
        // Some of them: reading them takes long.
        for path in gzipped_files(&convert.join(pairs)).into_iter().step_by(6) {
            let pair = corpus::gzipped(&path);
            let Ok(workflow) = Workflow::from_value(pair["prompt_api"].clone()) else { continue };
            let lost =
                workflow.links().any(|(_, _, link)| workflow.node(link.node).is_none() || link.slot < 0);
            // A list that is no link goes on as it is; the builder wraps it.
            let lists = workflow.nodes().flat_map(|(_, node)| node.inputs.values());
            let plain = lists.filter(|value| Link::from_value(value).is_none()).any(|value| value.is_array());
            if lost || plain || workflow.topological_order().is_err() {
                continue;
            }
            let graph = rebuilt(&workflow);
            let same = graph.build().unwrap();
            assert_eq!(same.to_value().to_string().parse::<Workflow>().unwrap(), same);
            assert_eq!(same.len(), workflow.len());
            for ((id, node), (other, expected)) in same.nodes().zip(workflow.nodes()) {
                assert_eq!(
                    (id, &node.class_type, node.title()),
                    (other, &expected.class_type, expected.title())
                );
                assert_eq!(node.inputs, expected.inputs, "{} node {id}", path.display());
            }
            built += 1;
            let refused = refusals(&workflow, &schemas);
            match graph.build_with(&schemas) {
                Ok(checked) => {
                    accepted += 1;
                    assert!(refused.is_empty(), "{}: {refused:?}", path.display());
                    for (id, node) in workflow.nodes() {
                        let inputs = &checked.node(id.as_str()).unwrap().inputs;
                        assert!(node.inputs.iter().all(|(name, value)| inputs.get(name) == Some(value)));
                    }
                }
                // Of the classes, inputs and nodes that a server does not look at.
                Err(error) if refused.is_empty() => println!("{}: {error}", path.display()),
                Err(_) => {}
            }
        }
    }
    println!("{built} built, {accepted} of them sound");
    assert!(built > 100 && accepted > 25, "{built} built, {accepted} of them sound");
}

/// What the server refuses, but for files that it may have got since it was asked for its lists.
fn refusals(workflow: &Workflow, schemas: &Schemas) -> Vec<Line> {
    let mut lines = match validate(&workflow.to_value(), &Options::new(schemas)) {
        Verdict::Accepted(accepted) => accepted.node_errors.report().lines(),
        Verdict::Rejected(rejection) => rejection.report().lines(),
        crashed => panic!("{crashed:?}"),
    };
    lines.retain(|line| {
        let schema = line.class_type.as_ref().and_then(|class_type| schemas.get(class_type));
        let input = schema.and_then(|schema| schema.input(line.input.as_ref()?));
        line.kind != Some(ErrorType::ValueNotInList) || !input.is_some_and(|input| input.has_open_choices())
    });
    lines
}

fn gzipped_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    files.sort();
    files
}
