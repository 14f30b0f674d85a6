//! The checks that classes bring themselves, for those that are not among the computed ones and for checks that take more than
//! a few named inputs.

use comfy_workflow::validate::{CheckInputs, CheckResult, Undescribed, Validator};
use serde_json::Value as Json;

use crate::python;
use crate::version::ServerVersion;

/// What the check of a class wants to see; `None` for classes without one, or with one that their entry in the list of
/// computed classes names.
pub(crate) fn validator(class_type: &str, version: ServerVersion, test_nodes: bool) -> Option<Validator> {
    let classic = || Validator::new(format!("{class_type}.VALIDATE_INPUTS"));
    match class_type {
        // What can be chosen is up to the node's other inputs.
        "CustomCombo" if version >= ServerVersion::V0_30_0 => {
            Some(Validator::new("CustomComboNode.validate_inputs").required("choice"))
        }
        _ if !test_nodes => None,
        "ProbeValidate" => Some(classic().required("mode").required("x")),
        "ProbeV3Validate" => Some(Validator::new("ProbeV3Validate.validate_inputs").required("i")),
        "TestCustomValidation1" => Some(classic().required("input1").required("input2")),
        "TestCustomValidation2" => Some(classic().required("input1").required("input2").input_types()),
        "TestCustomValidation5" => Some(classic().all()),
        "TestAsyncValidation" => Some(classic().required("value").required("threshold")),
        "TestAsyncValidationError" => Some(classic().required("value").required("max_value")),
        "TestListToAccumulationNode" => Some(classic().input_types()),
        _ => None,
    }
}

/// What the check of a class says.
pub(crate) fn check(class_type: &str, inputs: &CheckInputs) -> CheckResult {
    let value = |name: &str| inputs.values.get(name).unwrap_or(&Json::Null);
    match class_type {
        "ProbeValidate" => probe(value("mode"), value("x")),
        "ProbeV3Validate" => match python::float(value("i")) {
            Some(number) if number < 5.0 => CheckResult::Passed,
            _ => CheckResult::failed(format!("{} is too much", python::python_text(value("i")))),
        },
        "TestCustomValidation1" if value("input1").is_string() => {
            CheckResult::failed("Invalid type of input1: <class 'str'>")
        }
        "TestCustomValidation2" => match inputs.input_types.get("input1").and_then(Json::as_str) {
            Some("IMAGE" | "FLOAT") | None => CheckResult::Passed,
            Some(other) => CheckResult::failed(format!("Invalid type of input1: {other}")),
        },
        "TestCustomValidation5" if inputs.values.values().any(|value| value.as_f64() == Some(7.0)) => {
            CheckResult::failed("7s are not allowed. I've never liked 7s.")
        }
        "TestAsyncValidation" => at_most(value("value"), value("threshold"), |value, most| {
            format!("Value {value} exceeds threshold {most}")
        }),
        "TestAsyncValidationError" => at_most(value("value"), value("max_value"), |value, most| {
            format!("Async validation failed: {value} > {most}")
        }),
        "TestListToAccumulationNode" => {
            CheckResult::raised("AttributeError", "'list' object has no attribute 'items'")
        }
        _ => CheckResult::Passed,
    }
}

/// A check that a number is no larger than another; `words` say that it is.
fn at_most(value: &Json, most: &Json, words: fn(&str, &str) -> String) -> CheckResult {
    let larger = value.as_f64().zip(most.as_f64()).is_some_and(|(value, most)| value > most);
    if !larger {
        return CheckResult::Passed;
    }
    CheckResult::failed(words(&python::python_text(value), &python::python_text(most)))
}

/// A check that answers what it is told to.
fn probe(mode: &Json, x: &Json) -> CheckResult {
    if let Json::Array(_) | Json::Object(_) = mode {
        return CheckResult::raised("TypeError", format!("unhashable type: '{}'", python::type_name(mode)));
    }
    match python::python_text(mode).as_str() {
        "true" => CheckResult::Passed,
        "false" => CheckResult::Failed(None),
        "string" => {
            CheckResult::failed(format!("x is {} of {}", python::python_repr(x), python::type_name(x)))
        }
        "none" => CheckResult::failed("None"),
        "number" => CheckResult::failed("1"),
        "list" => CheckResult::failed("['a']"),
        "raise" => CheckResult::raised("RuntimeError", "validator exploded"),
        other => CheckResult::failed(format!("unknown mode {other}")),
    }
}

/// A class that is there and in no description, since describing it fails.
pub(crate) fn undescribed(class_type: &str, test_nodes: bool) -> Option<Undescribed> {
    (test_nodes && class_type == "ProbeBadInputs")
        .then(|| Undescribed::new(true, "RuntimeError", "INPUT_TYPES exploded"))
}
