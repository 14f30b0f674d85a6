//! What is known of the checks that classes bring themselves, which no description shows.
//!
//! A class with a check of its own takes the checking of ranges and lists of the inputs that its check names over from the
//! server, and may take over the checking of types. Servers of 0.3.64, 0.8.0 and 0.30.0 were asked about every class that they
//! come with, by giving each of its inputs something wrong: what they did not complain of is in [`waived`]. Of classes that
//! others wrote nothing is known.

use serde_json::Value;

use super::checks::{CheckInputs, CheckResult, NodeChecks, Undescribed, Validator};
use crate::schema::{NodeSchema, Schemas};

/// What to take for granted where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// A class without known checks has none, and files that are not listed are not there.
    Unlikely,
    /// A class without known checks may let anything through.
    Possible,
}

/// The checks that a program brings along, those that are known of the classes of the server itself, and nothing of others.
pub(super) struct Facts<'a> {
    pub(super) own: &'a dyn NodeChecks,
    pub(super) schemas: &'a Schemas,
    pub(super) doubt: Doubt,
}

/// How sure it is that a value which the description forbids is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiver {
    /// The server checks it.
    None,
    /// The class may have a check of its own.
    Perhaps,
    /// The class has a check of its own, which takes a file of the server: one that is listed, or another.
    File,
    /// The class takes anything.
    Full,
}

/// Whether the class comes with the server, and is no partner node: those change from version to version.
pub(super) fn is_known(schema: &NodeSchema) -> bool {
    let module = schema.python_module.as_deref().unwrap_or_default();
    module == "nodes" || module.starts_with("comfy_extras.")
}

/// The inputs of classes of the server that it does not check itself.
fn waived(class_type: &str) -> &'static [&'static str] {
    match class_type {
        "LoadImage" | "LoadImageMask" | "LoadImageOutput" | "WebcamCapture" => &["image"],
        "LoadLatent" => &["latent"],
        "LoadAudio" => &["audio"],
        "LoadVideo" => &["file"],
        "Load3D" | "Load3DAdvanced" | "Load3DAnimation" => &["model_file", "width", "height"],
        "CustomCombo" => &["choice"],
        "SelectModelDevice" | "SelectCLIPDevice" | "SelectVAEDevice" => &["device"],
        _ => &[],
    }
}

/// Whether an input of a class names a file that the class looks for itself.
fn is_file(class_type: &str, input: &str) -> bool {
    waived(class_type).first() == Some(&input) && class_type.starts_with("Load")
}

/// A name that may be that of a file although it is not listed: lists have the files of one folder, without what lies in
/// folders below and in other places (`x.png [output]`).
fn may_lie_elsewhere(name: &str) -> bool {
    name.is_empty() || name.contains(['/', '\\']) || name.ends_with(']')
}

impl Facts<'_> {
    /// How sure it is that what the description of an input forbids is refused.
    pub(super) fn waiver(&self, class_type: &str, input: &str) -> Waiver {
        if let Some(validator) = self.own.validator(class_type) {
            return if validator.takes(input) { Waiver::Full } else { Waiver::None };
        }
        match self.schemas.get(class_type).filter(|schema| is_known(schema)) {
            None => Waiver::Perhaps,
            Some(schema) if is_remote(schema, input) => Waiver::Perhaps,
            Some(_) if is_file(class_type, input) => Waiver::File,
            Some(_) if waived(class_type).contains(&input) => Waiver::Full,
            Some(_) => Waiver::None,
        }
    }

    /// A file that is not listed and does not look like one of another place.
    pub(super) fn is_missing_file(&self, class_type: &str, input: &str, value: &Value) -> bool {
        let schema = self.schemas.get(class_type);
        let choices = schema.and_then(|schema| schema.input(input)).map_or(&[][..], |spec| spec.choices());
        value.as_str().is_some_and(|name| !may_lie_elsewhere(name)) && !choices.contains(value)
    }
}

/// A list that the editor fetches from elsewhere, so that the description has not all of it.
fn is_remote(schema: &NodeSchema, input: &str) -> bool {
    schema.input(input).is_some_and(|spec| spec.is_fetched())
}

impl NodeChecks for Facts<'_> {
    fn validator(&self, class_type: &str) -> Option<Validator> {
        if let Some(validator) = self.own.validator(class_type) {
            return Some(validator);
        }
        let name = format!("{class_type}.VALIDATE_INPUTS");
        match self.schemas.get(class_type).filter(|schema| is_known(schema)) {
            Some(schema) => {
                let remote = schema
                    .inputs
                    .iter()
                    .map(|spec| &*spec.name)
                    .filter(|name| self.doubt == Doubt::Possible && is_remote(schema, name));
                let inputs: Vec<&str> = waived(class_type).iter().copied().chain(remote).collect();
                let validator = Validator::new(name);
                let validator = inputs.iter().fold(validator, |validator, input| validator.optional(*input));
                Some(validator).filter(|_| !inputs.is_empty())
            }
            None if self.doubt == Doubt::Possible => Some(Validator::new(name).all().input_types()),
            None => None,
        }
    }

    fn check(&self, class_type: &str, inputs: &CheckInputs) -> CheckResult {
        if self.own.validator(class_type).is_some() {
            return self.own.check(class_type, inputs);
        }
        let missing = |(input, value): (&String, &Value)| {
            is_file(class_type, input) && self.is_missing_file(class_type, input, value)
        };
        if self.doubt == Doubt::Unlikely
            && let Some((_, name)) = inputs.values.iter().find(|(input, value)| missing((input, value)))
        {
            let what = match class_type {
                "LoadAudio" => "audio",
                "LoadVideo" => "video",
                "LoadLatent" => "latent",
                class if class.starts_with("Load3D") => "3D model",
                _ => "image",
            };
            return CheckResult::failed(format!(
                "Invalid {what} file: {}",
                name.as_str().unwrap_or_default()
            ));
        }
        CheckResult::Passed
    }

    fn undescribed(&self, class_type: &str) -> Option<Undescribed> {
        // A server may have a class that it fails to describe. Its nodes do no harm where no output needs them.
        let perhaps = || {
            let doubted = self.doubt == Doubt::Possible && !self.schemas.contains(class_type);
            doubted.then(Undescribed::default)
        };
        self.own.undescribed(class_type).or_else(perhaps)
    }

    fn has_open_outputs(&self, class_type: &str) -> bool {
        let known = self.schemas.get(class_type).is_some_and(is_known);
        self.own.has_open_outputs(class_type) || self.doubt == Doubt::Possible && !known
    }
}
