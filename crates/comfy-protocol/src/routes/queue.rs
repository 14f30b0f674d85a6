//! `GET /queue`, `POST /queue`.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// Answer of `GET /queue`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Queue<Item = QueueItem> {
    /// What runs: at most one prompt on stock servers.
    pub queue_running: Vec<Item>,
    /// What waits, in no useful order; see [`Queue::pending_in_order`].
    pub queue_pending: Vec<Item>,
}

/// A prompt in the queue or in the history: `[number, prompt_id, prompt, extra_data, outputs_to_execute]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueueItem(
    /// Its number: lower runs first. `null` for NaN and infinity, which servers accept.
    pub Option<Number>,
    /// Its id.
    pub String,
    /// The workflow as it runs, after the server's conversions.
    pub Value,
    /// What was sent with it.
    pub Map<String, Value>,
    /// The output nodes that run, in no order.
    pub Vec<String>,
);

/// A prompt in the queue without its body: cheap to read.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct QueuePlace(
    /// Its number: lower runs first.
    pub Option<Number>,
    /// Its id.
    pub String,
    IgnoredAny,
    IgnoredAny,
    IgnoredAny,
);

impl QueueItem {
    /// A prompt with its number, id, body, extra data and outputs.
    #[must_use]
    pub fn new(
        number: Number,
        prompt_id: String,
        prompt: Value,
        extra_data: Map<String, Value>,
        outputs: Vec<String>,
    ) -> Self {
        Self(Some(number), prompt_id, prompt, extra_data, outputs)
    }

    /// The prompt's id.
    #[must_use]
    pub fn prompt_id(&self) -> &str {
        &self.1
    }

    /// The id of the WebSocket whose messages tell of it, if whoever submitted it gave one.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.3.get("client_id")?.as_str()
    }

    /// When it was submitted, in milliseconds since the epoch by the server's clock (since 0.8.0).
    #[must_use]
    pub fn create_time(&self) -> Option<u64> {
        self.3.get("create_time")?.as_u64()
    }
}

impl<Item> Queue<Item> {
    /// A queue of what runs and what waits.
    #[must_use]
    pub fn new(running: Vec<Item>, pending: Vec<Item>) -> Self {
        Self { queue_running: running, queue_pending: pending }
    }
}

impl Queue<QueueItem> {
    /// What waits, in the order in which it will run.
    #[must_use]
    pub fn pending_in_order(&self) -> Vec<&QueueItem> {
        in_order(&self.queue_pending, |item| (item.0.as_ref(), &item.1))
    }
}

impl Queue<QueuePlace> {
    /// The ids of what waits, in the order in which it will run.
    #[must_use]
    pub fn pending_in_order(&self) -> Vec<&str> {
        let places = in_order(&self.queue_pending, |place| (place.0.as_ref(), &place.1));
        places.into_iter().map(|place| place.1.as_str()).collect()
    }
}

fn in_order<Item>(pending: &[Item], key: impl Fn(&Item) -> (Option<&Number>, &String)) -> Vec<&Item> {
    let mut items: Vec<&Item> = pending.iter().collect();
    let number = |item: &Item| key(item).0.and_then(Number::as_f64).unwrap_or(f64::INFINITY);
    items.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| key(a).1.cmp(key(b).1)));
    items
}

/// Body of `POST /queue` and of `POST /history`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Removal {
    /// Whether to remove everything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clear: bool,
    /// Ids of prompts to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<String>,
}

impl Removal {
    /// Removes everything.
    #[must_use]
    pub fn all() -> Self {
        Self { clear: true, delete: Vec::new() }
    }

    /// Removes these prompts.
    #[must_use]
    pub fn of(ids: Vec<String>) -> Self {
        Self { clear: false, delete: ids }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_prompts_are_ordered_by_number_and_then_by_id() {
        let text = r#"{"queue_running": [], "queue_pending": [
            [3, "c", {}, {}, []], [0.5, "b", {}, {}, []], [-2, "z", {}, {}, []], [0.5, "a", {}, {}, []], [NaN, "n", {}, {}, []]]}"#;
        let queue: Queue<QueuePlace> = crate::json::from_str(text).unwrap();
        assert_eq!(queue.pending_in_order(), ["z", "a", "b", "c", "n"]);
        let queue: Queue = crate::json::from_str(text).unwrap();
        let ids: Vec<&str> = queue.pending_in_order().into_iter().map(QueueItem::prompt_id).collect();
        assert_eq!(ids, ["z", "a", "b", "c", "n"]);
    }
}
