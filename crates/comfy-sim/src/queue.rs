//! The queue of prompts: what waits, what runs, and the counter that numbers them.

use std::cmp::Ordering;
use std::sync::Arc;

use comfy_protocol::json::exact;
use comfy_workflow::NodeId;
use serde::ser::{Serialize, SerializeTuple, Serializer};
use serde_json::{Map, Value as Json};

/// Keys of `extra_data` that are shown to nobody: since 0.8.0 they are not queued, before they do not get into the history.
pub(crate) const SENSITIVE: [&str; 2] = ["auth_token_comfy_org", "api_key_comfy_org"];

/// A prompt that was accepted. Written as JSON it is what `/queue` and `/history` show:
/// `[number, prompt_id, prompt, extra_data, outputs_to_execute]`.
#[derive(Debug)]
pub(crate) struct Item {
    /// A number, or the stand-in for one that is not finite.
    pub(crate) number: Json,
    pub(crate) prompt_id: String,
    pub(crate) prompt: Arc<Json>,
    pub(crate) extra_data: Map<String, Json>,
    pub(crate) outputs: Vec<NodeId>,
}

impl Item {
    /// To whom the messages about the prompt go; `None` when it was posted without a client id.
    pub(crate) fn client(&self) -> Option<Client<'_>> {
        match self.extra_data.get("client_id") {
            None | Some(Json::Null) => None,
            Some(Json::String(id)) if exact::token(id).is_none() => Some(Client(Some(id))),
            Some(_) => Some(Client(None)),
        }
    }

    /// Whether its client id is of a kind that the server cannot look up: the attempt ends the server.
    pub(crate) fn ends_the_server(&self) -> bool {
        matches!(self.extra_data.get("client_id"), Some(Json::Array(_) | Json::Object(_)))
    }

    fn rank(&self) -> f64 {
        exact::as_f64(&self.number).unwrap_or(f64::NAN)
    }
}

/// The receiver of directed messages. An id that is no text belongs to no socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client<'a>(pub(crate) Option<&'a str>);

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(5)?;
        tuple.serialize_element(&self.number)?;
        tuple.serialize_element(&self.prompt_id)?;
        tuple.serialize_element(&*self.prompt)?;
        tuple.serialize_element(&self.extra_data)?;
        tuple.serialize_element(&self.outputs)?;
        tuple.end()
    }
}

impl SharedItem {
    /// The prompt as the history keeps it.
    pub(crate) fn without_secrets(self) -> Self {
        let extra_data = &self.0.extra_data;
        if !SENSITIVE.iter().any(|key| extra_data.contains_key(*key)) {
            return self;
        }
        let extra_data = extra_data.iter().filter(|(key, _)| !SENSITIVE.contains(&key.as_str()));
        Self(Arc::new(Item {
            number: self.0.number.clone(),
            prompt_id: self.0.prompt_id.clone(),
            prompt: Arc::clone(&self.0.prompt),
            extra_data: extra_data.map(|(key, value)| (key.clone(), value.clone())).collect(),
            outputs: self.0.outputs.clone(),
        }))
    }
}

/// An [`Item`] as the queue, the worker and the history share it.
#[derive(Debug, Clone)]
pub(crate) struct SharedItem(pub(crate) Arc<Item>);

impl Serialize for SharedItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Two prompts with the same number and id: the server goes on to compare their bodies, which have no order, and fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tie;

/// What runs and what waits. The waiting prompts form the same binary heap as on the server, since `/queue` shows it as it is.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: Vec<SharedItem>,
    running: Option<SharedItem>,
    counter: i64,
}

impl Queue {
    /// The next number; every prompt without one of its own takes one, also a refused one.
    pub(crate) fn next_number(&mut self) -> i64 {
        let number = self.counter;
        self.counter += 1;
        number
    }

    /// Adds a prompt. It is in the queue even when a [`Tie`] was met.
    pub(crate) fn push(&mut self, item: SharedItem) -> Result<(), Tie> {
        self.heap.push(item);
        self.sift_down(0, self.heap.len() - 1)
    }

    /// Takes the prompt that comes first and marks it as running.
    pub(crate) fn start_next(&mut self) -> Result<Option<SharedItem>, Tie> {
        let next = self.pop()?;
        if next.is_some() {
            self.running.clone_from(&next);
        }
        Ok(next)
    }

    /// The running prompt has left the worker.
    pub(crate) fn finish(&mut self) {
        self.running = None;
    }

    /// Prompts that wait or run.
    pub(crate) fn remaining(&self) -> u64 {
        (self.heap.len() + usize::from(self.running.is_some())) as u64
    }

    pub(crate) fn is_running(&self, prompt_id: &str) -> bool {
        self.running.as_ref().is_some_and(|item| item.0.prompt_id == prompt_id)
    }

    pub(crate) fn running(&self) -> Vec<SharedItem> {
        self.running.iter().cloned().collect()
    }

    pub(crate) fn pending(&self) -> Vec<SharedItem> {
        self.heap.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }

    /// Removes the first waiting prompt with this id. Says how many `status` messages follow: none when there is no
    /// such prompt, two when it was the last one.
    pub(crate) fn delete(&mut self, prompt_id: &str) -> Result<usize, Tie> {
        let Some(at) = self.heap.iter().position(|item| item.0.prompt_id == prompt_id) else {
            return Ok(0);
        };
        self.heap.remove(at);
        if self.heap.is_empty() {
            return Ok(2);
        }
        self.heapify()?;
        Ok(1)
    }

    fn pop(&mut self) -> Result<Option<SharedItem>, Tie> {
        let Some(last) = self.heap.pop() else { return Ok(None) };
        let Some(root) = self.heap.first_mut() else { return Ok(Some(last)) };
        let first = std::mem::replace(root, last);
        self.sift_up(0)?;
        Ok(Some(first))
    }

    fn heapify(&mut self) -> Result<(), Tie> {
        (0..self.heap.len() / 2).rev().try_for_each(|at| self.sift_up(at))
    }

    /// Moves the entry at `at` towards the root until its parent is no larger.
    fn sift_down(&mut self, start: usize, mut at: usize) -> Result<(), Tie> {
        while at > start {
            let parent = (at - 1) / 2;
            if !less(&self.heap[at].0, &self.heap[parent].0)? {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
        Ok(())
    }

    /// Moves the entry at `at` down to a leaf, along the smaller children, and from there to its place.
    fn sift_up(&mut self, start: usize) -> Result<(), Tie> {
        let end = self.heap.len();
        let mut at = start;
        loop {
            let mut child = 2 * at + 1;
            if child >= end {
                break;
            }
            if child + 1 < end && !less(&self.heap[child].0, &self.heap[child + 1].0)? {
                child += 1;
            }
            self.heap.swap(at, child);
            at = child;
        }
        self.sift_down(start, at)
    }
}

fn less(a: &Item, b: &Item) -> Result<bool, Tie> {
    match a.rank().partial_cmp(&b.rank()) {
        Some(Ordering::Less) => return Ok(true),
        Some(Ordering::Greater) | None => return Ok(false),
        Some(Ordering::Equal) => {}
    }
    match a.prompt_id.cmp(&b.prompt_id) {
        Ordering::Equal if a.prompt == b.prompt && a.extra_data == b.extra_data => Ok(a.outputs < b.outputs),
        Ordering::Equal => Err(Tie),
        order => Ok(order == Ordering::Less),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(number: impl Into<Json>, id: &str) -> SharedItem {
        let number = number.into();
        let (prompt, extra_data) = (Arc::new(json!({"id": id, "number": number})), Map::new());
        SharedItem(Arc::new(Item {
            number,
            prompt_id: id.into(),
            prompt,
            extra_data,
            outputs: vec!["1".into()],
        }))
    }

    fn ids(items: &[SharedItem]) -> Vec<&str> {
        items.iter().map(|item| item.0.prompt_id.as_str()).collect()
    }

    #[test]
    fn prompts_run_by_number_and_then_by_id() {
        let mut queue = Queue::default();
        for (number, id) in [(json!(48), "d"), (json!(0.5), "c"), (json!(-49), "a"), (json!(0.5), "b")] {
            queue.push(item(number, id)).unwrap();
        }
        let mut order = Vec::new();
        while let Some(next) = queue.start_next().unwrap() {
            order.push(next.0.prompt_id.clone());
        }
        assert_eq!(order, ["a", "b", "c", "d"]);
        assert_eq!(queue.remaining(), 1);
        queue.finish();
        assert_eq!(queue.remaining(), 0);
    }

    #[test]
    fn what_waits_is_shown_as_a_heap() {
        let mut queue = Queue::default();
        for (number, id) in [(5, "e"), (4, "d"), (3, "c"), (2, "b"), (1, "a")] {
            queue.push(item(number, id)).unwrap();
        }
        // What Python's heapq makes of the same pushes.
        assert_eq!(ids(&queue.pending()), ["a", "b", "d", "e", "c"]);
        assert_eq!(queue.delete("b"), Ok(1));
        assert_eq!(ids(&queue.pending()), ["a", "c", "e", "d"]);
        assert_eq!(queue.delete("nope"), Ok(0));
        assert_eq!(queue.remaining(), 4);
    }

    #[test]
    fn numbers_that_are_not_finite_have_a_place_too() {
        let mut queue = Queue::default();
        let numbers = [f64::INFINITY, 1.0, f64::NEG_INFINITY, f64::NAN];
        for (number, id) in numbers.into_iter().zip(["last", "second", "first", "nowhere"]) {
            queue.push(item(exact::float(number), id)).unwrap();
        }
        assert_eq!(ids(&queue.pending()).first(), Some(&"first"));
        let text = crate::wire::to_json(&queue.pending()[0]);
        assert_eq!(text, r#"[-Infinity, "first", {"id": "first", "number": -Infinity}, {}, ["1"]]"#);
    }

    #[test]
    fn the_last_deletion_is_told_twice() {
        let mut queue = Queue::default();
        queue.push(item(1, "a")).unwrap();
        assert_eq!(queue.delete("a"), Ok(2));
    }

    #[test]
    fn two_prompts_of_one_id_and_number_cannot_be_ordered() {
        let mut queue = Queue::default();
        queue.push(item(1, "a")).unwrap();
        let mut other = item(1, "a");
        Arc::get_mut(&mut other.0).unwrap().prompt = Arc::new(json!({}));
        assert_eq!(queue.push(other), Err(Tie));
        assert_eq!(queue.pending().len(), 2);
    }

    #[test]
    fn an_item_is_written_as_five_elements() {
        let text = crate::wire::to_json(&item(1, "a"));
        assert_eq!(text, r#"[1, "a", {"id": "a", "number": 1}, {}, ["1"]]"#);
    }
}
