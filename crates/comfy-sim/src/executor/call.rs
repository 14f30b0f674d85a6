//! Calling a node: once, or once per value of its inputs.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::Message;
use comfy_workflow::schema::NodeSchema;
use indexmap::IndexMap;
use serde_json::{Map, Number, Value as Json};

use super::frames;
use super::messages::{Speaker, Voice};
use crate::nodes::{
    Audience, Context, Inputs, NodeClass, NodeError, NodeInstance, Preview, Ran, Setting, Sleep, Snapshot,
    Stage, simulated,
};
use crate::queue::SharedItem;
use crate::state::{Pause, State};
use crate::value::Value;
use crate::version::ServerVersion;

/// All values of each input, by name.
pub(super) type Gathered = IndexMap<String, Vec<Value>>;

/// A node with everything that it takes to call it, also beside the others.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    pub(super) state: &'a State,
    pub(super) item: &'a SharedItem,
    pub(super) voice: &'a Voice<'a>,
    /// The prompt as nodes write it into files.
    pub(super) prompt: Arc<Json>,
    pub(super) speaker: Speaker,
    pub(super) class_type: String,
    pub(super) class: Option<&'static NodeClass>,
    pub(super) schema: Option<&'a NodeSchema>,
    pub(super) instance: Arc<NodeInstance>,
    /// Whether each input is taken as a list of all its values.
    pub(super) takes_lists: bool,
    /// The prompt as it is now, for nodes that look around in it.
    pub(super) snapshot: Option<Snapshot>,
    /// What it is told about the simulated nodes before it.
    pub(super) setting: Setting,
}

/// What one call came to.
#[derive(Debug)]
pub(super) enum Called {
    Ran(Ran),
    /// An input held a blocker.
    Blocked(Option<Arc<str>>),
}

impl Caller<'_> {
    /// Calls the node as often as its longest input has values; the last value of a shorter one is used again.
    pub(super) fn call_all(&self, gathered: &Gathered) -> Result<Vec<Called>, NodeError> {
        if self.takes_lists {
            let lists = gathered.iter().map(|(name, values)| (name.clone(), Value::List(values.clone())));
            return Ok(vec![self.call(Inputs(lists.collect()), 0)?]);
        }
        match gathered.values().map(Vec::len).max() {
            None | Some(0) => Ok(vec![self.call(Inputs::default(), 0)?]),
            Some(calls) => (0..calls).map(|call| self.call(slice(gathered, call)?, call)).collect(),
        }
    }

    fn call(&self, inputs: Inputs, call: usize) -> Result<Called, NodeError> {
        self.check_interrupt()?;
        let blocker = inputs.0.values().find_map(|value| match value {
            Value::Blocker(reason) => Some(reason.clone()),
            Value::List(values) => values.iter().find_map(|value| match value {
                Value::Blocker(reason) => Some(reason.clone()),
                _ => None,
            }),
            _ => None,
        });
        match blocker {
            Some(reason) => Ok(Called::Blocked(reason)),
            None => self.run(&inputs, call).map(Called::Ran),
        }
    }

    /// Runs the node. A panic in it is an error of the node.
    fn run(&self, inputs: &Inputs, call: usize) -> Result<Ran, NodeError> {
        let mut context = Context {
            files: &self.state.files,
            node: &self.speaker.id,
            call,
            version: self.state.options.version,
            prompt: &self.prompt,
            extra_pnginfo: self.item.0.extra_data.get("extra_pnginfo").and_then(Json::as_object),
            instance: &self.instance,
            snapshot: self.snapshot.as_ref(),
            setting: &self.setting,
            stage: self,
        };
        let run = || match (self.class, self.schema) {
            (Some(class), _) => (class.run)(inputs, &mut context),
            (None, Some(schema)) => simulated::run(schema, inputs, &mut context),
            (None, None) => Err(NodeError::runtime_error(format!("there is no class {}", self.class_type))),
        };
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
            let message = panic_text(panic.as_ref());
            tracing::error!(class = self.class_type, message, "a node panicked");
            Err(NodeError::runtime_error(message))
        })
    }
}

/// The inputs of one call.
fn slice(gathered: &Gathered, call: usize) -> Result<Inputs, NodeError> {
    let value = |(name, values): (&String, &Vec<Value>)| {
        let value = values.get(call).or(values.last()).cloned();
        let value = value.ok_or_else(|| NodeError::index_error("list index out of range"))?;
        Ok((name.clone(), value))
    };
    Ok(Inputs(gathered.iter().map(value).collect::<Result<_, NodeError>>()?))
}

impl Stage for Caller<'_> {
    fn progress(&self, value: Number, max: Number, preview: Option<&Preview>) -> Result<(), NodeError> {
        self.check_interrupt()?;
        self.voice.progress(&self.speaker, value, max, preview)
    }

    fn progress_state(&self, value: Number, max: Number) -> Result<(), NodeError> {
        self.check_interrupt()?;
        self.voice.progress_state(&self.speaker, value, max);
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), NodeError> {
        self.sleep(Duration::ZERO, Sleep::Light)
    }

    fn sleep(&self, time: Duration, sleep: Sleep) -> Result<(), NodeError> {
        match self.state.pause(time, sleep, || self.voice.is_over()) {
            Pause::Over => Ok(()),
            Pause::Interrupted => Err(NodeError::interrupted()),
            Pause::Stopping => Err(NodeError::stopping()),
        }
    }

    fn send_text(&self, text: &str, audience: Audience) {
        let frame = frames::text(self.speaker.id.as_str(), text);
        self.voice.send_frame(audience == Audience::Everyone, frame);
    }

    fn send_message(&self, kind: &str, data: Json, audience: Audience) {
        let message = || Message::Other { kind: kind.to_owned(), data };
        self.voice.send(audience == Audience::Everyone, message);
    }

    fn send_frame(&self, event: u32, payload: &[u8], audience: Audience) {
        self.voice.send_frame(audience == Audience::Everyone, frames::frame(event, &[payload]));
    }

    fn log(&self, words: &[&str]) {
        let mut pieces: Vec<_> = words.iter().flat_map(|word| [" ", word]).skip(1).collect();
        pieces.push("\n");
        self.state.print(&pieces);
    }

    fn write(&self, text: &str) {
        self.state.print(&[text]);
    }
}

/// The values of a call as the report of a failure shows them.
pub(super) fn shown(gathered: &Gathered, version: ServerVersion) -> Map<String, Json> {
    let list = |values: &Vec<Value>| Json::Array(values.iter().map(|value| value.shown(version)).collect());
    gathered.iter().map(|(name, values)| (name.clone(), list(values))).collect()
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "the node panicked".into())
}
