//! The check of a workflow in code: every one of its nodes as if a run started from it.

use serde_json::json;

use super::error::{BuildProblem, BuildProblemKind};
use crate::schema::{NodeSchema, Schemas};
use crate::validate::{Line, NodeChecks, NodeErrors, Options, Titles, Validator, Verdict, validate};
use crate::{Link, Node, Workflow};

/// The id and the class of a node whose output fits everywhere. Links that lead nowhere come from it, so that what they lead to
/// can be checked.
pub(super) const NOWHERE: &str = "\0";

/// What a server would refuse, of any node of a known class.
pub(super) fn check(workflow: &Workflow, schemas: &Schemas) -> Vec<BuildProblem> {
    // Servers look at what feeds an output, and start from these only.
    let mut starting = Schemas::new();
    let mut checked = Workflow::new();
    let (mut has_output, mut has_unknown) = (false, false);
    for (id, node) in workflow.nodes() {
        let Some(schema) = schemas.get(&node.class_type) else {
            has_unknown = true;
            continue;
        };
        has_output |= schema.output_node;
        if !starting.contains(&node.class_type) {
            starting.insert(NodeSchema { output_node: true, ..schema.clone() });
        }
        checked.insert(id.clone(), node.clone());
    }
    let mut problems = Vec::new();
    if !has_output && !has_unknown {
        let text = "no output node to run, such as SaveImage".to_owned();
        let line = Line { text, ..Line::default() };
        problems.push(BuildProblem { kind: BuildProblemKind::NoOutputNode, line });
    }
    if checked.is_empty() {
        return problems;
    }
    starting.insert(NodeSchema::from_value(NOWHERE, json!({ "output": ["*"], "output_node": true })));
    lead_nowhere(&mut checked);

    let prompt = checked.to_value();
    let open = OpenChoices(&starting);
    let titles = Titles::from_prompt(&prompt);
    let of_nodes = |errors: &NodeErrors| {
        let lines = errors.report().titles(&titles).schemas(&starting).lines();
        lines.into_iter().map(problem).collect::<Vec<_>>()
    };
    match validate(&prompt, &Options::new(&starting).checks(&open)) {
        Verdict::Accepted(accepted) => problems.extend(of_nodes(&accepted.node_errors)),
        Verdict::Rejected(rejection) if rejection.node_errors.is_empty() => {
            problems.extend(rejection.report().lines().into_iter().map(problem));
        }
        Verdict::Rejected(rejection) => problems.extend(of_nodes(&rejection.node_errors)),
        Verdict::Crashed(crash) => {
            let line = Line { text: crash.reason, ..Line::default() };
            problems.push(BuildProblem { kind: BuildProblemKind::Refused, line });
        }
    }
    problems
}

fn problem(line: Line) -> BuildProblem {
    let kind = line.kind.as_ref().map_or(BuildProblemKind::Refused, BuildProblemKind::from);
    BuildProblem { kind, line }
}

/// Links from nodes that are not there.
fn lead_nowhere(workflow: &mut Workflow) {
    let lost: Vec<(String, String)> = workflow
        .links()
        .filter(|(_, _, link)| workflow.node(link.node).is_none())
        .map(|(id, name, _)| (id.to_string(), name.to_owned()))
        .collect();
    if lost.is_empty() {
        return;
    }
    for (id, name) in lost {
        if let Some(node) = workflow.node_mut(&id) {
            node.inputs.insert(name, Link { node: NOWHERE, slot: 0 }.into());
        }
    }
    workflow.insert(NOWHERE, Node::new(NOWHERE));
}

/// Leaves the choices to the server where its list is not all that it takes.
struct OpenChoices<'a>(&'a Schemas);

impl NodeChecks for OpenChoices<'_> {
    fn validator(&self, class_type: &str) -> Option<Validator> {
        let inputs = self.0.get(class_type)?.inputs.iter().filter(|input| input.has_open_choices());
        let validator =
            inputs.fold(Validator::new(class_type), |validator, input| validator.optional(&*input.name));
        (validator != Validator::new(class_type)).then_some(validator)
    }
}
