//! When two nodes give the same results, and when two constants count as equal.

use std::hash::{DefaultHasher, Hash, Hasher};

use comfy_protocol::json::exact;
use serde_json::{Number, Value as Json};

use super::graph::{Graph, Source};

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    Open,
    Done,
}

impl Graph<'_> {
    /// Computes the signatures of the nodes from `first` on, ancestors first. Nodes in or after a cycle get none.
    pub(super) fn sign(&mut self, first: usize) {
        let mut visits = vec![Visit::Done; first];
        visits.resize(self.nodes.len(), Visit::Not);
        let mut stack: Vec<usize> = (first..self.nodes.len()).rev().collect();
        while let Some(&at) = stack.last() {
            if visits[at] == Visit::Not {
                visits[at] = Visit::Open;
                stack.extend(self.nodes[at].all_links().filter(|&from| visits[from] == Visit::Not));
                continue;
            }
            stack.pop();
            if visits[at] == Visit::Open {
                visits[at] = Visit::Done;
                self.nodes[at].signature = self.signature(at);
            }
        }
    }

    fn signature(&self, at: usize) -> Option<u64> {
        let node = &self.nodes[at];
        let mut hasher = DefaultHasher::new();
        node.class_type.hash(&mut hasher);
        if let Some(parent) = node.parent {
            // What an expansion gave is only looked up within expansions of an equal node.
            self.nodes[parent].signature?.hash(&mut hasher);
        }
        if node.knows_its_id() {
            node.id.hash(&mut hasher);
        }
        if let Some(changed) = &node.changed {
            if changed.is_null() {
                return None;
            }
            hash(changed, &mut hasher);
        }
        let mut inputs: Vec<_> = node.inputs.iter().collect();
        inputs.sort_unstable_by_key(|(name, _)| name);
        for (name, source) in inputs {
            name.hash(&mut hasher);
            match source {
                // What is not a number is never equal to anything.
                Source::Constant(value) if exact::stand_in(value) == Some("NaN") => return None,
                Source::Constant(value) => hash(value, &mut hasher),
                // Nobody can tell whether two such values are equal.
                Source::Value(_) => return None,
                Source::Link { node, slot } => (self.nodes[(*node)?].signature?, slot).hash(&mut hasher),
            }
        }
        Some(hasher.finish())
    }
}

/// Hashes a value so that what the server's language calls equal has the same hash: there `1`, `1.0` and `true` are
/// one value, and the order of an object's keys does not count.
fn hash(value: &Json, hasher: &mut impl Hasher) {
    match value {
        Json::Null => 0_u8.hash(hasher),
        Json::Bool(flag) => whole(i128::from(*flag), hasher),
        Json::Number(number) => hash_number(number, hasher),
        Json::String(text) => (2_u8, text).hash(hasher),
        Json::Array(items) => {
            (3_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| hash(item, hasher));
        }
        Json::Object(entries) => {
            (4_u8, entries.len()).hash(hasher);
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            for (key, entry) in entries {
                key.hash(hasher);
                hash(entry, hasher);
            }
        }
    }
}

fn hash_number(number: &Number, hasher: &mut impl Hasher) {
    let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    if let Some(integer) = integer {
        return whole(integer, hasher);
    }
    match number.as_f64().unwrap_or_default() {
        // Every such float is a whole number that fits.
        float if float.fract() == 0.0 && float.abs() < 1e30 => whole(float as i128, hasher),
        float => (5_u8, float.to_bits()).hash(hasher),
    }
}

fn whole(number: i128, hasher: &mut impl Hasher) {
    (1_u8, number).hash(hasher);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash_of(value: &Json) -> u64 {
        let mut hasher = DefaultHasher::new();
        hash(value, &mut hasher);
        hasher.finish()
    }

    #[test]
    fn what_the_server_calls_equal_has_one_hash() {
        assert_eq!(hash_of(&json!(1)), hash_of(&json!(1.0)));
        assert_eq!(hash_of(&json!([true, 0])), hash_of(&json!([1, false])));
        assert_eq!(hash_of(&json!({"a": 1, "b": 2})), hash_of(&json!({"b": 2.0, "a": true})));
        assert_eq!(hash_of(&json!(0.0)), hash_of(&json!(-0.0)));
        for (a, b) in
            [(json!(1), json!("1")), (json!(0), json!(null)), (json!(1), json!(1.5)), (json!([]), json!({}))]
        {
            assert_ne!(hash_of(&a), hash_of(&b), "{a} {b}");
        }
        assert_ne!(hash_of(&json!(u64::MAX)), hash_of(&json!(-1)));
    }
}
