//! Checking a prompt as a server does when it is submitted, without the server.
//!
//! [`validate`] answers as `POST /prompt` would: which outputs run, with which values, and what is wrong with the rest, in the
//! server's own words and structure. A server checks little: unknown inputs pass, defaults are not applied, and nodes that
//! feed no output are hardly looked at.
//!
//! ```
//! use comfy_workflow::schema::Schemas;
//! use comfy_workflow::validate::{Options, Titles, Verdict, validate};
//! use serde_json::json;
//!
//! let schemas = Schemas::from_value(json!({
//!     "Sampler": {"input": {"required": {"steps": ["INT", {"min": 1, "max": 100}]}}, "output_node": true}
//! }))?;
//! let prompt = json!({
//!     "3": {"class_type": "Sampler", "inputs": {"steps": 0}, "_meta": {"title": "My sampler"}}
//! });
//! let Verdict::Rejected(rejection) = validate(&prompt, &Options::new(&schemas)) else { unreachable!() };
//! let titles = Titles::from_prompt(&prompt);
//! assert_eq!(
//!     rejection.report().titles(&titles).to_string(),
//!     "node 3 \"My sampler\" (Sampler): input steps: value 0 is smaller than the minimum 1"
//! );
//! # Ok::<(), comfy_workflow::JsonError>(())
//! ```
//!
//! # Limits
//!
//! - What nodes check themselves is known only as far as [`NodeChecks`] says it.
//! - JSON here has no not-a-number and no infinities (they are null), and integers beyond 64 bits are floats; servers keep both.
//!   With [`Options::exact`] they are kept here too.
//! - Servers walk sets whose order differs from process to process. See [`Order`].

mod checks;
mod engine;
mod errors;
mod facts;
mod inspect;
mod killers;
mod links;
mod near;
mod problem;
mod profile;
mod python;
mod replace;
mod report;
mod survey;
mod values;

use std::fmt;

use serde_json::{Map, Value};

pub use checks::{CheckInputs, CheckResult, NoChecks, NodeChecks, Undescribed, Validator};
pub use errors::{ErrorDetail, ErrorType, NodeError, NodeErrors, Rejection};
pub use inspect::inspect;
pub use killers::{Sanitized, dangers, is_nested_too_deep, sanitize};
pub use problem::{Allowed, Effect, Findings, Problem, ProblemKind};
pub use profile::Profile;
pub use replace::Replacements;
pub(crate) use report::write_place;
pub use report::{Line, Report, Titles};

use crate::NodeId;
use crate::schema::Schemas;
pub use crate::severity::Severity;
use engine::Engine;
use survey::Stop;

/// What to validate against.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    schemas: &'a Schemas,
    profile: Profile,
    partial_targets: Option<&'a Value>,
    checks: &'a dyn NodeChecks,
    replacements: Option<&'a Replacements>,
    order: Order,
    exact: bool,
}

impl<'a> Options<'a> {
    /// The newest profile, all outputs, and nodes that check nothing themselves.
    #[must_use]
    pub fn new(schemas: &'a Schemas) -> Self {
        Self {
            schemas,
            profile: Profile::default(),
            partial_targets: None,
            checks: &NoChecks,
            replacements: None,
            order: Order::default(),
            exact: false,
        }
    }

    /// The server version to validate as.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The request's `partial_execution_targets`, of whatever shape: only these output nodes count. Null is as good as none.
    #[must_use]
    pub fn partial_targets(mut self, targets: &'a Value) -> Self {
        self.partial_targets = Some(targets);
        self
    }

    /// What nodes check themselves.
    #[must_use]
    pub fn checks(mut self, checks: &'a dyn NodeChecks) -> Self {
        self.checks = checks;
        self
    }

    /// The server's node replacements, used since 0.30.0.
    #[must_use]
    pub fn replacements(mut self, replacements: &'a Replacements) -> Self {
        self.replacements = Some(replacements);
        self
    }

    /// Keeps numbers that JSON cannot hold as the stand-ins of [`json::exact`](crate::json::exact), also those that come of a
    /// conversion. Stand-ins in the prompt are taken for the numbers in any case.
    #[must_use]
    pub fn exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// In which order to go through outputs and inputs.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("classes", &self.schemas.len())
            .field("profile", &self.profile)
            .field("partial_targets", &self.partial_targets)
            .field("replacements", &self.replacements.is_some())
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// The order in which output nodes, and the inputs of a node, are gone through. It decides the order of a report and, in rare
/// cases, which of two errors is reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// Outputs as in the prompt, inputs as in the description.
    #[default]
    Declared,
    /// As a server started with `PYTHONHASHSEED=0`.
    HashSeedZero,
}

/// A server's answer to a prompt.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The prompt would be queued.
    Accepted(Accepted),
    /// The prompt would be refused with a report (HTTP 400).
    Rejected(Rejection),
    /// The server would fail on the prompt (HTTP 500 and no report).
    Crashed(Crash),
}

/// A prompt that is queued.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Accepted {
    /// The prompt as it is queued: nodes replaced, values converted, wrappers taken off.
    pub prompt: Value,
    /// The output nodes that run.
    pub outputs: Vec<NodeId>,
    /// What is wrong with outputs that do not run. Mostly empty.
    pub node_errors: NodeErrors,
}

/// Why a server fails on a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Crash {
    /// What it stumbles over.
    pub reason: String,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// What a server of the given profile answers to a prompt.
#[must_use]
pub fn validate(prompt: &Value, options: &Options<'_>) -> Verdict {
    let mut prompt = prompt.clone();
    if options.profile.is_modern() {
        let none = Replacements::default();
        let replacements = options.replacements.unwrap_or(&none);
        if let Err(reason) = replacements.apply(&mut prompt, options.schemas) {
            return Verdict::Crashed(Crash { reason });
        }
    }
    match survey::survey(prompt, options) {
        Ok((nodes, outputs)) => check_outputs(nodes, &outputs, options),
        Err(Stop::Crashed(reason)) => Verdict::Crashed(Crash { reason }),
        Err(Stop::Rejected(error)) => Verdict::Rejected(Rejection::new(*error)),
    }
}

fn ordered(names: &[String], order: Order) -> Vec<&String> {
    match order {
        Order::Declared => names.iter().collect(),
        Order::HashSeedZero => {
            python::hash_seed_zero(names).into_iter().filter_map(|index| names.get(index)).collect()
        }
    }
}

/// Most outputs that are named for faulty nodes, all in all. Their number is the product of the two.
const DEPENDENTS: usize = 1_000_000;

fn check_outputs(nodes: Map<String, Value>, outputs: &[String], options: &Options<'_>) -> Verdict {
    let mut engine = Engine::new(nodes, options);
    let mut good = Vec::new();
    let mut node_errors = NodeErrors::default();
    let mut details: Vec<String> = Vec::new();
    let mut spoiled: Vec<NodeId> = Vec::new();
    // How many outputs were spoiled before a faulty node was met, in the order in which nodes were looked at.
    let mut met: Vec<Option<usize>> = Vec::new();
    for output in ordered(outputs, options.order) {
        let result = engine.check_output(output);
        if result.valid {
            good.push(output.clone());
            continue;
        }
        details.extend(result.errors.iter().map(|error| format!("{}: {}", error.message, error.details)));
        met.resize(engine.memo.len(), None);
        for ((id, memo), met) in engine.memo.iter().zip(&mut met) {
            if met.is_none() && !memo.valid && !memo.errors.is_empty() {
                *met = Some(spoiled.len());
                let class_type = engine.nodes.get(id).and_then(|node| node.get("class_type")?.as_str());
                node_errors.entry(id, class_type.unwrap_or_default()).errors.clone_from(&memo.errors);
            }
        }
        spoiled.push(NodeId::from(output.as_str()));
    }
    // A faulty node is said to spoil every bad output from the one on at which it was met, whether it feeds it or not.
    let mut left = DEPENDENTS;
    for (id, met) in engine.memo.keys().zip(met) {
        let Some(outputs) = met.and_then(|met| spoiled.get(met..)) else { continue };
        let outputs = outputs.get(..left).unwrap_or(outputs);
        left -= outputs.len();
        node_errors.entry(id, "").dependent_outputs = outputs.to_vec();
    }
    if good.is_empty() {
        let error = ErrorDetail::new(
            ErrorType::PromptOutputsFailedValidation,
            "Prompt outputs failed validation",
            details.join("\n"),
        );
        return Verdict::Rejected(Rejection { node_errors, ..Rejection::new(error) });
    }
    let outputs = ordered(&good, options.order).into_iter().map(|id| NodeId::from(id.as_str())).collect();
    Verdict::Accepted(Accepted { prompt: Value::Object(engine.nodes), outputs, node_errors })
}

#[cfg(test)]
mod tests;
