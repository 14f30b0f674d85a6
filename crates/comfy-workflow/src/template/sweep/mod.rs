//! Many values for the same inputs, and the workflows that they make.

mod label;
mod parse;
mod plan;
mod range;
mod rows;
mod variants;

use std::str::FromStr;

pub use variants::{Variant, Variants};

use self::plan::{Axis, Item, Plan};
use super::problem::{Problem, ProblemKind};
use super::{Given, Template, Values};
use crate::schema::Schemas;
use crate::workflow::clip;
use crate::{Error, ErrorKind, Workflow};

/// Values to go through, for inputs (by selectors) or for the parameters of a [`Template`].
///
/// One input or parameter with its values ([`parse`](Self::parse), [`of`](Self::of)), or a table of rows
/// ([`from_rows`](Self::from_rows)); and of several sweeps, every combination ([`product`](Self::product)) or one after the
/// other side by side ([`zip`](Self::zip)). A sweep is a plan: workflows are made one by one when they are asked for.
///
/// ```
/// use comfy_workflow::Workflow;
/// use comfy_workflow::schema::Schemas;
/// use comfy_workflow::template::Sweep;
///
/// let workflow: Workflow =
///     r#"{"3": {"class_type": "KSampler", "inputs": {"seed": 0, "cfg": 8.0, "sampler_name": "euler"}}}"#.parse()?;
/// let sweep = Sweep::parse("KSampler.seed=1..8")?.product(Sweep::parse("KSampler.cfg=4,6.5")?);
/// assert_eq!(sweep.count(), 16);
///
/// let mut variants = sweep.variants(&workflow, &Schemas::new())?;
/// assert_eq!(variants.len(), 16);
/// let second = variants.nth(1).unwrap();
/// assert_eq!(second.label, "seed=1,cfg=6.5");
/// assert_eq!(second.workflow.get("3.cfg")?, 6.5);
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    plan: Plan,
}

impl Sweep {
    /// Reads `KEY=VALUES`, where KEY is a selector or the name of a parameter.
    ///
    /// VALUES are divided by commas. Each is
    /// - a range `1..8` or `0.5..1.5..0.25` (with a step), both ends included, up or down; exact, without the drift of floats;
    /// - a text in double quotes, in which `\"` and `\\` stand for `"` and `\`: `"red, blue"`, `"1..8"`;
    /// - else a text as it stands, without the spaces around it. An empty one is the empty text.
    ///
    /// Texts and ranges take the type of the input. `KEY:=JSON` gives a JSON list of values that have their types:
    /// `8.sizes:=[[1, 2], [3, 4]]`.
    ///
    /// # Errors
    /// [`ErrorKind::Sweep`] when `text` is not of this form.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let axis = parse::axis(text).map_err(|reason| {
            let message = format!(
                "`{}` is no sweep: {reason}; it has the form KEY=VALUES, such as `KSampler.seed=1..8` or `KSampler.cfg=4,6,8`",
                clip(text)
            );
            Error::of_problems(ErrorKind::Sweep, vec![Problem::new(ProblemKind::Syntax, message)])
        })?;
        Ok(Self { plan: Plan::Axis(axis) })
    }

    /// These values for the input or parameter of this name.
    #[must_use]
    pub fn of<V: Into<Given>>(key: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let items = values.into_iter().map(|value| Item::One(value.into())).collect();
        Self { plan: Plan::Axis(Axis::new(key.into(), items)) }
    }

    /// Reads a table: CSV whose first row names selectors or parameters, or JSON objects, one a line or in a list.
    ///
    /// Which it is shows the first character. A cell of CSV takes the type of its input, and leaves the input as it is if it
    /// is empty; values of JSON have their types, and leave it if they are null or left out.
    ///
    /// # Errors
    /// [`ErrorKind::Sweep`] with all [problems](Error::problems), each with its row and line.
    pub fn from_rows(bytes: &[u8]) -> Result<Self, Error> {
        let rows = rows::read(bytes).map_err(|problems| Error::of_problems(ErrorKind::Sweep, problems))?;
        Ok(Self { plan: Plan::Rows(rows) })
    }

    /// Every combination of the values of both; those of `other` change faster.
    #[must_use]
    pub fn product(self, other: Self) -> Self {
        let mut plans = match self.plan {
            Plan::Product(plans) => plans,
            plan => vec![plan],
        };
        plans.push(other.plan);
        Self { plan: Plan::Product(plans) }
    }

    /// The values of both side by side: the first with the first, the second with the second.
    ///
    /// # Errors
    /// [`ErrorKind::Sweep`] when they have not equally many.
    pub fn zip(self, other: Self) -> Result<Self, Error> {
        let (ours, theirs) = (self.count(), other.count());
        if ours != theirs {
            let names = |sweep: &Self| {
                sweep.keys().map(|key| format!("`{}`", clip(key))).collect::<Vec<_>>().join(", ")
            };
            let message = format!(
                "{} has {ours} values and {} has {theirs}; side by side there must be equally many",
                names(&self),
                names(&other)
            );
            let problem = Problem::new(ProblemKind::Conflict, message);
            return Err(Error::of_problems(ErrorKind::Sweep, vec![problem]));
        }
        let mut plans = match self.plan {
            Plan::Zip(plans) => plans,
            plan => vec![plan],
        };
        plans.push(other.plan);
        Ok(Self { plan: Plan::Zip(plans) })
    }

    /// How many workflows it makes; 2^128-1 if there are more.
    #[must_use]
    pub fn count(&self) -> u128 {
        self.plan.count()
    }

    /// The selectors and parameters that it goes through.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.plan.keys().into_iter()
    }

    /// The workflows that it makes of `workflow`. Keys are selectors.
    ///
    /// All values are checked before the first workflow is made.
    ///
    /// # Errors
    /// [`ErrorKind::Sweep`] with all [problems](Error::problems): selectors that miss, two for one input, and values that
    /// their inputs do not take, with row and column; or more workflows than a `usize` counts.
    pub fn variants<'a>(self, workflow: &'a Workflow, schemas: &Schemas) -> Result<Variants<'a>, Error> {
        Variants::of_workflow(self.plan, workflow, schemas)
    }

    /// The workflows that it makes of a template, the other parameters of which have these values or their defaults. Keys are
    /// names of parameters, or selectors of inputs that no parameter sets.
    ///
    /// All values are checked before the first workflow is made.
    ///
    /// # Errors
    /// Those of [`Template::fill`] and [`variants`](Self::variants).
    pub fn variants_of<'a>(
        self,
        template: &'a Template,
        values: impl Into<Values>,
        schemas: &Schemas,
    ) -> Result<Variants<'a>, Error> {
        Variants::of_template(self.plan, template, &values.into(), schemas)
    }
}

impl FromStr for Sweep {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
