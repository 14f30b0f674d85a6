//! What a running prompt tells its client, and what of it goes into the record.

use comfy_protocol::routes::history::{HistoryStatus, NodeMeta, StatusMessage};
use comfy_protocol::{
    Executed, Executing, ExecutionCached, ExecutionError, ExecutionInterrupted, ExecutionStart, Message,
    NodeOutput, NodeProgress, NodeState, ProgressState,
};
use comfy_workflow::NodeId;
use indexmap::IndexMap;
use serde_json::Number;

use crate::history::Entry;
use crate::queue::{Client, SharedItem};
use crate::sockets::Target;
use crate::state::State;

/// The voice of one prompt.
#[derive(Debug)]
pub(super) struct Voice<'a> {
    state: &'a State,
    item: &'a SharedItem,
    progress: IndexMap<NodeId, NodeProgress>,
    outputs: IndexMap<NodeId, Option<NodeOutput>>,
    meta: IndexMap<NodeId, NodeMeta>,
    record: Vec<StatusMessage>,
}

impl<'a> Voice<'a> {
    pub(super) fn new(state: &'a State, item: &'a SharedItem) -> Self {
        Self {
            state,
            item,
            progress: IndexMap::new(),
            outputs: IndexMap::new(),
            meta: IndexMap::new(),
            record: Vec::new(),
        }
    }

    pub(super) fn start(&mut self) {
        let data = ExecutionStart::new(self.prompt_id(), self.state.now());
        self.keep(Message::ExecutionStart(data));
    }

    pub(super) fn cached(&mut self, nodes: Vec<NodeId>) {
        let data = ExecutionCached::new(nodes, self.prompt_id(), self.state.now());
        self.keep(Message::ExecutionCached(data));
    }

    /// A node begins.
    pub(super) fn executing(&mut self, node: &NodeId) {
        self.set_progress(node, NodeState::Running, float(0.0), float(1.0));
        if let Some(Client(Some(client))) = self.item.0.client() {
            self.state.sockets().set_current(Some((client.to_owned(), node.clone())));
        }
        self.tell(|| Message::Executing(Executing::new(Some(node.clone()), Some(self.prompt_id()))));
    }

    /// A node has run.
    pub(super) fn ran(&mut self, node: &NodeId, ui: Option<&NodeOutput>) {
        if let Some(ui) = ui {
            self.show(node, Some(ui));
        }
        self.set_progress(node, NodeState::Finished, float(1.0), float(1.0));
    }

    /// A node's turn came, but its result was known.
    pub(super) fn was_known(&mut self, node: &NodeId, ui: Option<&NodeOutput>) {
        self.show(node, ui);
        self.set_progress(node, NodeState::Finished, 1.into(), 1.into());
    }

    /// What a node has for the user. Nothing is told too, but not recorded.
    pub(super) fn show(&mut self, node: &NodeId, ui: Option<&NodeOutput>) {
        self.tell(|| Message::Executed(Executed::new(node.clone(), ui.cloned(), self.prompt_id())));
        if let Some(ui) = ui {
            self.outputs.insert(node.clone(), Some(ui.clone()));
            self.meta.insert(node.clone(), NodeMeta::new(node.clone()));
        }
    }

    pub(super) fn success(&mut self) {
        let data = ExecutionStart::new(self.prompt_id(), self.state.now());
        self.keep(Message::ExecutionSuccess(data));
    }

    pub(super) fn error(&mut self, mut error: ExecutionError) {
        error.timestamp = Some(self.state.now());
        self.keep(Message::ExecutionError(Box::new(error)));
    }

    pub(super) fn interrupted(&mut self, node: NodeId, node_type: String, executed: Vec<NodeId>) {
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

    /// The prompt leaves the worker: its record is written, then everyone and its client are told.
    pub(super) fn leave(mut self, success: bool) {
        self.state.sockets().set_current(None);
        let status = HistoryStatus::new(success, std::mem::take(&mut self.record));
        let outputs = std::mem::take(&mut self.outputs);
        let entry = Entry::new(self.item.clone(), outputs, status, std::mem::take(&mut self.meta));
        self.state.finish(&self.item.0.prompt_id, entry);
        self.tell(|| Message::Executing(Executing::new(None, Some(self.prompt_id()))));
    }

    fn prompt_id(&self) -> String {
        self.item.0.prompt_id.clone()
    }

    fn set_progress(&mut self, node: &NodeId, state: NodeState, value: Number, max: Number) {
        let progress = NodeProgress::new(node.clone(), self.prompt_id(), state, value, max);
        self.progress.insert(node.clone(), progress);
        let target = Target::client_or_everyone(self.item.0.client());
        self.state.sockets().send(target, || {
            Message::ProgressState(ProgressState::new(self.prompt_id(), self.progress.clone()))
        });
    }

    /// Tells the prompt's client; nobody when it has none.
    fn tell(&self, message: impl FnOnce() -> Message) {
        if let Some(client) = self.item.0.client() {
            self.state.sockets().send(Target::Client(client), message);
        }
    }

    /// Tells the prompt's client, and puts the message into the record.
    fn keep(&mut self, message: Message) {
        self.record(&message);
        self.tell(|| message);
    }

    fn record(&mut self, message: &Message) {
        let Ok(serde_json::Value::Object(mut message)) = serde_json::to_value(message) else { return };
        if let (Some(serde_json::Value::String(kind)), Some(data)) =
            (message.remove("type"), message.remove("data"))
        {
            self.record.push(StatusMessage(kind, data));
        }
    }
}

fn float(number: f64) -> Number {
    Number::from_f64(number).unwrap_or_else(|| 0.into())
}
