//! What the server says of the problems, and what it says that was not found otherwise.

use std::collections::HashMap;

use serde_json::Value;

use crate::NodeId;
use crate::validate::errors::{ErrorDetail, NodeError};
use crate::validate::problem::{Effect, Problem, ProblemKind};
use crate::validate::{ErrorType, Line, NodeErrors, Options, Report, Verdict};

/// Notes on each problem how the server reports it, and adds what it reports besides.
pub(super) fn with_the_server(verdict: &Verdict, options: &Options<'_>, problems: &mut Vec<Problem>) {
    let (error, node_errors) = match verdict {
        Verdict::Accepted(accepted) => (None, &accepted.node_errors),
        Verdict::Rejected(rejection) => (Some(&rejection.error), &rejection.node_errors),
        Verdict::Crashed(crash) => {
            if !problems.iter().any(|problem| problem.effect == Effect::Refused) {
                let text = format!("the server fails on it: {}", crash.reason);
                let line = Line { text, ..Line::default() };
                problems.push(Problem::new(ProblemKind::MalformedNode, line).with_effect(Effect::Refused));
            }
            return;
        }
    };
    let mut places: HashMap<NodeId, Vec<usize>> = HashMap::new();
    for (place, problem) in problems.iter().enumerate() {
        if let Some(id) = &problem.line.node {
            places.entry(id.clone()).or_default().push(place);
        }
    }
    for (id, node) in node_errors.iter() {
        let places = places.get(id).map(Vec::as_slice).unwrap_or_default();
        for error in &node.errors {
            let is_about =
                |place: &usize| problems.get(*place).is_some_and(|problem| is_about(problem, id, error));
            let place = places.iter().copied().find(is_about);
            match place.and_then(|place| problems.get_mut(place)) {
                Some(problem) => problem.server_type = Some(error.kind.clone()),
                None => problems.push(told(id, node, error, options)),
            }
        }
    }
    let Some(error) = error else { return };
    match &error.kind {
        ErrorType::MissingNodeType | ErrorType::InvalidPrompt => {
            let missing = ProblemKind::Reported(ErrorType::MissingNodeType);
            if let Some(problem) = problems.iter_mut().find(|problem| problem.kind == missing) {
                problem.server_type = Some(error.kind.clone());
                return;
            }
        }
        // The errors of nodes say why.
        ErrorType::PromptOutputsFailedValidation if problems.iter().any(is_refused) => return,
        _ => {}
    }
    let none = NodeErrors::default();
    let lines = Report::new(Some(error), &none).schemas(options.schemas).lines();
    let line = lines.into_iter().next().unwrap_or_default();
    let problem = Problem::new(ProblemKind::Reported(error.kind.clone()), line).with_effect(Effect::Refused);
    problems.push(Problem { server_type: Some(error.kind.clone()), ..problem });
}

fn is_refused(problem: &Problem) -> bool {
    matches!(problem.effect, Effect::Refused | Effect::PerhapsRefused)
}

/// Whether an error of the server's report is this problem.
fn is_about(problem: &Problem, id: &NodeId, error: &ErrorDetail) -> bool {
    if problem.server_type.is_some() || problem.line.node.as_ref() != Some(id) {
        return false;
    }
    let kind = &problem.kind;
    match &error.kind {
        ErrorType::ExceptionDuringValidation | ErrorType::ExceptionDuringInnerValidation => {
            match error.exception_type() {
                Some("KeyError") if error.details == "'inputs'" => *kind == ProblemKind::NoInputs,
                Some("KeyError") => {
                    matches!(kind, ProblemKind::LinkToMissingNode | ProblemKind::MalformedLink)
                        && problem.found.as_ref().is_some_and(|link| names(link, &error.details))
                }
                Some("IndexError") => *kind == ProblemKind::LinkToMissingOutput,
                Some("TypeError") => matches!(kind, ProblemKind::MalformedLink | ProblemKind::MalformedNode),
                _ => false,
            }
        }
        // Cycles that share a node are one problem of it.
        ErrorType::DependencyCycle => *kind == ProblemKind::Reported(ErrorType::DependencyCycle),
        reported => {
            *kind == ProblemKind::Reported(reported.clone())
                && problem.line.input.as_deref() == error.input_name()
        }
    }
}

/// Whether the details of a `KeyError` are the node of a link, as Python quotes it.
fn names(link: &Value, details: &str) -> bool {
    link.get(0).is_some_and(|id| crate::validate::python::repr(id) == details)
}

/// A problem that only the server's report shows, in its words.
fn told(id: &NodeId, node: &NodeError, error: &ErrorDetail, options: &Options<'_>) -> Problem {
    let none = NodeErrors::default();
    let line = Report::new(None, &none).schemas(options.schemas).of_node(id, node, error);
    let kind = match error.exception_type() {
        Some("RecursionError") => ProblemKind::ChainTooLong,
        _ => ProblemKind::Reported(error.kind.clone()),
    };
    let problem = Problem::new(kind, line).with_effect(Effect::Refused);
    Problem { server_type: Some(error.kind.clone()), found: error.received_value().cloned(), ..problem }
}
