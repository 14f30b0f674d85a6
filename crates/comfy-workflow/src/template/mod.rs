//! Workflows with parameters, and sweeps over their values.
//!
//! A [`Template`] is a workflow with declared [`Parameter`]s, each of which sets inputs by selectors or stands as a
//! placeholder `{{name}}` in texts. Parameters are declared in code, or in a file beside the workflow ([`TemplateFile`]).
//! Their types, ranges and choices come from the schemas of the nodes where they are not declared, and without schemas
//! from the values that the workflow has.
//!
//! ```
//! use comfy_workflow::schema::Schemas;
//! use comfy_workflow::template::Parameter;
//! use comfy_workflow::{Template, Workflow};
//! use serde_json::json;
//!
//! let workflow: Workflow = r#"{
//!     "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20}},
//!     "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a photo of {{animal}}, {sunny|cloudy}"}}
//! }"#.parse()?;
//! let parameters = [
//!     Parameter::new("animal").with_description("what is in the picture"),
//!     Parameter::new("seed").with_input("KSampler.seed").with_default(7),
//! ];
//! let template = Template::new(workflow, parameters, &Schemas::new())?;
//!
//! let filled = template.fill(json!({"animal": "a fox"}))?;
//! assert_eq!(filled.get("6.text")?, "a photo of a fox, {sunny|cloudy}");
//! assert_eq!(filled.get("3.seed")?, 7);
//!
//! let error = template.fill([("seed", "many"), ("style", "ink")]).unwrap_err();
//! assert_eq!(error.to_string(), "\
//! parameter `animal` is missing: it takes a text (what is in the picture)
//! parameter `seed` takes a number, not `many`
//! parameter `style` is not declared; there are `animal`, `seed`");
//! # Ok::<(), comfy_workflow::Error>(())
//! ```
//!
//! # Placeholders
//!
//! - `{{name}}` or `{{ name }}` with the name of a declared parameter, anywhere in a text of an input, also in texts inside of
//!   lists and objects. Placeholders that are not declared are an error.
//! - A text that is a placeholder and nothing else (`"{{seed}}"`) becomes the value itself, in its own type, and the
//!   parameter takes what the schema of that input says.
//! - `{{'{{'}}` (or with double quotes) stands for two braces: `{{'{{'}}name}}` becomes `{{name}}`. A backslash is no escape, as
//!   ComfyUI's dynamic prompts have their own use for it.
//! - Every other row of braces stays as it is: `{a|b}`, `{{a|b}|c}`, JSON. Placeholders may stand inside of them: `{red|{{color}}}`.
//!
//! A [`Sweep`] gives many values to one or several inputs or parameters and expands to a lazy sequence of workflows.

mod bind;
mod file;
mod json_schema;
mod parameter;
mod placeholder;
mod problem;
mod sweep;
mod values;

use serde_json::Value;

pub use file::TemplateFile;
pub use parameter::{Parameter, ParameterType};
pub use placeholder::Placeholder;
pub(crate) use placeholder::protected;
pub use problem::{Problem, ProblemKind};
pub use sweep::{Sweep, Variant, Variants};
pub use values::{Given, Values};

use self::bind::{Ground, Slot};
use self::placeholder::{places, substitute};
use crate::assign::value::shown;
use crate::schema::Schemas;
use crate::select::nearest;
use crate::workflow::clip;
use crate::{Error, ErrorKind, Target, Workflow};

/// A workflow with declared parameters. See [`template`](self).
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    workflow: Workflow,
    slots: Vec<Slot>,
    /// The inputs with placeholders.
    places: Vec<Target>,
    description: Option<String>,
}

impl Template {
    /// Declares the parameters of a workflow.
    ///
    /// `schemas` say what the inputs take; classes that they do not have are judged by the values that the workflow has.
    ///
    /// # Errors
    /// [`ErrorKind::Template`] with all [problems](Error::problems): a parameter without a proper name, declared twice, of
    /// a type, range or choices that its inputs do not take, with a default that does not fit, or that sets nothing; a
    /// selector that misses or names a link; two parameters for one input; a placeholder that is not declared.
    pub fn new(
        workflow: Workflow,
        parameters: impl IntoIterator<Item = Parameter>,
        schemas: &Schemas,
    ) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let placeholders = workflow.placeholders();
        let ground = Ground { workflow: &workflow, schemas, placeholders: &placeholders };
        let mut slots: Vec<Slot> = Vec::new();
        for parameter in parameters {
            if slots.iter().any(|slot| slot.parameter.name == parameter.name) {
                problems.push(Problem::of(ProblemKind::Conflict, &parameter.name, " is declared twice"));
                continue;
            }
            slots.push(Slot::bind(parameter, ground, &mut problems));
        }
        let places = places(&workflow);
        overlaps(&workflow, &slots, &mut problems);
        for slot in &slots {
            overwritten(&workflow, slot, &places, &mut problems);
        }
        let mut said: Vec<&str> = Vec::new();
        for place in &placeholders {
            let name = place.name.as_str();
            let names = || slots.iter().map(|slot| slot.parameter.name());
            if said.contains(&name) || names().any(|declared| declared == name) {
                continue;
            }
            said.push(name);
            let message = format!(
                "placeholder {{{{{}}}}} in input `{}` of {} is not declared{}; declare the parameter, or write {{{{'{{{{'}}}} for its first braces",
                clip(name),
                clip(&place.target.input),
                workflow.describe(&place.target.node),
                nearest(name, names()),
            );
            problems.push(Problem {
                name: Some(name.to_owned()),
                ..Problem::new(ProblemKind::Undeclared, message)
            });
        }
        if problems.is_empty() {
            Ok(Self { workflow, slots, places, description: None })
        } else {
            Err(Error::of_problems(ErrorKind::Template, problems))
        }
    }

    /// The template with a description of what it makes, for people and for the JSON Schema.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// What it makes, in words for people.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The workflow as it was given, with its placeholders.
    #[must_use]
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// The parameters in the order of their declaration, with what the schemas say of them.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.slots.iter().map(|slot| &slot.parameter)
    }

    /// The parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters().find(|parameter| parameter.name == name)
    }

    /// The workflow with these values for its parameters.
    ///
    /// A parameter that is not given has its default; an [optional](Parameter::optional) one leaves its inputs as they are.
    ///
    /// # Errors
    /// [`ErrorKind::Values`] with all [problems](Error::problems): parameters that are missing or not declared, and values
    /// of the wrong type, out of range, or none of the choices. Each says what is wanted.
    pub fn fill(&self, values: impl Into<Values>) -> Result<Workflow, Error> {
        Ok(self.filled(&self.values_of(&values.into(), &|_| false)?))
    }

    /// A value for each parameter; none for those that leave their inputs as they are, and for those to be `varied`.
    fn values_of(
        &self,
        values: &Values,
        varied: &impl Fn(&str) -> bool,
    ) -> Result<Vec<Option<Value>>, Error> {
        let mut problems = Vec::new();
        if let Some(wrong) = &values.wrong {
            let message =
                format!("the values are {}, not an object with a value for each parameter", shown(wrong));
            problems.push(Problem::new(ProblemKind::Syntax, message));
        }
        let mut taken = Vec::with_capacity(self.slots.len());
        for parameter in self.parameters() {
            let name = parameter.name();
            let given = values.entries.get(name).filter(|given| !given.is_null());
            let value = match given {
                Some(_) if varied(name) => {
                    let reason = " is given a value and swept; do one of them";
                    problems.push(Problem::of(ProblemKind::Conflict, name, reason));
                    None
                }
                Some(given) => match parameter.take(given) {
                    Ok(value) => Some(value),
                    Err(reason) => {
                        problems.push(Problem::of(ProblemKind::InvalidValue, name, reason));
                        None
                    }
                },
                None if parameter.is_required() && !varied(name) && values.wrong.is_none() => {
                    problems.push(parameter.missing());
                    None
                }
                None => parameter.default.clone(),
            };
            taken.push(value);
        }
        for (name, _) in values.given().filter(|(name, _)| self.parameter(name).is_none()) {
            let reason = match nearest(name, self.parameters().map(Parameter::name)) {
                hint if hint.is_empty() => " is not declared; the template has no parameters".to_owned(),
                hint => format!(" is not declared{hint}"),
            };
            problems.push(Problem::of(ProblemKind::Unknown, name, reason));
        }
        if problems.is_empty() { Ok(taken) } else { Err(Error::of_problems(ErrorKind::Values, problems)) }
    }

    /// The workflow with a value for each parameter, which are known to fit.
    fn filled(&self, values: &[Option<Value>]) -> Workflow {
        let mut workflow = self.workflow.clone();
        for (slot, value) in self.slots.iter().zip(values) {
            let Some(value) = value else { continue };
            for target in &slot.targets {
                workflow.put(target, value.clone());
            }
        }
        let lookup = |name: &str| {
            let index = self.slots.iter().position(|slot| slot.parameter.name == name)?;
            values.get(index)?.as_ref()
        };
        for target in &self.places {
            if let Ok(text) = self.workflow.value(target) {
                workflow.put(target, substitute(text, &lookup));
            }
        }
        workflow
    }

    /// What a parameter is when it is not given: the default, or what the workflow has.
    fn value_without<'a>(&'a self, parameter: &'a Parameter) -> Option<&'a Value> {
        if parameter.default.is_some() || !parameter.optional {
            return parameter.default();
        }
        let slot = self.slots.iter().find(|slot| slot.parameter.name == parameter.name)?;
        let mut present = slot.targets.iter().map(|target| self.workflow.value(target).ok());
        let first = present.next()??;
        present.all(|other| other == Some(first)).then_some(first)
    }
}

/// Says which inputs are set by two of the slots.
fn overlaps(workflow: &Workflow, slots: &[Slot], problems: &mut Vec<Problem>) {
    for (index, slot) in slots.iter().enumerate() {
        let earlier = slots[..index].iter().find_map(|other| {
            Some((other, other.targets.iter().find(|target| slot.targets.contains(target))?))
        });
        if let Some((other, target)) = earlier {
            let reason = format!(
                " and `{}` both set input `{}` of {}",
                clip(&other.parameter.name),
                clip(&target.input),
                workflow.describe(&target.node),
            );
            problems.push(Problem::of(ProblemKind::Conflict, &slot.parameter.name, reason));
        }
    }
}

/// Says when a slot sets an input whose text has placeholders, which would be lost.
fn overwritten(workflow: &Workflow, slot: &Slot, places: &[Target], problems: &mut Vec<Problem>) {
    if let Some(target) = slot.targets.iter().find(|target| places.contains(target)) {
        let reason = format!(
            " sets input `{}` of {}, whose text has placeholders; leave one of the two out",
            clip(&target.input),
            workflow.describe(&target.node),
        );
        problems.push(Problem::of(ProblemKind::Conflict, &slot.parameter.name, reason));
    }
}

#[cfg(test)]
mod tests;
