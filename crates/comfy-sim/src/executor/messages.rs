//! What a running prompt tells its client, and what of it goes into the record.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws;
use bytes::Bytes;
use comfy_protocol::routes::history::{HistoryStatus, NodeMeta, StatusMessage};
use comfy_protocol::{
    Executed, Executing, ExecutionCached, ExecutionError, ExecutionInterrupted, ExecutionStart, Message,
    NodeOutput, NodeProgress, NodeState, Progress, ProgressState,
};
use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde_json::{Number, Value as Json};

use super::frames;
use super::graph::Graph;
use crate::history::Entry;
use crate::nodes::{NodeError, Preview};
use crate::queue::{Client, SharedItem};
use crate::sockets::{Previews, Target};
use crate::state::State;
use crate::version::ServerVersion;

/// The voice of one prompt. Nodes that run beside others share it.
#[derive(Debug)]
pub(super) struct Voice<'a> {
    state: &'a State,
    item: &'a SharedItem,
    told: Mutex<Told>,
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct Told {
    progress: IndexMap<NodeId, NodeProgress>,
    outputs: IndexMap<NodeId, Option<NodeOutput>>,
    meta: IndexMap<NodeId, NodeMeta>,
    record: Vec<StatusMessage>,
}

/// A node as messages name it.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    pub(super) id: NodeId,
    pub(super) display: NodeId,
    parent: Option<NodeId>,
    real: NodeId,
}

impl Speaker {
    pub(super) fn new(graph: &Graph<'_>, at: usize) -> Self {
        let node = &graph.nodes[at];
        Self {
            id: node.id.clone(),
            display: node.display.clone(),
            parent: node.parent.map(|parent| graph.nodes[parent].id.clone()),
            real: graph.nodes[node.real].id.clone(),
        }
    }

    /// The names of the node under which its pictures go.
    pub(super) fn preview_metadata(&self, prompt_id: &str, image_type: &str) -> Json {
        serde_json::json!({
            "node_id": self.id,
            "prompt_id": prompt_id,
            "display_node_id": self.display,
            "parent_node_id": self.parent,
            "real_node_id": self.real,
            "image_type": image_type,
        })
    }
}

impl<'a> Voice<'a> {
    pub(super) fn new(state: &'a State, item: &'a SharedItem) -> Self {
        Self { state, item, told: Mutex::default(), over: AtomicBool::new(false) }
    }

    pub(super) fn start(&self) {
        let data = ExecutionStart::new(self.prompt_id(), self.state.now());
        self.keep(Message::ExecutionStart(data));
    }

    pub(super) fn cached(&self, nodes: Vec<NodeId>) {
        let data = ExecutionCached::new(nodes, self.prompt_id(), self.state.now());
        self.keep(Message::ExecutionCached(data));
    }

    /// A node begins.
    pub(super) fn executing(&self, node: &Speaker) {
        self.set_progress(node, NodeState::Running, float(0.0), float(1.0));
        if let Some(Client(Some(client))) = self.item.0.client() {
            self.state.sockets().set_current(Some((client.to_owned(), node.display.clone())));
        }
        self.tell(|| {
            let mut executing = Executing::new(Some(node.id.clone()), Some(self.prompt_id()));
            executing.display_node = Some(node.display.clone());
            Message::Executing(executing)
        });
    }

    /// A node reports how far it has come.
    ///
    /// # Errors
    /// There is a picture, and the features that its client has declared are no object.
    pub(super) fn progress(
        &self,
        node: &Speaker,
        value: Number,
        max: Number,
        preview: Option<&Preview>,
    ) -> Result<(), NodeError> {
        self.set_progress(node, NodeState::Running, value.clone(), max.clone());
        let with_metadata = match self.item.0.client() {
            Some(Client(Some(id))) if preview.is_some() => match self.state.sockets().previews(id) {
                Previews::Plain => false,
                Previews::WithMetadata => true,
                Previews::Broken(kind) => {
                    let message = format!("'{kind}' object has no attribute 'get'");
                    return Err(NodeError::attribute_error(message));
                }
            },
            _ => false,
        };
        let target = Target::client_or_everyone(self.item.0.client());
        let send = |frame: Bytes| self.state.sockets().send_frame(target, ws::Message::Binary(frame));
        if let (Some(preview), true) = (preview, with_metadata) {
            let metadata = node.preview_metadata(&self.item.0.prompt_id, preview.format.media_type());
            send(frames::preview_with_metadata(&metadata, &preview.bytes));
        }
        self.state
            .sockets()
            .send(target, || Message::Progress(Progress::new(value, max, self.prompt_id(), node.id.clone())));
        if let (Some(preview), false) = (preview, with_metadata) {
            send(frames::preview(preview));
        }
        Ok(())
    }

    /// A node reports how far it has come, without a message of its own.
    pub(super) fn progress_state(&self, node: &Speaker, value: Number, max: Number) {
        self.set_progress(node, NodeState::Running, value, max);
    }

    /// A node has something for the user.
    pub(super) fn executed(&self, node: &Speaker, ui: &NodeOutput) {
        self.tell_executed(node, Some(ui));
        self.record_output(node, ui);
    }

    /// A node has run: all of its steps are done.
    pub(super) fn ran(&self, node: &Speaker) {
        let max =
            self.told().progress.get(&node.id).map_or_else(|| float(1.0), |progress| progress.max.clone());
        self.set_progress(node, NodeState::Finished, max.clone(), max);
    }

    /// An output node's turn came, but its result was known.
    pub(super) fn was_known(&self, node: &Speaker, ui: Option<&NodeOutput>) {
        self.show_again(node, ui);
        self.set_progress(node, NodeState::Finished, 1.into(), 1.into());
    }

    /// Tells what a node gave in an earlier run. Nothing is told too, but not recorded.
    pub(super) fn show_again(&self, node: &Speaker, ui: Option<&NodeOutput>) {
        self.tell_executed(node, ui);
        let is_recorded = match self.state.options.version {
            // Everything goes into the record at the end.
            ServerVersion::V0_3_64 => false,
            ServerVersion::V0_8_0 => self.item.0.client().is_some(),
            ServerVersion::V0_30_0 => true,
        };
        if let (Some(ui), true) = (ui, is_recorded) {
            self.record_output(node, ui);
        }
    }

    /// Puts what a node has for the user into the record.
    pub(super) fn record_output(&self, node: &Speaker, ui: &NodeOutput) {
        let mut told = self.told();
        told.outputs.insert(node.id.clone(), Some(ui.clone()));
        let mut meta = NodeMeta::new(node.id.clone());
        meta.display_node = Some(node.display.clone());
        meta.parent_node.clone_from(&node.parent);
        meta.real_node_id = Some(node.real.clone());
        told.meta.insert(node.id.clone(), meta);
    }

    pub(super) fn success(&self) {
        let data = ExecutionStart::new(self.prompt_id(), self.state.now());
        self.keep(Message::ExecutionSuccess(data));
    }

    pub(super) fn error(&self, mut error: ExecutionError) {
        error.timestamp = Some(self.state.now());
        self.keep(Message::ExecutionError(Box::new(error)));
    }

    /// A node would not run, while the prompt goes on. That is told, but not recorded.
    pub(super) fn blocked(&self, node: &Speaker, node_type: &str, reason: &str, executed: Vec<NodeId>) {
        self.tell(|| {
            let (kind, message) = ("ExecutionBlocked".to_owned(), format!("Execution Blocked: {reason}"));
            let mut error =
                ExecutionError::new(self.prompt_id(), node.id.clone(), node_type.to_owned(), kind, message);
            error.executed = executed;
            error.current_inputs = Json::Array(Vec::new());
            error.current_outputs = Json::Array(Vec::new());
            Message::ExecutionError(Box::new(error))
        });
    }

    pub(super) fn interrupted(&self, node: NodeId, node_type: String, executed: Vec<NodeId>) {
        let data = ExecutionInterrupted::new(self.prompt_id(), node, node_type, executed, self.state.now());
        let message = Message::ExecutionInterrupted(data);
        if self.item.0.client().is_some() {
            self.keep(message);
        } else {
            // Without a client everyone is told, unlike with all the others.
            self.state.sockets().send(Target::Everyone, || message.clone());
            self.record(&message);
        }
    }

    /// Nothing that still runs is waited for.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.state.wake_sleepers();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// The prompt leaves the worker: its record is written, then everyone and its client are told.
    pub(super) fn leave(self, success: bool) {
        self.state.sockets().set_current(None);
        let Told { outputs, meta, record, .. } = std::mem::take(&mut *self.told());
        let status = HistoryStatus::new(success, record);
        let entry = Entry::new(self.item.clone(), outputs, status, meta);
        self.state.finish(&self.item.0.prompt_id, entry);
        self.tell(|| Message::Executing(Executing::new(None, Some(self.prompt_id()))));
    }

    /// Sends a message of a node's own.
    pub(super) fn send(&self, to_everyone: bool, message: impl FnOnce() -> Message) {
        self.state.sockets().send(self.target(to_everyone), message);
    }

    /// Sends a binary message of a node's own.
    pub(super) fn send_frame(&self, to_everyone: bool, frame: Bytes) {
        self.state.sockets().send_frame(self.target(to_everyone), ws::Message::Binary(frame));
    }

    fn target(&self, to_everyone: bool) -> Target<'_> {
        if to_everyone { Target::Everyone } else { Target::client_or_everyone(self.item.0.client()) }
    }

    fn tell_executed(&self, node: &Speaker, ui: Option<&NodeOutput>) {
        self.tell(|| {
            let mut executed = Executed::new(node.id.clone(), ui.cloned(), self.prompt_id());
            executed.display_node = Some(node.display.clone());
            Message::Executed(executed)
        });
    }

    fn prompt_id(&self) -> String {
        self.item.0.prompt_id.clone()
    }

    fn set_progress(&self, node: &Speaker, state: NodeState, value: Number, max: Number) {
        let mut progress = NodeProgress::new(node.id.clone(), self.prompt_id(), state, value, max);
        progress.display_node_id = Some(node.display.clone());
        progress.parent_node_id.clone_from(&node.parent);
        progress.real_node_id = Some(node.real.clone());
        let mut told = self.told();
        told.progress.insert(node.id.clone(), progress);
        let target = Target::client_or_everyone(self.item.0.client());
        // Told while the lock is held, so that no older state follows a newer one.
        self.state.sockets().send(target, || {
            Message::ProgressState(ProgressState::new(self.prompt_id(), told.progress.clone()))
        });
    }

    /// Tells the prompt's client; nobody when it has none.
    fn tell(&self, message: impl FnOnce() -> Message) {
        if let Some(client) = self.item.0.client() {
            self.state.sockets().send(Target::Client(client), message);
        }
    }

    /// Tells the prompt's client, and puts the message into the record.
    fn keep(&self, message: Message) {
        self.record(&message);
        self.tell(|| message);
    }

    fn record(&self, message: &Message) {
        let Ok(Json::Object(mut message)) = serde_json::to_value(message) else { return };
        if let (Some(Json::String(kind)), Some(data)) = (message.remove("type"), message.remove("data")) {
            self.told().record.push(StatusMessage(kind, data));
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn float(number: f64) -> Number {
    Number::from_f64(number).unwrap_or_else(|| 0.into())
}
