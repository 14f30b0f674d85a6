//! What a declared parameter sets in a workflow, and what it takes there.

use serde_json::{Number, Value};

use super::parameter::{Parameter, ParameterType, check_name};
use super::placeholder::Placeholder;
use super::problem::{Problem, ProblemKind};
use crate::assign::value::{Wanted, check, compare};
use crate::schema::{InputSpec, InputType, Schemas};
use crate::workflow::clip;
use crate::{Error, Target, Workflow};

/// A parameter with all that is known of it, and the inputs that it sets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    pub(super) parameter: Parameter,
    pub(super) targets: Vec<Target>,
}

/// A workflow and what is known of its classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) workflow: &'a Workflow,
    pub(super) schemas: &'a Schemas,
    pub(super) placeholders: &'a [Placeholder],
}

impl Slot {
    /// Finds the inputs of a declared parameter and learns from their schemas. What is wrong is added to `problems`.
    pub(super) fn bind(mut parameter: Parameter, ground: Ground<'_>, problems: &mut Vec<Problem>) -> Self {
        let before = problems.len();
        if let Err(reason) = check_name(&parameter.name) {
            problems.push(Problem::of(ProblemKind::Syntax, &parameter.name, reason));
        }
        check_limits(&parameter, problems);
        let targets = ground.targets(&parameter.inputs.clone(), &mut parameter, problems);
        let uses = || ground.placeholders.iter().filter(|place| place.name == parameter.name);
        let is_placeholder = uses().next().is_some();
        if targets.is_empty() && !is_placeholder && problems.len() == before {
            let name = clip(&parameter.name);
            let reason = format!(
                " sets nothing: give it an `input`, or write {{{{{name}}}}} into a text of the workflow"
            );
            problems.push(Problem::of(ProblemKind::Unused, &parameter.name, reason));
        }
        if parameter.optional && parameter.default.is_none() && is_placeholder {
            let reason = " is optional, but a placeholder needs a value; give it a `default`";
            problems.push(Problem::of(ProblemKind::Missing, &parameter.name, reason));
        }
        let wholes: Vec<Target> =
            uses().filter(|place| place.is_whole_input).map(|place| place.target.clone()).collect();
        for target in wholes {
            ground.learn(&mut parameter, &target, false, problems);
        }
        parameter.kind.get_or_insert_with(|| match (&parameter.default, parameter.choices.is_empty()) {
            (_, false) => ParameterType::Combo,
            (Some(Value::Number(number)), _) if !number.is_f64() => ParameterType::Int,
            (Some(default), _) => ParameterType::of(Some(default)),
            (None, _) if is_placeholder => ParameterType::String,
            (None, _) => ParameterType::Any,
        });
        if problems.len() == before {
            check_default(&mut parameter, problems);
        }
        Self { parameter, targets }
    }

    /// The inputs that a selector names, as if it was a parameter.
    pub(super) fn of_selector(selector: &str, ground: Ground<'_>, problems: &mut Vec<Problem>) -> Self {
        let mut parameter = Parameter::new(selector);
        let targets = ground.targets(&[selector.to_owned()], &mut parameter, problems);
        Self { parameter, targets }
    }
}

impl<'a> Ground<'a> {
    /// The inputs that the selectors name.
    fn targets(
        self,
        selectors: &[String],
        parameter: &mut Parameter,
        problems: &mut Vec<Problem>,
    ) -> Vec<Target> {
        let mut targets = Vec::new();
        for selector in selectors {
            match self.select(selector) {
                Ok(found) => {
                    for target in found {
                        if !targets.contains(&target) {
                            self.learn(parameter, &target, true, problems);
                            targets.push(target);
                        }
                    }
                }
                Err(error) => {
                    let reason = format!(": {error}");
                    problems.push(Problem::of(ProblemKind::Unknown, &parameter.name, reason));
                }
            }
        }
        targets
    }

    /// The inputs that a selector names, all of which can be set.
    fn select(self, selector: &str) -> Result<Vec<Target>, Error> {
        let targets = self.workflow.select(selector)?;
        for target in &targets {
            if self.unchosen(target).is_empty() {
                self.workflow.check_present(target, self.schemas)?;
            }
            self.workflow.check_not_linked(target)?;
        }
        Ok(targets)
    }

    fn spec(self, target: &Target) -> Option<&'a InputSpec> {
        let node = self.workflow.node(target.node.as_str())?;
        let schema = self.schemas.get(&node.class_type)?;
        let resolved = schema.input_for(&target.input, &node.inputs).map(|input| input.spec);
        resolved.or_else(|| match self.unchosen(target).as_slice() {
            [first, others @ ..] if others.iter().all(|other| other == first) => Some(first),
            _ => None,
        })
    }

    /// What an input is with the other choices of dynamic inputs: another parameter may make that choice.
    fn unchosen(self, target: &Target) -> Vec<&'a InputSpec> {
        let node = self.workflow.node(target.node.as_str());
        let schema = node.and_then(|node| self.schemas.get(&node.class_type));
        schema.map(|schema| in_any_option(&schema.inputs, &target.input)).unwrap_or_default()
    }

    /// Adds to a parameter what the schema of an input says, else what its present value shows.
    fn learn(
        self,
        parameter: &mut Parameter,
        target: &Target,
        is_selected: bool,
        problems: &mut Vec<Problem>,
    ) {
        let spec = self.spec(target);
        let mut wanted = Wanted::of(spec);
        let node = self.workflow.node(target.node.as_str());
        let present = node.and_then(|node| node.inputs.get(&target.input));
        // A placeholder shows nothing, and a declared type wins over what a value looks like.
        if is_selected && parameter.kind.is_none() {
            wanted = wanted.or_present(present);
        }
        if let Err(reason) = restrict(parameter, &wanted) {
            let input =
                format!("input `{}` of {}", clip(&target.input), self.workflow.describe(&target.node));
            let reason = format!(" {reason} {input}");
            problems.push(Problem::of(ProblemKind::Conflict, &parameter.name, reason));
        }
        if parameter.description.is_none() {
            let tooltip = spec.and_then(|spec| spec.tooltip()).filter(|tooltip| !tooltip.is_empty());
            parameter.description = tooltip.map(str::to_owned);
        }
    }
}

/// The inputs of this dotted name that dynamic inputs may bring.
fn in_any_option<'a>(specs: &'a [InputSpec], name: &str) -> Vec<&'a InputSpec> {
    let mut found = Vec::new();
    for spec in specs {
        let Some(rest) = name.strip_prefix(&*spec.name) else { continue };
        match (rest.strip_prefix('.'), &spec.kind) {
            (None, _) if rest.is_empty() => found.push(spec),
            (Some(inner), InputType::DynamicCombo(options)) => {
                found.extend(options.iter().flat_map(|option| in_any_option(&option.inputs, inner)));
            }
            (Some(inner), InputType::DynamicSlot(slot)) => found.extend(in_any_option(&slot.inputs, inner)),
            _ => {}
        }
    }
    found
}

/// Holds a parameter to what an input takes. The error is to be followed by the input.
fn restrict(parameter: &mut Parameter, wanted: &Wanted<'_>) -> Result<(), String> {
    if let Some(types) = wanted.link {
        return Err(format!(
            "is no link from an output of type {}, which is what is taken by",
            types.join(" or ")
        ));
    }
    if wanted.kind == ParameterType::Any && wanted.choices.is_empty() {
        return Ok(());
    }
    let declared = parameter.kind.unwrap_or(ParameterType::Any);
    let kind = declared
        .narrower(wanted.kind)
        .ok_or_else(|| format!("is {declared}, which does not fit the {} of", wanted.kind))?;
    let choices: Vec<Value> = match (parameter.choices.is_empty(), wanted.choices.is_empty()) {
        (true, _) => wanted.choices.to_vec(),
        (false, true) => parameter.choices.clone(),
        (false, false) => {
            parameter.choices.iter().filter(|choice| wanted.choices.contains(choice)).cloned().collect()
        }
    };
    let min = outer(parameter.min(), wanted.min, std::cmp::Ordering::Greater);
    let max = outer(parameter.max(), wanted.max, std::cmp::Ordering::Less);
    if let (Some(low), Some(high)) = (&min, &max)
        && compare(low, high) == Some(std::cmp::Ordering::Greater)
    {
        return Err(format!("would be from {low} to {high}, so that no value fits"));
    }
    let narrowed = Parameter {
        kind: Some(kind),
        min: min.map(Value::Number),
        max: max.map(Value::Number),
        choices: Vec::new(),
        ..Parameter::new("")
    };
    let had_choices = !choices.is_empty() || !parameter.choices.is_empty();
    let fitting: Vec<Value> =
        choices.into_iter().filter(|choice| check(choice, &narrowed.as_wanted()).is_ok()).collect();
    if had_choices && fitting.is_empty() {
        return Err("has no choice that is also one of".to_owned());
    }
    parameter.kind = Some(kind);
    parameter.min = narrowed.min;
    parameter.max = narrowed.max;
    parameter.choices = fitting;
    Ok(())
}

/// The one of two limits beyond which neither allows anything.
fn outer(a: Option<&Number>, b: Option<&Number>, beyond: std::cmp::Ordering) -> Option<Number> {
    match (a, b) {
        (Some(a), Some(b)) if compare(b, a) == Some(beyond) => Some(b.clone()),
        (Some(a), _) => Some(a.clone()),
        (None, b) => b.cloned(),
    }
}

/// Whether what was declared makes sense by itself.
fn check_limits(parameter: &Parameter, problems: &mut Vec<Problem>) {
    let mut wrong = |reason: String| {
        problems.push(Problem::of(ProblemKind::InvalidValue, &parameter.name, reason));
    };
    for (key, limit) in [("min", &parameter.min), ("max", &parameter.max)] {
        if let Some(limit) = limit.as_ref().filter(|limit| !limit.is_number()) {
            wrong(format!(" has the {key} {}, which is no number", crate::assign::value::shown(limit)));
        }
    }
    if let (Some(min), Some(max)) = (parameter.min(), parameter.max())
        && compare(min, max) == Some(std::cmp::Ordering::Greater)
    {
        wrong(format!(" has the min {min}, which is larger than its max {max}"));
    }
    let unlimited = Parameter { choices: Vec::new(), ..parameter.clone() };
    for choice in &parameter.choices {
        if let Err(reason) = check(choice, &unlimited.as_wanted()) {
            wrong(format!(" has a choice that does not fit it: it {reason}"));
        }
    }
}

fn check_default(parameter: &mut Parameter, problems: &mut Vec<Problem>) {
    let Some(default) = parameter.default.take() else { return };
    match parameter.take(&default.into()) {
        Ok(value) => parameter.default = Some(value),
        Err(reason) => {
            let reason = format!(" has a default that does not fit it: it{reason}");
            problems.push(Problem::of(ProblemKind::InvalidValue, &parameter.name, reason));
        }
    }
}
