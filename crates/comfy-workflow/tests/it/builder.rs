//! Workflows of real templates, written again with the builder.

use std::collections::HashMap;
use std::path::Path;

use comfy_workflow::builder::NodeHandle;
use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::{Options, Verdict, validate};
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
        for path in gzipped_files(&convert.join(pairs)) {
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
            assert_eq!(same, workflow, "{}", path.display());
            assert_eq!(same.to_value().to_string().parse::<Workflow>().unwrap(), workflow);
            built += 1;
            let prompt = workflow.to_value();
            let sound = matches!(
                validate(&prompt, &Options::new(&schemas)),
                Verdict::Accepted(accepted) if accepted.node_errors.is_empty()
            );
            match graph.build_with(&schemas) {
                Ok(checked) => {
                    accepted += 1;
                    assert!(sound, "{}", path.display());
                    for (id, node) in workflow.nodes() {
                        let inputs = &checked.node(id.as_str()).unwrap().inputs;
                        assert!(node.inputs.iter().all(|(name, value)| inputs.get(name) == Some(value)));
                    }
                }
                Err(error) => println!("{} ({sound}): {error}", path.display()),
            }
        }
    }
    println!("{built} built, {accepted} of them sound");
    assert!(built > 500 && accepted > 100, "{built} built, {accepted} of them sound");
}

fn gzipped_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "gz"));
    files.sort();
    files
}
