use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::schema::tests::any_json;

fn schemas() -> Schemas {
    Schemas::from_value(json!({
        "Source": {"input": {"required": {"n": ["INT", {"min": 0, "max": 9}]}}, "output": ["IMAGE", "INT"]},
        "Pass": {"input": {"required": {"a": ["IMAGE"]}, "optional": {"b": ["IMAGE,MASK"], "c": ["*"]}}, "output": ["IMAGE"]},
        "Show": {"input": {"required": {"a": ["IMAGE"]}}, "output_node": true},
        "Types": {"input": {"optional": {"s": ["STRING"], "f": ["FLOAT"], "b": ["BOOLEAN"], "i": ["INT"], "l": [["x", 1]]}},
            "output_node": true},
    }))
    .unwrap()
}

fn run(prompt: &Value, change: impl Fn(Options<'_>) -> Options<'_>) -> Verdict {
    let schemas = schemas();
    let options = change(Options::new(&schemas));
    validate(prompt, &options)
}

fn rejection(verdict: Verdict) -> Rejection {
    match verdict {
        Verdict::Rejected(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

fn accepted(verdict: Verdict) -> Accepted {
    match verdict {
        Verdict::Accepted(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

fn kinds(rejection: &Rejection, id: &str) -> Vec<String> {
    rejection.node_errors.get(id).unwrap().errors.iter().map(|error| error.kind.to_string()).collect()
}

#[test]
fn values_are_converted_in_the_accepted_prompt() {
    let prompt = json!({"1": {"class_type": "Types", "inputs":
        {"s": 5, "f": "1.5", "b": "no", "i": 64.9, "l": {"__value__": 1}, "unknown": {"__value__": 1}}}});
    let accepted = accepted(run(&prompt, |options| options));
    assert_eq!(
        accepted.prompt["1"]["inputs"],
        json!({"s": "5", "f": 1.5, "b": true, "i": 64, "l": 1, "unknown": {"__value__": 1}})
    );
    assert_eq!(accepted.outputs, ["1"]);
}

#[test]
fn an_output_in_order_runs_though_another_is_not() {
    let prompt = json!({
        "1": {"class_type": "Source", "inputs": {"n": 1}},
        "2": {"class_type": "Show", "inputs": {"a": ["1", 0]}},
        "3": {"class_type": "Show", "inputs": {"a": ["1", 1]}},
    });
    let accepted = accepted(run(&prompt, |options| options));
    assert_eq!(accepted.outputs, ["2"]);
    assert_eq!(
        accepted.node_errors.to_string(),
        "node 3 (Show): input a: takes IMAGE, but output 1 of node 1 gives INT"
    );
}

#[test]
fn nodes_that_feed_no_output_are_not_checked() {
    let prompt = json!({
        "1": {"class_type": "Source", "inputs": {"n": 1}},
        "2": {"class_type": "Show", "inputs": {"a": ["1", 0]}},
        "3": {"class_type": "Source", "inputs": {"n": 99}},
        "4": {"class_type": "Pass"},
    });
    assert!(accepted(run(&prompt, |options| options)).node_errors.is_empty());
}

#[test]
fn only_the_outputs_asked_for_count() {
    let prompt = json!({
        "1": {"class_type": "Source", "inputs": {"n": 1}},
        "2": {"class_type": "Show", "inputs": {"a": ["1", 0]}},
        "3": {"class_type": "Show", "inputs": {}},
    });
    let with = |targets: Value| {
        let schemas = schemas();
        validate(&prompt, &Options::new(&schemas).partial_targets(&targets))
    };
    assert_eq!(accepted(with(json!(["2"]))).outputs, ["2"]);
    assert_eq!(rejection(with(json!(["1"]))).error.kind, ErrorType::PromptNoOutputs);
    assert_eq!(rejection(with(json!(["3"]))).node_errors.len(), 1);
    assert!(matches!(with(json!(true)), Verdict::Crashed(_)));
}

#[test]
fn overlapping_cycles_are_reported_once_per_node() {
    let prompt = json!({
        "t": {"class_type": "Pass", "inputs": {"a": ["u", 0]}},
        "u": {"class_type": "Pass", "inputs": {"a": ["v", 0]}},
        "v": {"class_type": "Pass", "inputs": {"a": ["u", 0], "b": ["t", 0]}},
        "4": {"class_type": "Show", "inputs": {"a": ["t", 0]}},
    });
    let rejection = rejection(run(&prompt, |options| options));
    for id in ["t", "u", "v"] {
        let [error] = rejection.node_errors.get(id).unwrap().errors.as_slice() else {
            panic!("{rejection:?}")
        };
        assert_eq!(error.details, "t (Pass) -> u (Pass) -> v (Pass) -> t (Pass)");
    }
}

#[test]
fn a_node_of_a_cycle_keeps_its_other_errors() {
    let prompt = json!({
        "1": {"class_type": "Pass", "inputs": {"b": ["1", 0]}},
        "4": {"class_type": "Show", "inputs": {"a": ["1", 0]}},
    });
    let modern = rejection(run(&prompt, |options| options));
    assert_eq!(kinds(&modern, "1"), ["dependency_cycle", "required_input_missing"]);
    let older = rejection(run(&prompt, |options| options.profile(Profile::V0_8_0)));
    assert_eq!(kinds(&older, "1"), ["required_input_missing"]);
}

#[test]
fn a_cycle_says_nothing_before_it_was_detected() {
    let prompt = json!({
        "1": {"class_type": "Pass", "inputs": {"a": ["1", 0]}},
        "4": {"class_type": "Show", "inputs": {"a": ["1", 0]}},
    });
    let rejection = rejection(run(&prompt, |options| options.profile(Profile::V0_3_64)));
    assert_eq!(rejection.error.kind, ErrorType::PromptOutputsFailedValidation);
    assert!(rejection.node_errors.is_empty());
    assert!(rejection.to_string().contains("cycle"));
}

#[test]
fn a_chain_of_any_length_ends_at_the_servers_depth() {
    let mut prompt = json!({"0": {"class_type": "Source", "inputs": {"n": 1}}});
    for node in 1..100_000_u32 {
        prompt[node.to_string()] =
            json!({"class_type": "Pass", "inputs": {"a": [(node - 1).to_string(), 0]}});
    }
    prompt["s"] = json!({"class_type": "Show", "inputs": {"a": ["99999", 0]}});
    let rejection = rejection(run(&prompt, |options| options));
    let (_, node) = rejection.node_errors.iter().next().unwrap();
    assert_eq!(node.errors[0].exception_type(), Some("RecursionError"));
}

#[test]
fn a_replaced_node_is_queued_as_its_new_class() {
    let replacements = Replacements::from_value(&json!({"Old": [{
        "new_node_id": "Pass", "old_node_id": "Old",
        "input_mapping": [{"new_id": "a", "old_id": "image"}, {"new_id": "c", "set_value": 3}],
        "output_mapping": [{"old_idx": 2, "new_idx": 0}],
    }]}));
    let schemas = schemas();
    let check = |inputs: Value, meta: Value| {
        let prompt = json!({
            "1": {"class_type": "Source", "inputs": {"n": 1}},
            "2": {"class_type": "Old", "inputs": inputs, "_meta": meta},
            "3": {"class_type": "Show", "inputs": {"a": ["2", 2]}},
        });
        validate(&prompt, &Options::new(&schemas).replacements(&replacements))
    };
    let accepted = accepted(check(json!({"image": ["1", 0], "gone": 1}), json!({})));
    assert_eq!(
        accepted.prompt["2"],
        json!({"class_type": "Pass", "inputs": {"a": ["1", 0], "c": 3}, "_meta": {}})
    );
    assert_eq!(accepted.prompt["3"]["inputs"]["a"], json!(["2", 0]));
    assert!(matches!(check(json!({}), json!({})), Verdict::Crashed(_)));
    assert!(matches!(check(json!({"image": 1}), Value::Null), Verdict::Crashed(_)));
}

#[test]
fn versions_map_to_the_nearest_older_profile() {
    for (version, profile) in [
        ("0.3.64", Profile::V0_3_64),
        ("v0.3.10", Profile::V0_3_64),
        ("0.8.0", Profile::V0_8_0),
        ("0.29.5", Profile::V0_8_0),
        ("0.30.0", Profile::V0_30_0),
        ("0.38.1", Profile::V0_30_0),
        ("1.0", Profile::V0_30_0),
        ("nightly", Profile::V0_30_0),
    ] {
        assert_eq!(Profile::for_version(version), profile, "{version}");
    }
}

struct Loader;

impl NodeChecks for Loader {
    fn validator(&self, class_type: &str) -> Option<Validator> {
        (class_type == "Types").then(|| Validator::new("Types.VALIDATE_INPUTS").required("i").optional("s"))
    }

    fn check(&self, _: &str, inputs: &CheckInputs) -> CheckResult {
        match inputs.values.get("i").and_then(Value::as_i64) {
            Some(7) => CheckResult::failed("no sevens"),
            Some(8) => CheckResult::Failed(None),
            Some(9) => CheckResult::raised("ValueError", "nine"),
            _ => CheckResult::Passed,
        }
    }
}

#[test]
fn nodes_check_their_own_values() {
    let check = |inputs: Value| {
        let prompt = json!({"1": {"class_type": "Types", "inputs": inputs}});
        run(&prompt, |options| options.checks(&Loader))
    };
    assert!(matches!(check(json!({"i": 1, "l": "x"})), Verdict::Accepted(_)));
    assert_eq!(
        rejection(check(json!({"i": 7, "s": "t"}))).to_string(),
        "node 1 (Types): input i: no sevens\nnode 1 (Types): input s: no sevens"
    );
    assert_eq!(rejection(check(json!({"i": 8}))).node_errors.get("1").unwrap().errors[0].details, "i");
    assert_eq!(rejection(check(json!({"i": 9}))).error.details, "Exception when validating node: nine");
    assert_eq!(
        rejection(check(json!({}))).error.details,
        "Exception when validating node: Types.VALIDATE_INPUTS() missing 1 required positional argument: 'i'"
    );
}

const PROFILES: [Profile; 3] = [Profile::V0_3_64, Profile::V0_8_0, Profile::V0_30_0];

/// Prompts that get past the first look more often than not.
fn any_prompt() -> impl Strategy<Value = Value> {
    let class = proptest::sample::select(&["Source", "Pass", "Show", "Types", "A", "B"][..]);
    let link = (1..4_u8, -1..3_i8).prop_map(|(node, slot)| json!([node.to_string(), slot]));
    let name = proptest::sample::select(&["n", "a", "b", "c", "s", "f", "i", "l", "x", "x.y"][..]);
    let inputs = proptest::collection::vec((name, prop_oneof![link, any_json()]), 0..5).prop_map(|inputs| {
        inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()
    });
    let node = (class, inputs).prop_map(|(class, inputs)| json!({"class_type": class, "inputs": inputs}));
    let nodes = proptest::collection::vec(prop_oneof![9 => node, 1 => any_json()], 1..5);
    nodes.prop_map(|nodes| (1..).map(|id: u8| id.to_string()).zip(nodes).collect::<Map<_, _>>().into())
}

proptest! {
    #[test]
    fn no_prompt_and_no_description_make_validation_panic(
        prompt in prop_oneof![any_prompt(), any_json()],
        info in any_json(),
        targets in any_json(),
    ) {
        let mut schemas = schemas();
        schemas.insert(crate::schema::NodeSchema::from_value("A", info.clone()));
        schemas.insert(crate::schema::NodeSchema::from_value("B", json!({"input": info, "output_node": true})));
        let replacements = Replacements::from_value(&json!({"A": info}));
        for profile in PROFILES {
            for order in [Order::Declared, Order::HashSeedZero] {
                let options = Options::new(&schemas).profile(profile).order(order).replacements(&replacements);
                if let Verdict::Rejected(rejection) = validate(&prompt, &options) {
                    prop_assert!(!rejection.report().schemas(&schemas).to_string().is_empty());
                }
                let _ = validate(&prompt, &options.partial_targets(&targets));
            }
        }
    }

    #[test]
    fn what_was_accepted_is_accepted_again_and_stays_as_it_is(prompt in any_prompt()) {
        for profile in PROFILES {
            if let Verdict::Accepted(first) = run(&prompt, |options| options.profile(profile)) {
                // A list that came out of a wrapper looks like a link the second time.
                prop_assume!(!prompt.to_string().contains("__value__"));
                let second = accepted(run(&first.prompt, |options| options.profile(profile)));
                prop_assert_eq!(first.outputs, second.outputs);
                prop_assert_eq!(first.prompt, second.prompt);
            }
        }
    }
}

#[test]
fn a_problem_is_written_with_its_own_kind() {
    let schemas = schemas();
    let prompt = json!({
        "1": {"class_type": "Shw", "inputs": {}},
        "2": {"class_type": "Show", "inputs": {"a": ["9", 0], "z": 1}},
    });
    let problems = inspect(&prompt, &Options::new(&schemas)).problems;
    let kinds: Vec<&str> = problems.iter().map(|problem| problem.kind.as_str()).collect();
    assert_eq!(kinds, ["missing_node_type", "link_to_missing_node", "undeclared_input"]);
    for problem in problems {
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(text.matches("\"kind\":").count(), 1, "{text}");
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written["kind"], problem.kind.as_str());
        assert_eq!(written["message"], problem.line.text);
        assert_eq!(written["node"], problem.line.node.unwrap().as_str());
    }
}

#[test]
fn thousands_of_bad_outputs_do_not_multiply() {
    let schemas = schemas();
    let nodes = (0..3_000).map(|id| (id.to_string(), json!({"class_type": "Show", "inputs": {}})));
    let findings = inspect(&Value::Object(nodes.collect()), &Options::new(&schemas));
    assert_eq!(findings.errors().count(), 3_000);
    let Verdict::Rejected(rejection) = &findings.verdict else { panic!("{:?}", findings.verdict) };
    let dependents = |id: &str| {
        let node = rejection.node_errors.get(id).unwrap();
        (node.errors.len(), node.dependent_outputs.len())
    };
    assert_eq!((dependents("0"), dependents("2999")), ((1, 3_000), (1, 0)), "the last ones are left out");
}
