//! Prompts of other people, with which a queue is filled.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, json};

use super::{Fault, Faults, Set, duration};
use crate::queue::{Item, SharedItem};
use crate::state::State;

/// The client id of the others.
const CLIENT: &str = "somebody-else";

impl Set {
    /// How much longer a node takes because its prompt is one of the others'. Each of them waits once.
    pub(super) fn delay_of_others(&mut self, prompt_id: &str) -> Option<Duration> {
        if !self.others.remove(prompt_id) {
            return None;
        }
        let seconds = self.active.iter().rev().find_map(|active| match active.fault {
            Fault::QueueFull { seconds, .. } => Some(seconds),
            _ => None,
        });
        // Without the fault they are through at once.
        Some(duration(seconds.unwrap_or_default()))
    }
}

impl Faults {
    /// Puts prompts of others into the queue.
    pub(crate) fn fill_queue(&self, state: &Arc<State>, jobs: u64) {
        for _ in 0..jobs {
            let number = state.queue(crate::queue::Queue::next_number);
            let prompt_id = state.new_id().to_string();
            // No two are the same, so that none of them finds its results known.
            let prompt = json!({
                "1": {
                    "class_type": "EmptyImage",
                    "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": number & 0xff_ffff},
                },
                "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
            });
            let mut extra_data = Map::new();
            extra_data.insert("client_id".into(), CLIENT.into());
            extra_data.insert("create_time".into(), state.now().into());
            let item = Item {
                number: number.into(),
                prompt_id: prompt_id.clone(),
                prompt: Arc::new(prompt),
                extra_data,
                outputs: vec!["2".into()],
            };
            self.lock().others.insert(prompt_id);
            self.any.store(true, Ordering::Release);
            // A tie is impossible: every number is new.
            let _ = state.enqueue(SharedItem(Arc::new(item)));
        }
    }
}
