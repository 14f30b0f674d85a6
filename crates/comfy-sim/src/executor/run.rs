//! The run of one prompt.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::{ExecutionError, NodeOutput};
use comfy_workflow::NodeId;
use serde_json::{Map, Number, Value as Json};

use super::cache::{Cache, Outcome};
use super::messages::Voice;
use super::order::Order;
use super::plan::{Fatal, Node, Plan, Source};
use crate::nodes::{Audience, Context, Inputs, NodeError, Preview, Ran, Sleep, Stage};
use crate::python::python_text;
use crate::queue::SharedItem;
use crate::state::{Pause, State};
use crate::value::Value;

/// Why the worker cannot go on after a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abort {
    Fatal,
    Stopping,
}

impl From<Fatal> for Abort {
    fn from(Fatal: Fatal) -> Self {
        Self::Fatal
    }
}

/// Why a node did not finish.
enum Stop {
    Error { error: NodeError, inputs: Map<String, Json> },
    Interrupted,
    Stopping,
}

/// Runs a prompt, tells about it and writes its record.
pub(super) fn run(state: &Arc<State>, item: &SharedItem, cache: &mut Cache) -> Result<(), Abort> {
    let mut voice = Voice::new(state, item);
    voice.start();
    let schemas = state.nodes.schemas();
    let plan = Plan::new(&item.0.prompt, &state.nodes, &schemas, &state.files)?;
    cache.keep_only(&plan);
    let mut run = Run {
        state,
        item,
        prompt: with_changes(&item.0.prompt, &plan),
        results: plan.nodes.iter().map(|node| cache.get(node.signature)).collect(),
        executed: Vec::new(),
        plan,
        cache,
    };
    let cached: Vec<_> = run.known().collect();
    voice.cached(cached.iter().map(|&at| run.plan.nodes[at].node_id()).collect());

    let outputs: Vec<_> = item.0.outputs.iter().filter_map(|id| run.plan.place(id)).collect();
    let mut order = Order::new(&run.plan, &outputs, |at| run.results[at].is_some())?;
    while let Some(at) = order.next(&run.plan) {
        match run.visit(at, &mut voice) {
            Ok(()) => order.done(at),
            Err(Stop::Error { error, inputs }) => {
                voice.error(run.report(at, error, inputs));
                voice.leave(false);
                return Ok(());
            }
            Err(Stop::Interrupted) => {
                let node = &run.plan.nodes[at];
                voice.interrupted(node.node_id(), node.class_type.to_owned(), run.executed);
                voice.leave(false);
                return Ok(());
            }
            Err(Stop::Stopping) => return Err(Abort::Stopping),
        }
    }
    for &at in &cached {
        let node = &run.plan.nodes[at];
        if let (true, false, Some(result)) =
            (node.has_intermediate_output(), node.is_output(), &run.results[at])
            && result.ui.is_some()
        {
            voice.show(&node.node_id(), result.ui.as_ref());
        }
    }
    voice.success();
    voice.leave(true);
    Ok(())
}

/// A prompt that runs.
struct Run<'a> {
    state: &'a State,
    item: &'a SharedItem,
    plan: Plan<'a>,
    /// The prompt as nodes write it into files: with the results of the change checks.
    prompt: Arc<Json>,
    results: Vec<Option<Arc<Outcome>>>,
    /// The nodes that this run has finished.
    executed: Vec<NodeId>,
    cache: &'a mut Cache,
}

impl Run<'_> {
    /// The nodes whose results are there.
    fn known(&self) -> impl Iterator<Item = usize> {
        (0..self.results.len()).filter(|&at| self.results[at].is_some())
    }

    /// A node's turn.
    fn visit(&mut self, at: usize, voice: &mut Voice<'_>) -> Result<(), Stop> {
        let node = &self.plan.nodes[at];
        let id = node.node_id();
        // Looked up again: an equal node may have run meanwhile.
        if let Some(known) = self.results[at].clone().or_else(|| self.cache.get(node.signature)) {
            if let (Some(assets), Some(ui)) = (&self.state.assets, &known.ui) {
                assets.shown_again(&ui.0, &self.item.0.prompt_id);
            }
            voice.was_known(&id, known.ui.as_ref());
            self.results[at] = Some(known);
            return Ok(());
        }
        voice.executing(&id);
        match self.state.pause(self.state.options.node_delay) {
            Pause::Over => {}
            Pause::Interrupted => return Err(Stop::Interrupted),
            Pause::Stopping => return Err(Stop::Stopping),
        }
        let inputs = self.inputs(node).map_err(|error| Stop::Error { error, inputs: Map::new() })?;
        let ran = self.call(at, &inputs).map_err(|error| Stop::Error { error, inputs: shown(&inputs) })?;
        let ui = ran.ui.map(|mut ui| {
            if let Some(assets) = &self.state.assets {
                assets.identify(&mut ui, &self.state.files, &self.item.0.prompt_id);
            }
            NodeOutput(ui)
        });
        let outcome = Arc::new(Outcome { outputs: ran.outputs, ui });
        voice.ran(&id, outcome.ui.as_ref());
        if let Some(signature) = self.plan.nodes[at].signature {
            self.cache.insert(signature, Arc::clone(&outcome));
        }
        self.results[at] = Some(outcome);
        self.executed.push(id);
        Ok(())
    }

    /// The values of a node's inputs. Constants that its class does not know are left out; links are not.
    fn inputs(&self, node: &Node<'_>) -> Result<Inputs, NodeError> {
        let mut inputs = Inputs::default();
        for (name, source) in &node.inputs {
            match source {
                Source::Constant(value) if node.knows(name) => {
                    inputs.0.insert((*name).to_owned(), Value::Json((*value).clone()));
                }
                Source::Constant(_) => {}
                Source::Link { node: from, slot } => {
                    let result = from.and_then(|from| self.results[from].as_ref());
                    let value = result.and_then(|result| output(&result.outputs, *slot));
                    let value = value.ok_or_else(|| NodeError::index_error("list index out of range"))?;
                    inputs.0.insert((*name).to_owned(), value.clone());
                }
            }
        }
        Ok(inputs)
    }

    /// Runs a node. A panic in it is an error of the node.
    fn call(&mut self, at: usize, inputs: &Inputs) -> Result<Ran, NodeError> {
        let node = &self.plan.nodes[at];
        if let Some(unknown) = inputs.0.keys().find(|name| !node.knows(name)) {
            let function = function(node.class_type);
            let message = format!("{function}() got an unexpected keyword argument '{unknown}'");
            return Err(NodeError::type_error(message));
        }
        let class = node.class.ok_or_else(|| {
            NodeError::runtime_error(format!("the simulator cannot run {}", node.class_type))
        })?;
        let mut context = Context {
            files: &self.state.files,
            prompt: &self.prompt,
            extra_pnginfo: self.item.0.extra_data.get("extra_pnginfo").and_then(Json::as_object),
            instance: self.cache.instance(node.id, node.class_type),
            node: &node.node_id(),
            version: self.state.options.version,
            stage: &NodeStage(self.state),
        };
        catch_unwind(AssertUnwindSafe(|| (class.run)(inputs, &mut context))).unwrap_or_else(|panic| {
            let message = panic_text(panic.as_ref());
            tracing::error!(class = class.name, message, "a node panicked");
            Err(NodeError::runtime_error(message))
        })
    }

    /// The failure of a node as the server reports it.
    fn report(&self, at: usize, error: NodeError, mut inputs: Map<String, Json>) -> ExecutionError {
        let node = &self.plan.nodes[at];
        let message = format!("{}\n", error.message);
        let mut report = ExecutionError::new(
            self.item.0.prompt_id.clone(),
            node.node_id(),
            node.class_type.to_owned(),
            error.exception_type,
            message,
        );
        report.executed.clone_from(&self.executed);
        report.traceback = vec![format!("  File \"nodes.py\", in {}\n", node.class_type)];
        for (name, kind) in node.hidden() {
            let value = match kind.as_str() {
                "PROMPT" => python_text(&self.prompt).into(),
                "EXTRA_PNGINFO" => self
                    .item
                    .0
                    .extra_data
                    .get("extra_pnginfo")
                    .map_or(Json::Null, |entries| Value::Json(entries.clone()).shown()),
                _ => continue,
            };
            inputs.insert(name.clone(), Json::Array(vec![value]));
        }
        report.current_inputs = Json::Object(inputs);
        report.current_outputs = self.plan.nodes.iter().map(|node| Json::from(node.id)).collect();
        report
    }
}

/// A stage on which only time passes.
#[derive(Debug)]
struct NodeStage<'a>(&'a State);

impl Stage for NodeStage<'_> {
    fn progress(&self, _: Number, _: Number, _: Option<&Preview>) -> Result<(), NodeError> {
        self.check_interrupt()
    }

    fn check_interrupt(&self) -> Result<(), NodeError> {
        self.sleep(Duration::ZERO, Sleep::Light)
    }

    fn sleep(&self, time: Duration, _: Sleep) -> Result<(), NodeError> {
        match self.0.pause(time) {
            Pause::Over => Ok(()),
            Pause::Interrupted => Err(NodeError::interrupted()),
            Pause::Stopping => Err(NodeError::stopping()),
        }
    }

    fn send_text(&self, _: &str, _: Audience) {}

    fn send_message(&self, _: &str, _: Json, _: Audience) {}

    fn send_frame(&self, _: u32, _: &[u8], _: Audience) {}

    fn log(&self, _: &str) {}
}

fn shown(inputs: &Inputs) -> Map<String, Json> {
    inputs.0.iter().map(|(name, value)| (name.clone(), Json::Array(vec![value.shown()]))).collect()
}

/// An output by its slot; negative slots count from the end.
fn output(outputs: &[Value], slot: i64) -> Option<&Value> {
    let slot = if slot < 0 { slot + i64::try_from(outputs.len()).ok()? } else { slot };
    outputs.get(usize::try_from(slot).ok()?)
}

/// The prompt with an entry `is_changed` at every node that has a change check.
fn with_changes(prompt: &Arc<Json>, plan: &Plan<'_>) -> Arc<Json> {
    if plan.nodes.iter().all(|node| node.changed.is_none()) {
        return Arc::clone(prompt);
    }
    let mut prompt = (**prompt).clone();
    for node in &plan.nodes {
        if let (Some(changed), Some(Json::Object(fields))) = (&node.changed, prompt.get_mut(node.id)) {
            fields.insert("is_changed".into(), Json::Array(vec![changed.clone()]));
        }
    }
    Arc::new(prompt)
}

/// The function behind a class, by the name that it has in the server's messages.
fn function(class_type: &str) -> String {
    let name = match class_type {
        "SaveImage" | "PreviewImage" => "SaveImage.save_images",
        "LoadImage" => "LoadImage.load_image",
        "LoadImageMask" => "LoadImageMask.load_image_mask",
        "ImageScale" => "ImageScale.upscale",
        "ImageScaleBy" => "ImageScaleBy.upscale",
        "ImageInvert" => "ImageInvert.invert",
        "ImageBatch" => "ImageBatch.batch",
        "EmptyImage" => "EmptyImage.generate",
        "ImageBlend" => "Blend.execute",
        "PreviewAny" => "PreviewAny.main",
        other => return format!("{}.execute", other.strip_prefix("Primitive").unwrap_or(other)),
    };
    name.to_owned()
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "the node panicked".into())
}
