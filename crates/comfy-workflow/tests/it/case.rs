//! A recorded prompt with its answer, and the comparison of a verdict with it.

use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::{
    Accepted, NodeErrors, Options, Order, Profile, Rejection, Replacements, Verdict, validate,
};
use serde_json::{Value, json};

use crate::probes::Probes;

/// What a server of some version has.
pub(crate) struct Server {
    pub(crate) profile: Profile,
    pub(crate) schemas: Schemas,
    pub(crate) replacements: Replacements,
}

/// What became of a comparison.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Equal, and even in the same order.
    Exact,
    /// Equal but for the order of what has none.
    Equal,
    /// What was expected, and what came.
    Different(String, String),
}

impl Server {
    /// Validates the prompt of a recorded case and compares the verdict with the recorded answer.
    pub(crate) fn compare(&self, case: &Value) -> Outcome {
        let probes = Probes { profile: self.profile };
        let targets = case.pointer("/extra/partial_execution_targets").cloned().unwrap_or_default();
        let options = Options::new(&self.schemas)
            .profile(self.profile)
            .partial_targets(&targets)
            .checks(&probes)
            .replacements(&self.replacements)
            .order(Order::HashSeedZero);
        let verdict = validate(&case["prompt"], &options);
        let found = answer(&verdict);
        let expected = recorded(case);
        // As texts: objects are equal in any order.
        let texts = [found.to_string(), without_tracebacks(expected.clone()).to_string()];
        if texts[0] == texts[1] {
            return Outcome::Exact;
        }
        let (expected, found) = (unordered(expected), unordered(found));
        if expected == found {
            return Outcome::Equal;
        }
        Outcome::Different(expected.to_string(), found.to_string())
    }
}

/// The verdict in the form of a recording.
fn answer(verdict: &Verdict) -> Value {
    without_tracebacks(match verdict {
        Verdict::Accepted(Accepted { prompt, outputs, node_errors, .. }) => {
            let inputs: serde_json::Map<String, Value> = prompt
                .as_object()
                .unwrap()
                .iter()
                .map(|(id, node)| (id.clone(), node.get("inputs").cloned().unwrap_or_default()))
                .collect();
            let mut outputs: Vec<&str> = outputs.iter().map(comfy_workflow::NodeId::as_str).collect();
            outputs.sort_unstable();
            json!({"status": 200, "node_errors": node_errors, "outputs": outputs, "inputs": inputs})
        }
        Verdict::Rejected(rejection) => {
            let mut answer = json!({"status": 400});
            let Value::Object(body) = serde_json::to_value(rejection).unwrap() else { unreachable!() };
            answer.as_object_mut().unwrap().extend(body);
            answer
        }
        Verdict::Crashed(_) => json!({"status": 500}),
        other => panic!("{other:?}"),
    })
}

fn recorded(case: &Value) -> Value {
    let response = &case["response"];
    match case["status"].as_u64() {
        Some(200) => json!({
            "status": 200,
            "node_errors": response["node_errors"],
            "outputs": case["queued"]["outputs_to_execute"],
            "inputs": case["queued"]["inputs"],
        }),
        Some(400) => {
            json!({"status": 400, "error": response["error"], "node_errors": response["node_errors"]})
        }
        Some(500) => json!({"status": 500}),
        other => panic!("status {other:?}"),
    }
}

/// Reads the report of a recorded case into the typed form and writes it again.
pub(crate) fn round_trip(case: &Value) -> Option<(Value, Value)> {
    let response = case.get("response")?;
    if case["status"] == 400 {
        let rejection: Rejection = serde_json::from_value(response.clone()).unwrap();
        return Some((response.clone(), serde_json::to_value(rejection).unwrap()));
    }
    let errors = response.get("node_errors")?;
    let typed: NodeErrors = serde_json::from_value(errors.clone()).unwrap();
    Some((errors.clone(), serde_json::to_value(typed).unwrap()))
}

fn each_error(answer: &mut Value, mut change: impl FnMut(&mut Value)) {
    let nodes = answer.get_mut("node_errors").and_then(Value::as_object_mut);
    for node in nodes.into_iter().flat_map(|nodes| nodes.values_mut()) {
        change(node);
    }
}

/// Tracebacks hold paths and line numbers of the server.
fn without_tracebacks(mut answer: Value) -> Value {
    each_error(&mut answer, |node| {
        for error in node["errors"].as_array_mut().unwrap() {
            if let Some(info) = error["extra_info"].as_object_mut() {
                info.shift_remove("traceback");
            }
        }
    });
    answer
}

/// With all that has no order sorted.
fn unordered(answer: Value) -> Value {
    let mut answer = without_tracebacks(answer);
    each_error(&mut answer, |node| {
        node["errors"].as_array_mut().unwrap().sort_by_key(Value::to_string);
        node["dependent_outputs"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    });
    if let Some(Value::String(details)) = answer.pointer_mut("/error/details") {
        let mut lines: Vec<&str> = details.split('\n').collect();
        lines.sort_unstable();
        *details = lines.join("\n");
    }
    answer
}
