//! The nodes: those that the simulator computes for real, one file per family, and those that it simulates.

use std::sync::Arc;

use comfy_workflow::NodeId;
use comfy_workflow::validate::{CheckInputs, CheckResult};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::files::Files;
use crate::value::Value;
use crate::version::ServerVersion;

mod blend;
mod choices;
mod error;
mod image;
mod inputs;
mod load;
mod mask;
mod registry;
mod resample;
mod resize;
mod save;
pub(crate) mod simulated;
mod stage;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use error::NodeError;
pub(crate) use registry::Registry;
pub(crate) use simulated::{Origin, Origins, Setting};
#[cfg(test)]
pub(crate) use stage::EmptyStage;
pub(crate) use stage::{Audience, Preview, Sleep, Stage};

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
    pub(crate) version: ServerVersion,
    /// The whole prompt, as it is written into pictures.
    pub(crate) prompt: &'a Json,
    /// `extra_data.extra_pnginfo` of the prompt: entry by entry written into pictures.
    pub(crate) extra_pnginfo: Option<&'a Map<String, Json>>,
    /// The object that the server keeps for this node.
    pub(crate) instance: &'a NodeInstance,
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
    /// Nodes to be run in place of this one, as in a prompt: their outputs are its outputs.
    pub(crate) expansion: Option<Map<String, Json>>,
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
        Self { name, run, function: None, check: None, changed: None, lazy: None, is_async: false }
    }
}

static CLASSES: [NodeClass; 24] = [
    NodeClass::new("SaveImage", save::save_image),
    NodeClass::new("PreviewImage", save::preview_image),
    NodeClass {
        check: Some(load::CHECK),
        changed: Some(load::changed),
        ..NodeClass::new("LoadImage", load::load_image)
    },
    NodeClass {
        check: Some(load::CHECK),
        changed: Some(load::changed),
        ..NodeClass::new("LoadImageMask", load::load_image_mask)
    },
    NodeClass::new("ImageScale", resize::scale),
    NodeClass::new("ImageScaleBy", resize::scale_by),
    NodeClass::new("ImageInvert", image::invert),
    NodeClass::new("ImageBatch", image::batch),
    NodeClass::new("EmptyImage", image::empty),
    NodeClass::new("ImageBlend", blend::blend),
    NodeClass::new("MaskToImage", mask::to_image),
    NodeClass::new("ImageToMask", mask::from_image),
    NodeClass::new("SolidMask", mask::solid),
    NodeClass::new("InvertMask", mask::invert),
    NodeClass::new("ImageCrop", image::crop),
    NodeClass::new("ImageRotate", image::rotate),
    NodeClass::new("ImageFlip", image::flip),
    NodeClass::new("PrimitiveString", text::primitive),
    NodeClass::new("PrimitiveStringMultiline", text::primitive),
    NodeClass::new("PrimitiveInt", text::primitive),
    NodeClass::new("PrimitiveFloat", text::primitive),
    NodeClass::new("PrimitiveBoolean", text::primitive),
    NodeClass::new("PreviewAny", text::preview_any),
    NodeClass::new("StringConcatenate", text::concatenate),
];

/// All classes, in the order of `object_info`.
pub(crate) fn classes() -> &'static [NodeClass] {
    &CLASSES
}

/// The class of this name.
pub(crate) fn class(name: &str) -> Option<&'static NodeClass> {
    classes().iter().find(|class| class.name == name)
}
