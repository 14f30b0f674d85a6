//! All problems of a prompt at once, also where a server stops or does not look.

mod agree;
mod cycles;
mod links;
mod node;
mod reach;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::facts::{Doubt, Facts};
use super::problem::{Effect, Findings, Problem};
use super::{Line, Options, Replacements, Titles, Verdict, validate};
use crate::schema::Comparisons;
use node::Look;
use reach::Reach;
pub(super) use reach::reached;

/// Finds all problems of a prompt, each with its node and input, with what is allowed, and with what may have been meant.
///
/// A server stops early: at the first class that it does not have, at the first fault of an input, at a link that leads
/// nowhere; and it hardly looks at nodes that feed no output. Here every input of every node is looked at. What the server
/// will say is in [`Findings::verdict`], and for every problem in [`Problem::server_type`].
///
/// Descriptions do not tell what classes check themselves: what such a check may let through is told as
/// [`Effect::PerhapsRefused`], and does not count for [`Findings::certain`]. Of the classes that come with the server it is
/// known; [`Options::checks`] adds to that. Since 0.30.0 a class that is not there may be replaced by another one, which only
/// [`Options::replacements`] tell.
///
/// Names that may have been meant are looked for until some hundred thousand were compared: after thousands of wrong names
/// there are no more suggestions.
///
/// ```
/// use comfy_workflow::schema::Schemas;
/// use comfy_workflow::validate::{Options, inspect};
/// use serde_json::json;
///
/// let schemas = Schemas::from_value(json!({
///     "Sampler": {
///         "input": {"required": {"sampler": [["euler", "euler_ancestral"]], "steps": ["INT", {"min": 1}]}},
///         "output_node": true
///     }
/// }))?;
/// let prompt = json!({
///     "3": {"class_type": "Sampler", "inputs": {"sampler": "euler_ancestal", "steps": 0}}
/// });
/// let findings = inspect(&prompt, &Options::new(&schemas));
/// assert!(findings.is_rejected());
/// assert_eq!(
///     findings.to_string(),
///     "node 3 (Sampler): input sampler: \"euler_ancestal\" is not one of \"euler\", \"euler_ancestral\"; \
///      did you mean \"euler_ancestral\"?\n\
///      node 3 (Sampler): input steps: value 0 is smaller than the minimum 1"
/// );
/// # Ok::<(), comfy_workflow::JsonError>(())
/// ```
#[must_use]
pub fn inspect(prompt: &Value, options: &Options<'_>) -> Findings {
    let facts = |doubt| Facts { own: options.checks, schemas: options.schemas, doubt };
    let (likely, doubtful) = (facts(Doubt::Unlikely), facts(Doubt::Possible));
    let verdict = validate(prompt, &options.checks(&likely));
    let certain = is_certain(&validate(prompt, &options.checks(&doubtful)), prompt, options);
    let mut prompt = prompt.clone();
    if options.profile.is_modern()
        && let Some(replacements) = options.replacements
    {
        let mut replaced = prompt.clone();
        if Replacements::apply(replacements, &mut replaced, options.schemas).is_ok() {
            prompt = replaced;
        }
    }
    let none = Map::new();
    let nodes = prompt.as_object().unwrap_or(&none);
    let titles = Titles::from_prompt(&prompt);
    let options = options.checks(&likely);
    let reach = Reach::new(nodes, &options);
    let comparisons = &Comparisons::default();
    let mut problems = Vec::new();
    for (id, node) in nodes {
        let look = Look {
            id,
            nodes,
            options: &options,
            likely: &likely,
            doubtful: &doubtful,
            reach: &reach,
            comparisons,
        };
        look.at(node, &mut problems);
    }
    cycles::find(nodes, &options, &reach, &mut problems);
    agree::with_the_server(&verdict, &options, &mut problems);
    for problem in &mut problems {
        problem.line.title =
            problem.line.node.as_ref().and_then(|id| titles.get(id.as_str())).map(str::to_owned);
    }
    let places: HashMap<&str, usize> =
        nodes.keys().enumerate().map(|(at, id)| (id.as_str(), at + 1)).collect();
    let place = |line: &Line| line.node.as_ref().and_then(|id| places.get(id.as_str()).copied());
    problems.sort_by_key(|problem: &Problem| place(&problem.line).unwrap_or(0));
    Findings { problems, verdict, certain }
}

/// Whether a verdict that grants every class all that a check of its own might let through is a refusal, and one that no
/// replacement of a class can turn.
fn is_certain(verdict: &Verdict, prompt: &Value, options: &Options<'_>) -> bool {
    let is_unknown = |node: &Value| {
        let class_type = node.get("class_type").and_then(Value::as_str);
        class_type.is_some_and(|class_type| !options.schemas.contains(class_type))
    };
    let may_be_replaced = options.profile.is_modern()
        && options.replacements.is_none()
        && prompt.as_object().into_iter().flatten().any(|(_, node)| is_unknown(node));
    !matches!(verdict, Verdict::Accepted(_)) && !may_be_replaced
}

/// What comes of something that the server refuses on sight.
fn refusal(reached: bool, certain: bool) -> Effect {
    match (reached, certain) {
        (false, _) => Effect::None,
        (true, true) => Effect::Refused,
        (true, false) => Effect::PerhapsRefused,
    }
}
