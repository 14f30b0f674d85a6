//! The nodes: those that the simulator computes for real, one file per family, and those that it simulates.

use std::sync::Arc;

use std::collections::HashMap;
use std::sync::LazyLock;

use comfy_workflow::NodeId;
use comfy_workflow::validate::{CheckInputs, CheckResult};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::files::Files;
use crate::value::Value;
use crate::version::ServerVersion;

mod audio;
mod batch;
mod blend;
pub(crate) mod checks;
mod choices;
mod color;
mod composite;
mod error;
mod expansion;
mod filter;
mod image;
mod inputs;
mod load;
mod logic;
mod mask;
mod math;
mod morphology;
mod pad;
mod porter_duff;
mod quantize;
mod registry;
mod resample;
mod resize;
mod save;
pub(crate) mod simulated;
mod stage;
mod test_pack;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use error::{NodeError, Reach};
pub(crate) use expansion::{Expansion, NewNode, Snapshot, as_link};
pub(crate) use registry::Registry;
pub(crate) use simulated::{Origin, Origins, Setting};
#[cfg(test)]
pub(crate) use stage::EmptyStage;
pub(crate) use stage::{Audience, Preview, PreviewFormat, Sleep, Stage};

type Run = fn(&Inputs, &mut Context<'_>) -> Result<Ran, NodeError>;
type Changed = fn(&Map<String, Json>, &Files) -> Json;
type Lazy = fn(&Inputs) -> Vec<String>;

/// A node class: its name on the wire and what it does.
#[derive(Debug)]
pub(crate) struct NodeClass {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
    /// The name of its function in error texts; derived from the class where it is not said.
    pub(crate) function: Option<&'static str>,
    /// The node's own check before a prompt is queued.
    pub(crate) check: Option<Check>,
    /// The node's change check (`IS_CHANGED` on the server), part of its cache signature. `Null` stands for a
    /// check that failed or that gives NaN, which makes the node run every time.
    pub(crate) changed: Option<Changed>,
    /// Which of its lazy inputs a node wants, given those that it has (`check_lazy_status` on the server). Lazy inputs that
    /// are not there yet are null.
    pub(crate) lazy: Option<Lazy>,
    /// Whether others may run while it waits.
    pub(crate) is_async: bool,
    /// Whether it takes each input as a [`Value::List`] of all its values, where its description does not say so.
    pub(crate) takes_lists: bool,
    /// Whether its function takes inputs that its class does not declare (`**kwargs` on the server).
    pub(crate) takes_others: bool,
}

/// A node's own check of its inputs (`VALIDATE_INPUTS` on the server). The server leaves its own checks of the inputs
/// that it names to it. Links are null there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Check {
    /// The inputs that it names.
    pub(crate) inputs: &'static [&'static str],
    pub(crate) run: fn(&CheckInputs, &Files) -> CheckResult,
}

/// What a node finds besides its inputs.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) files: &'a Files,
    /// The node's id in the prompt, or in the expansion that made it.
    pub(crate) node: &'a NodeId,
    /// The number of this call: a node is called once per value of its inputs.
    pub(crate) call: usize,
    pub(crate) version: ServerVersion,
    /// The whole prompt, as it is written into pictures.
    pub(crate) prompt: &'a Json,
    /// `extra_data.extra_pnginfo` of the prompt: entry by entry written into pictures.
    pub(crate) extra_pnginfo: Option<&'a Map<String, Json>>,
    /// The object that the server keeps for this node.
    pub(crate) instance: &'a NodeInstance,
    /// All nodes of the prompt, for classes that ask for it (`DYNPROMPT`).
    pub(crate) snapshot: Option<&'a Snapshot>,
    /// What it is told about simulated nodes.
    pub(crate) setting: &'a Setting,
    pub(crate) stage: &'a dyn Stage,
}

/// What stays with a node from one prompt to the next. The server keeps one object per node id and class, and
/// drops those that the prompt at hand does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeInstance {
    /// Five letters in the names of temporary pictures.
    pub(crate) temp_letters: String,
}

/// The values of a node's inputs by name: constants as sent, links resolved. For a class that takes lists each is a
/// [`Value::List`].
#[derive(Debug, Default)]
pub(crate) struct Inputs(pub(crate) IndexMap<String, Value>);

/// What a node gives back.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    /// By slot; a [`Value::List`] in those that give lists. After an expansion a slot may hold a link into it.
    pub(crate) outputs: Vec<Value>,
    /// Nodes to be run in place of this one: links among the outputs lead into it.
    pub(crate) expansion: Option<Expansion>,
    /// What the node tells the user: the value of `outputs[id]` in the history.
    pub(crate) ui: Option<Map<String, Json>>,
    /// What stands behind the outputs, from nodes that are simulated. Behind those of a computed node stands what stands
    /// behind its inputs.
    pub(crate) origin: Option<Arc<Origin>>,
}

impl NodeInstance {
    /// A new object with letters of its own.
    pub(crate) fn new() -> Self {
        let bytes = uuid::Uuid::new_v4().into_bytes();
        Self { temp_letters: bytes.iter().take(5).map(|byte| char::from(b'a' + byte % 26)).collect() }
    }
}

impl Ran {
    /// One output and nothing to show.
    pub(crate) fn output(value: impl Into<Value>) -> Self {
        Self { outputs: vec![value.into()], ..Self::default() }
    }

    /// One output, and one list shown to the user under `key`.
    pub(crate) fn shown(value: Value, key: &str, items: Vec<Json>) -> Self {
        let ui = Map::from_iter([(key.to_owned(), Json::Array(items))]);
        Self { outputs: vec![value], ui: Some(ui), ..Self::default() }
    }
}

impl NodeClass {
    /// A class without checks of its own.
    const fn new(name: &'static str, run: Run) -> Self {
        Self {
            name,
            run,
            function: None,
            check: None,
            changed: None,
            lazy: None,
            is_async: false,
            takes_lists: false,
            takes_others: false,
        }
    }
}

/// The classes of every family.
static FAMILIES: [&[NodeClass]; 18] = [
    &save::CLASSES,
    &load::CLASSES,
    &image::CLASSES,
    &batch::CLASSES,
    &resize::CLASSES,
    &pad::CLASSES,
    &blend::CLASSES,
    &composite::CLASSES,
    &filter::CLASSES,
    &morphology::CLASSES,
    &quantize::CLASSES,
    &color::CLASSES,
    &mask::CLASSES,
    &text::CLASSES,
    &logic::CLASSES,
    &math::CLASSES,
    &audio::CLASSES,
    &porter_duff::CLASSES,
];

/// The classes that the simulator computes, by name.
static BY_NAME: LazyLock<HashMap<&'static str, &'static NodeClass>> =
    LazyLock::new(|| classes().chain(test_pack::classes()).map(|class| (class.name, class)).collect());

/// All classes but those for tests.
pub(crate) fn classes() -> impl Iterator<Item = &'static NodeClass> {
    FAMILIES.into_iter().flatten()
}

/// The class of this name.
pub(crate) fn class(name: &str) -> Option<&'static NodeClass> {
    BY_NAME.get(name).copied()
}
