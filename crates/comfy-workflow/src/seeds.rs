//! The noise seeds of a workflow: which inputs they are, and how they are drawn anew, set and counted on.

mod find;

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::Value;

use crate::random::Numbers;
use crate::schema::Schemas;
use crate::workflow::clip;
use crate::{NodeId, Target, Workflow};

/// The largest seed that is drawn where nothing says how large it may be: all but a few nodes take it.
const LARGEST_UNDESCRIBED: i128 = i32::MAX as i128;

/// The largest seed that is drawn at all. The editor counts in floats: a larger seed would be another one once the saved
/// picture is opened there.
const LARGEST_DRAWN: i128 = (1 << 53) - 1;

/// A noise seed of a [`Workflow`]; see [`Workflow::noise_seeds`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NoiseSeed {
    /// The input that holds the number.
    pub target: Target,
    /// What it holds: mostly a whole number.
    pub value: Value,
    /// What it may hold, the ends included: as the schemas say, else 0 to 2^64-1.
    pub range: RangeInclusive<i128>,
    /// Whether a schema says what is the largest.
    is_described: bool,
}

/// What became of a noise seed. `Display` says it in words: `node 3 "Title" (KSampler): input seed: 1 -> 42`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SeedChange {
    /// The node.
    pub node: NodeId,
    /// Its title.
    pub title: Option<String>,
    /// Its class.
    pub class_type: String,
    /// The name of the input.
    pub input: String,
    /// What the input held.
    pub old: Value,
    /// What it holds now: a whole number.
    pub new: Value,
}

impl fmt::Display for SeedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", clip(self.node.as_str()))?;
        if let Some(title) = &self.title {
            write!(f, " \"{}\"", clip(title))?;
        }
        let (class_type, input) = (clip(&self.class_type), clip(&self.input));
        write!(f, " ({class_type}): input {input}: {} -> {}", clip(&self.old.to_string()), self.new)
    }
}

impl Workflow {
    /// The noise seeds that can be changed, in document order.
    ///
    /// With a schema, these are the inputs of type INT for which the editor offers a control (`control_after_generate`), and
    /// those named `seed` or `noise_seed`, also as the last part of a dotted name (`sampling_mode.seed`). Without one, these
    /// are the whole numbers of these names.
    ///
    /// A seed that comes over a link is that of the node it comes from, if this node has a number for its only input
    /// (`PrimitiveInt`, for one) and feeds nothing but seeds. Other links stay as they are, and so do numbers that feed more
    /// than seeds: a width must not change with the noise.
    #[must_use]
    pub fn noise_seeds(&self, schemas: &Schemas) -> Vec<NoiseSeed> {
        find::seeds(self, schemas)
    }

    /// Puts `seed` into every [noise seed](Self::noise_seeds), and tells what was changed. Where a node takes less than that, it
    /// is counted round within what the node takes.
    ///
    /// ```
    /// use comfy_workflow::Workflow;
    /// use comfy_workflow::schema::Schemas;
    ///
    /// let text = r#"{"3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20}}}"#;
    /// let mut workflow: Workflow = text.parse()?;
    /// let changes = workflow.replace_noise_seeds(42, &Schemas::new());
    /// assert_eq!(changes[0].to_string(), "node 3 (KSampler): input seed: 1 -> 42");
    /// # Ok::<(), comfy_workflow::Error>(())
    /// ```
    pub fn replace_noise_seeds(&mut self, seed: u64, schemas: &Schemas) -> Vec<SeedChange> {
        self.change_seeds(schemas, |_| i128::from(seed))
    }

    /// Draws a number of its own for every [noise seed](Self::noise_seeds), and tells what was drawn.
    ///
    /// The numbers follow from `start` and from the order of the seeds, in this and all later versions: with the same `start`
    /// the same workflow gets the same seeds. They are within what the node takes, and below 2^53, so that the editor shows
    /// them as they are; without a schema they are below 2^31, which all but a few nodes take.
    ///
    /// ```
    /// use comfy_workflow::Workflow;
    /// use comfy_workflow::schema::Schemas;
    ///
    /// let text = r#"{"3": {"class_type": "KSampler", "inputs": {"seed": 1}}}"#;
    /// let mut workflow: Workflow = text.parse()?;
    /// let changes = workflow.randomize_noise_seeds(7, &Schemas::new());
    /// assert_eq!(workflow.get("3.seed")?, &changes[0].new);
    /// # Ok::<(), comfy_workflow::Error>(())
    /// ```
    pub fn randomize_noise_seeds(&mut self, start: u64, schemas: &Schemas) -> Vec<SeedChange> {
        let mut numbers = Numbers::new(start);
        self.change_seeds(schemas, |seed| {
            let largest = if seed.is_described { LARGEST_DRAWN } else { LARGEST_UNDESCRIBED };
            let (min, max) = seed.range.clone().into_inner();
            let max = if min <= largest { max.min(largest) } else { max };
            numbers.below(span(min, max)).saturating_add(min)
        })
    }

    /// Adds `by` to every [noise seed](Self::noise_seeds), and tells what was changed. After the largest number that a node
    /// takes follows the smallest.
    pub fn increment_noise_seeds(&mut self, by: i64, schemas: &Schemas) -> Vec<SeedChange> {
        self.change_seeds(schemas, |seed| find::whole(&seed.value).unwrap_or(0) + i128::from(by))
    }

    fn change_seeds(
        &mut self,
        schemas: &Schemas,
        mut next: impl FnMut(&NoiseSeed) -> i128,
    ) -> Vec<SeedChange> {
        let seeds = self.noise_seeds(schemas);
        let change = |seed: NoiseSeed| {
            let new = json(within(next(&seed), &seed.range));
            self.put(&seed.target, new.clone());
            let node = self.node(seed.target.node.as_str())?;
            Some(SeedChange {
                title: node.title().map(str::to_owned),
                class_type: node.class_type.clone(),
                node: seed.target.node,
                input: seed.target.input,
                old: seed.value,
                new,
            })
        };
        seeds.into_iter().filter_map(change).collect()
    }
}

/// How many numbers there are from `min` to `max`, which do not leave 64 bits.
fn span(min: i128, max: i128) -> u128 {
    u128::try_from(max - min + 1).unwrap_or(1).max(1)
}

/// The number if it is in the range, else what is there when one counts round.
fn within(number: i128, range: &RangeInclusive<i128>) -> i128 {
    let (min, max) = (*range.start(), *range.end());
    let span = i128::try_from(span(min, max)).unwrap_or(1);
    min + (number - min).rem_euclid(span)
}

/// Ranges do not leave what JSON numbers hold.
fn json(number: i128) -> Value {
    match u64::try_from(number) {
        Ok(number) => number.into(),
        Err(_) => i64::try_from(number).unwrap_or(i64::MIN).into(),
    }
}

#[cfg(test)]
mod tests;
