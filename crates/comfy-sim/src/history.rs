//! The record of the prompts that have run.

use std::sync::Arc;

use comfy_protocol::routes::history::HistoryEntry;
use indexmap::IndexMap;

use crate::queue::SharedItem;

/// What is kept of one prompt.
pub(crate) type Entry = HistoryEntry<SharedItem>;

/// A new entry drives out the oldest one when there are more than these.
const LIMIT: usize = 10_000;

/// The records in the order in which the prompts ended. A prompt id that comes again keeps its first place.
#[derive(Debug, Default, Clone)]
pub(crate) struct History(IndexMap<String, Arc<Entry>>);

impl History {
    pub(crate) fn insert(&mut self, prompt_id: String, entry: Arc<Entry>) {
        if self.0.len() > LIMIT {
            self.0.shift_remove_index(0);
        }
        self.0.insert(prompt_id, entry);
    }

    pub(crate) fn get(&self, prompt_id: &str) -> Option<Arc<Entry>> {
        self.0.get(prompt_id).cloned()
    }

    /// The entries that `max_items` and `offset` choose. Without an offset `max_items` counts from the newest.
    pub(crate) fn list(&self, max_items: Option<i64>, offset: i64) -> Vec<(String, Arc<Entry>)> {
        let length = i64::try_from(self.0.len()).unwrap_or(i64::MAX);
        let skip = match max_items {
            Some(max_items) if offset < 0 => length.saturating_sub(max_items),
            _ => offset,
        };
        let skip = usize::try_from(skip.max(0)).unwrap_or(usize::MAX);
        let take =
            max_items.map_or(usize::MAX, |max_items| usize::try_from(max_items.max(0)).unwrap_or(usize::MAX));
        self.0.iter().skip(skip).take(take).map(|(id, entry)| (id.clone(), Arc::clone(entry))).collect()
    }

    pub(crate) fn delete(&mut self, prompt_id: &str) {
        self.0.shift_remove(prompt_id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use comfy_protocol::routes::history::HistoryStatus;
    use serde_json::{Map, json};

    use super::*;
    use crate::queue::Item;

    fn entry(id: &str) -> Arc<Entry> {
        let item = Item {
            number: 0.into(),
            prompt_id: id.into(),
            prompt: Arc::new(json!({})),
            extra_data: Map::new(),
            outputs: vec![],
        };
        let item = SharedItem(Arc::new(item));
        Arc::new(Entry::new(item, IndexMap::new(), HistoryStatus::new(true, Vec::new()), IndexMap::new()))
    }

    fn history(count: usize) -> History {
        let mut history = History::default();
        for id in 0..count {
            history.insert(format!("h{id}"), entry(""));
        }
        history
    }

    fn ids(entries: &[(String, Arc<Entry>)]) -> String {
        entries.iter().map(|(id, _)| id.trim_start_matches('h')).collect()
    }

    #[test]
    fn a_window_of_the_history_is_chosen_as_on_the_server() {
        let history = history(6);
        let list = |max_items, offset| ids(&history.list(max_items, offset));
        assert_eq!(list(None, -1), "012345");
        assert_eq!(list(Some(2), -1), "45");
        assert_eq!(list(Some(0), -1), "");
        assert_eq!(list(Some(-1), -1), "");
        assert_eq!(list(Some(100), -1), "012345");
        assert_eq!(list(Some(2), 0), "01");
        assert_eq!(list(Some(2), 5), "5");
        assert_eq!(list(Some(2), -3), "45");
        assert_eq!(list(None, 4), "45");
        assert_eq!(list(None, 100), "");
    }

    #[test]
    fn ten_thousand_and_one_entries_are_kept() {
        let mut history = history(LIMIT + 2);
        assert_eq!(history.list(None, -1).len(), LIMIT + 1);
        assert!(history.get("h0").is_none());
        history.delete("h1");
        history.delete("h1");
        assert!(history.get("h1").is_none());
        assert!(history.get("h2").is_some());
    }
}
