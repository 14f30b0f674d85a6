//! What the messages about a job tell, one after the other.

use std::collections::HashSet;

use bytes::Bytes;
use comfy_protocol::{
    ExecutionError, ExecutionInterrupted, Message, NodeProgress, NodeState, PreviewMetadata, ProgressState,
};
use comfy_workflow::{NodeId, Workflow};
use serde_json::Number;

use super::{Event, Preview, Progress, SocketImage};
use crate::outputs::Gains;

/// Classes whose nodes give pictures over the socket: ComfyUI's own, and that of a widespread pack.
const SENDING: [&str; 2] = ["SaveImageWebsocket", "ETN_SendImageWebSocket"];

/// The nodes of a job that messages are measured against.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    all: HashSet<NodeId>,
    /// Those that give pictures over the socket.
    sending: Vec<NodeId>,
}

impl Nodes {
    /// These nodes give pictures over the socket, too.
    pub(crate) fn sending(mut self, more: Vec<NodeId>) -> Self {
        self.sending.extend(more);
        self
    }

    pub(crate) fn of(workflow: &Workflow, targets: Option<&[String]>) -> Self {
        let runs = |id: &NodeId| targets.is_none_or(|targets| targets.iter().any(|target| *id == **target));
        let sends = |class_type: &str| SENDING.contains(&class_type);
        Self {
            all: workflow.nodes().map(|(id, _)| id.clone()).collect(),
            sending: workflow
                .nodes()
                .filter(|(id, node)| sends(&node.class_type) && runs(id))
                .map(|(id, _)| id.clone())
                .collect(),
        }
    }
}

/// How a run ended, as the socket told it.
#[derive(Debug, Clone)]
pub(super) enum HeardEnd {
    Success,
    Error(Box<ExecutionError>),
    Interrupted(ExecutionInterrupted),
}

/// A job as its messages tell it.
#[derive(Debug)]
pub(super) struct Story {
    nodes: Nodes,
    pub(super) started: bool,
    /// What the socket said of the end: the record is about to be there.
    end: Option<HeardEnd>,
    /// Whether every message was heard, up to that of the end.
    gapless: bool,
    gains: Gains,
    finished: HashSet<NodeId>,
    pub(super) progress: Progress,
}

/// Where the events of a story go.
pub(super) trait Listener {
    /// Takes an event, which is only made where somebody listens.
    fn emit(&mut self, event: impl FnOnce() -> Event);
}

impl Story {
    pub(super) fn new(nodes: Nodes, gapless: bool) -> Self {
        Self {
            started: false,
            end: None,
            gapless,
            gains: Gains::default(),
            finished: HashSet::new(),
            progress: Progress::new(nodes.all.len()),
            nodes,
        }
    }

    pub(super) fn start(&mut self, listener: &mut impl Listener) {
        if !std::mem::replace(&mut self.started, true) {
            listener.emit(|| Event::Started);
        }
    }

    /// Messages were or will be missed. After that of the end there are none to miss. Returns whether that is news.
    pub(super) fn miss_message(&mut self, listener: &mut impl Listener) -> bool {
        let is_news = self.end.is_none() && std::mem::take(&mut self.gapless);
        if is_news {
            listener.emit(|| Event::Gap);
        }
        is_news
    }

    /// How the job ended, where the socket told all of it: what was heard is then the whole truth.
    pub(super) fn heard_end(&self) -> Option<HeardEnd> {
        self.end.clone().filter(|_| self.gapless)
    }

    /// Whether every message was heard so far.
    pub(super) fn is_gapless(&self) -> bool {
        self.gapless
    }

    /// What was heard that the job gave.
    pub(super) fn gains(&self) -> Gains {
        self.gains.clone()
    }

    /// The nodes whose pictures may have been missed.
    pub(super) fn missed_images(&self) -> &[NodeId] {
        if self.gapless { &[] } else { &self.nodes.sending }
    }

    /// Takes a message in. Returns whether the job has left the worker, so that its record can be read now.
    pub(super) fn hear(&mut self, message: Message, listener: &mut impl Listener) -> bool {
        match message {
            Message::ExecutionStart(_) => self.start(listener),
            Message::ExecutionCached(cached) => {
                self.progress.nodes_done =
                    cached.nodes.iter().filter(|id| self.nodes.all.contains(*id)).count();
                self.finished.extend(cached.nodes.iter().cloned());
                self.gains.cached.clone_from(&cached.nodes);
                listener.emit(|| Event::Cached(cached.nodes));
                let share = self.progress.nodes_done as f64 / self.nodes.all.len().max(1) as f64;
                if share > self.progress.overall() {
                    self.progress.set_overall(share);
                    listener.emit(|| Event::Progress(self.progress.clone()));
                }
            }
            Message::ProgressState(progress) => self.hear_state(&progress, listener),
            Message::Executing(executing) => match executing.node {
                Some(node) => {
                    self.progress.node = Some(node.clone());
                    (self.progress.value, self.progress.max) = (0.0, 0.0);
                    listener.emit(|| Event::NodeStarted(node));
                }
                None => return true,
            },
            Message::Progress(progress) => {
                self.progress.node = progress.node;
                self.progress.value = progress.value.as_f64().unwrap_or_default();
                self.progress.max = progress.max.as_f64().unwrap_or_default();
                listener.emit(|| Event::Progress(self.progress.clone()));
            }
            Message::Executed(executed) => {
                if let Some(output) = executed.output {
                    listener.emit(|| Event::Executed(executed.node.clone(), output.clone()));
                    self.gains.nodes.insert(executed.node, output);
                }
            }
            Message::ExecutionError(error) if error.is_blocked() => listener.emit(|| Event::Blocked(error)),
            Message::ExecutionSuccess(_) => self.end = Some(HeardEnd::Success),
            Message::ExecutionError(error) => self.end = Some(HeardEnd::Error(error)),
            Message::ExecutionInterrupted(report) => self.end = Some(HeardEnd::Interrupted(report)),
            other => {
                // A message of the end or of outputs, in a form not known here, leaves what was heard incomplete.
                if matches!(&other, Message::Other { kind, .. } if kind.starts_with("execut")) {
                    self.gapless = false;
                }
                listener.emit(|| Event::Other(other));
            }
        }
        false
    }

    fn hear_state(&mut self, state: &ProgressState, listener: &mut impl Listener) {
        let total = self.nodes.all.len().max(1) as f64;
        let mut share_running = 0.0;
        for (id, node) in &state.nodes {
            let is_finished = node.state == NodeState::Finished;
            if is_finished && !self.finished.contains(id) {
                self.finished.insert(id.clone());
                listener.emit(|| Event::NodeFinished(id.clone()));
            }
            if !self.finished.contains(id) && self.nodes.all.contains(id) {
                share_running += share(node);
            }
        }
        // Cached nodes are not in the list unless they have outputs.
        self.progress.nodes_done = self.nodes.all.iter().filter(|id| self.finished.contains(*id)).count();
        let overall = (self.progress.nodes_done as f64 + share_running) / total;
        self.progress.set_overall(overall.max(self.progress.overall()));
        listener.emit(|| Event::Progress(self.progress.clone()));
    }

    /// Takes a picture in: an output of nodes that give theirs over the socket, a preview of others.
    pub(super) fn hear_picture(
        &mut self,
        metadata: Option<PreviewMetadata>,
        content_type: String,
        bytes: Bytes,
        listener: &mut impl Listener,
    ) {
        let (node, shown) = match metadata {
            Some(metadata) => (metadata.node_id.clone(), metadata.display_node_id.or(metadata.node_id)),
            None => (None, None),
        };
        let node = node.or_else(|| self.progress.node.clone());
        match node.clone().filter(|node| self.nodes.sending.contains(node)) {
            Some(node) => {
                let index = self.gains.images.iter().filter(|image| image.node == node).count();
                let image = SocketImage { node, index, content_type, bytes, name: None };
                listener.emit(|| Event::SocketImage(image.clone()));
                self.gains.images.push(image);
            }
            None => {
                listener.emit(|| Event::Preview(Preview { node: shown.or(node), content_type, bytes }));
            }
        }
    }

    /// Takes a text in that some node of the prompt that runs shows. Servers do not say of which prompt.
    pub(super) fn hear_text(&mut self, node: NodeId, text: String, listener: &mut impl Listener) {
        let is_known = self.nodes.all.contains(&node) || self.progress.node.as_ref() == Some(&node);
        if is_known {
            listener.emit(|| Event::Text(node, text));
        }
    }
}

fn share(node: &NodeProgress) -> f64 {
    let number = Number::as_f64;
    match (number(&node.value), number(&node.max)) {
        (Some(value), Some(max)) if max > 0.0 => (value / max).clamp(0.0, 1.0),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    impl Listener for Vec<Event> {
        fn emit(&mut self, event: impl FnOnce() -> Event) {
            self.push(event());
        }
    }

    fn story() -> Story {
        let workflow = json!({
            "1": {"class_type": "EmptyImage", "inputs": {}},
            "2": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}},
        });
        Story::new(Nodes::of(&Workflow::from_value(workflow).unwrap(), None), true)
    }

    fn hear(story: &mut Story, kind: &str, data: Value) -> Vec<Event> {
        let mut events = Vec::new();
        story.hear(Message::new(kind.into(), data), &mut events);
        events
    }

    #[test]
    fn what_was_heard_counts_only_when_all_was_heard() {
        let mut story = story();
        let end = json!({"prompt_id": "p", "timestamp": 1});
        hear(&mut story, "execution_success", end.clone());
        assert!(matches!(story.heard_end(), Some(HeardEnd::Success)));
        assert!(!story.miss_message(&mut Vec::new()), "after the end there is nothing to miss");
        let mut story = self::story();
        assert!(story.miss_message(&mut Vec::new()));
        assert!(!story.miss_message(&mut Vec::new()), "a gap is told once");
        hear(&mut story, "execution_success", end);
        assert!(story.heard_end().is_none());
        assert_eq!(story.missed_images(), [NodeId::from("2")]);
    }

    #[test]
    fn pictures_of_nodes_that_send_them_are_outputs_and_others_are_previews() {
        let mut story = story();
        let mut events = Vec::new();
        for node in ["1", "2", "2"] {
            hear(&mut story, "executing", json!({"node": node, "prompt_id": "p"}));
            story.hear_picture(None, "image/png".into(), Bytes::from_static(b"x"), &mut events);
        }
        assert!(matches!(&events[0], Event::Preview(preview) if preview.node == Some("1".into())));
        let places = story.gains().images.iter().map(|image| image.index).collect::<Vec<_>>();
        assert_eq!(places, [0, 1]);
        story.hear_text("3".into(), "of another prompt".into(), &mut events);
        story.hear_text("2".into(), "ours".into(), &mut events);
        assert!(matches!(&events[3..], [Event::Text(_, text)] if text == "ours"));
    }

    #[test]
    fn a_node_that_is_kept_from_running_is_told_and_is_no_end() {
        let mut story = story();
        let report = |kind: &str| json!({"prompt_id": "p", "node_id": "2", "node_type": "T", "exception_message": "m", "exception_type": kind});
        let events = hear(&mut story, "execution_error", report("ExecutionBlocked"));
        assert!(matches!(&events[..], [Event::Blocked(error)] if error.node_id == "2"));
        assert!(story.heard_end().is_none());
        assert!(hear(&mut story, "execution_error", report("ValueError")).is_empty());
        assert!(matches!(story.heard_end(), Some(HeardEnd::Error(_))));
    }

    #[test]
    fn nodes_that_are_known_already_count_as_done() {
        let mut story = story();
        let events = hear(&mut story, "execution_cached", json!({"nodes": ["1"], "prompt_id": "p"}));
        assert!(
            matches!(&events[..], [Event::Cached(_), Event::Progress(progress)] if progress.overall() == 0.5)
        );
    }

    #[test]
    fn nodes_that_run_count_beside_those_that_are_known_already() {
        let mut story = story();
        hear(&mut story, "execution_cached", json!({"nodes": ["1"], "prompt_id": "p"}));
        let mut state = |state: &str, value: i32| {
            let node = json!({"value": value, "max": 4, "state": state, "node_id": "2", "prompt_id": "p"});
            let events = hear(&mut story, "progress_state", json!({"prompt_id": "p", "nodes": {"2": node}}));
            let Some(Event::Progress(progress)) = events.last() else { panic!("{events:?}") };
            (progress.nodes_done, progress.overall())
        };
        assert_eq!(state("running", 2), (1, 0.75));
        assert_eq!(state("finished", 4), (2, 1.0));
    }

    fn any_message() -> impl Strategy<Value = (&'static str, Value)> {
        let kinds = [
            "execution_start",
            "execution_cached",
            "progress_state",
            "executing",
            "progress",
            "executed",
            "execution_success",
            "execution_error",
            "execution_interrupted",
            "execution_new",
            "other",
        ];
        let node = proptest::sample::select(&["1", "2", "7.0.0.1", ""][..]).prop_map(Value::from);
        let number = prop_oneof![any::<f64>().prop_map(Value::from), any::<i64>().prop_map(Value::from)];
        let data = (node, number.clone(), number, any::<bool>()).prop_map(|(node, value, max, flag)| {
            let state = if flag { "running" } else { "finished" };
            let id = node.as_str().unwrap_or_default().to_owned();
            let progress = json!({"value": value, "max": max, "state": state, "node_id": node, "prompt_id": "p"});
            json!({
                "prompt_id": "p", "node": if flag { node.clone() } else { Value::Null }, "value": value, "max": max,
                "nodes": if flag { json!([node]) } else { json!({ id: progress }) },
                "output": if flag { json!({"text": ["x"]}) } else { Value::Null },
                "node_id": node, "node_type": "T", "exception_message": "m", "exception_type": "ExecutionBlocked",
            })
        });
        (proptest::sample::select(kinds.to_vec()), data)
    }

    proptest! {
        #[test]
        fn no_messages_make_a_story_panic_or_its_progress_fall(messages in proptest::collection::vec(any_message(), 0..40)) {
            let mut story = story();
            let mut overall = 0.0;
            for (kind, data) in messages {
                for event in hear(&mut story, kind, data) {
                    if let Event::Progress(progress) = event {
                        prop_assert!(progress.overall() >= overall && progress.overall() <= 1.0);
                        overall = progress.overall();
                    }
                }
            }
        }
    }
}
