//! The validators of the node classes that the recordings use, as far as the recordings show them.

use comfy_workflow::validate::{CheckInputs, CheckResult, NodeChecks, Profile, Undescribed, Validator};
use serde_json::Value;

pub(crate) struct Probes {
    pub(crate) profile: Profile,
}

impl NodeChecks for Probes {
    fn validator(&self, class_type: &str) -> Option<Validator> {
        let classic = || Validator::new(format!("{class_type}.VALIDATE_INPUTS"));
        Some(match class_type {
            "LoadImage" => classic().required("image"),
            "ProbeValidate" => classic().required("mode").required("x"),
            "ProbeV3Validate" => Validator::new("ProbeV3Validate.validate_inputs").required("i"),
            "CustomCombo" if self.profile >= Profile::V0_30_0 => {
                Validator::new("CustomComboNode.validate_inputs").required("choice")
            }
            "TestCustomValidation1" => classic().required("input1").required("input2"),
            "TestCustomValidation2" => classic().required("input1").required("input2").input_types(),
            "TestCustomValidation5" => classic().all(),
            "TestListToAccumulationNode" => classic().input_types(),
            _ => return None,
        })
    }

    fn check(&self, class_type: &str, inputs: &CheckInputs) -> CheckResult {
        let value = |name: &str| inputs.values.get(name).unwrap_or(&Value::Null);
        match class_type {
            "LoadImage" => match value("image") {
                Value::String(name) if name.is_empty() => CheckResult::Passed,
                // Up to 0.8.0 the recording's own package lay there.
                Value::String(name) if name.contains("demo_probe") && self.profile < Profile::V0_30_0 => {
                    CheckResult::Passed
                }
                Value::String(name) => CheckResult::failed(format!("Invalid image file: {name}")),
                other => {
                    let found = match other {
                        Value::Null => "NoneType",
                        Value::Array(_) => "list",
                        _ => "int",
                    };
                    CheckResult::raised(
                        "AttributeError",
                        format!("'{found}' object has no attribute 'endswith'"),
                    )
                }
            },
            "ProbeValidate" => match value("mode").as_str().unwrap_or_default() {
                "true" => CheckResult::Passed,
                "false" => CheckResult::Failed(None),
                "string" => match value("x") {
                    Value::String(text) => CheckResult::failed(format!("x is '{text}' of str")),
                    other => CheckResult::failed(format!("x is {other} of int")),
                },
                "none" => CheckResult::failed("None"),
                "number" => CheckResult::failed("1"),
                "list" => CheckResult::failed("['a']"),
                "raise" => CheckResult::raised("RuntimeError", "validator exploded"),
                other => CheckResult::failed(format!("unknown mode {other}")),
            },
            "ProbeV3Validate" => match value("i").as_i64() {
                Some(i) if i > 5 => CheckResult::failed(format!("{i} is too much")),
                _ => CheckResult::Passed,
            },
            "TestCustomValidation1" if value("input1").is_string() => {
                CheckResult::failed("Invalid type of input1: <class 'str'>")
            }
            "TestCustomValidation2" => match inputs.input_types.get("input1").and_then(Value::as_str) {
                Some("IMAGE" | "FLOAT") | None => CheckResult::Passed,
                Some(other) => CheckResult::failed(format!("Invalid type of input1: {other}")),
            },
            "TestCustomValidation5" if inputs.values.values().any(|value| value.as_f64() == Some(7.0)) => {
                CheckResult::failed("7s are not allowed. I've never liked 7s.")
            }
            "TestListToAccumulationNode" => {
                CheckResult::raised("AttributeError", "'list' object has no attribute 'items'")
            }
            _ => CheckResult::Passed,
        }
    }

    fn undescribed(&self, class_type: &str) -> Option<Undescribed> {
        (class_type == "ProbeBadInputs")
            .then(|| Undescribed::new(true, "RuntimeError", "INPUT_TYPES exploded"))
    }
}
