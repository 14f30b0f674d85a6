//! The order in which the server walks through a set of node ids.
//!
//! The server collects the outputs of a prompt in a set of its language. Its order depends on a hash of the ids that
//! differs between processes, unless the environment variable `PYTHONHASHSEED` is 0. The simulator is such a process.

use std::hash::{DefaultHasher, Hasher};

use comfy_workflow::NodeId;

const SMALLEST_TABLE: usize = 8;
/// How many neighbours are tried before the next jump.
const NEIGHBOURS: usize = 9;
const PERTURB_SHIFT: u32 = 5;

/// The ids in the order of a set into which they were put one by one.
pub(crate) fn set_order(ids: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
    let mut set = Set { table: vec![None; SMALLEST_TABLE], used: 0 };
    for id in ids {
        set.add(hash(id.as_str()), id);
    }
    set.table.into_iter().flatten().map(|(_, id)| id).collect()
}

struct Set {
    table: Vec<Option<(u64, NodeId)>>,
    used: usize,
}

impl Set {
    fn add(&mut self, hash: u64, id: NodeId) {
        let at = self.place(hash, &id);
        if self.table[at].is_some() {
            return;
        }
        self.table[at] = Some((hash, id));
        self.used += 1;
        if self.used * 5 >= (self.table.len() - 1) * 3 {
            self.grow();
        }
    }

    /// Where the id is, or where it belongs.
    fn place(&self, hash: u64, id: &NodeId) -> usize {
        let mask = self.table.len() - 1;
        let mut perturb = hash;
        let mut at = hash as usize & mask;
        loop {
            let end = if at + NEIGHBOURS <= mask { at + NEIGHBOURS } else { at };
            for place in at..=end {
                match &self.table[place] {
                    Some((_, other)) if other != id => {}
                    _ => return place,
                }
            }
            perturb >>= PERTURB_SHIFT;
            at = at.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb as usize) & mask;
        }
    }

    fn grow(&mut self) {
        let wanted = if self.used > 50_000 { self.used * 2 } else { self.used * 4 };
        let mut size = SMALLEST_TABLE;
        while size <= wanted {
            size *= 2;
        }
        let old = std::mem::replace(&mut self.table, vec![None; size]);
        for (hash, id) in old.into_iter().flatten() {
            let at = self.place(hash, &id);
            self.table[at] = Some((hash, id));
        }
    }
}

/// The hash of a text in a process with seed 0: SipHash-1-3 with a key of zeros, which is also what the standard
/// library's default hasher computes, over the characters in the narrowest width that holds all of them.
fn hash(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    let largest = text.chars().max().map_or(0, u32::from);
    let mut bytes = Vec::with_capacity(text.len());
    for code in text.chars().map(u32::from) {
        match largest {
            0..=0xff => bytes.push(code as u8),
            0x100..=0xffff => bytes.extend((code as u16).to_le_bytes()),
            _ => bytes.extend(code.to_le_bytes()),
        }
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    match hasher.finish() {
        u64::MAX => u64::MAX - 1,
        hash => hash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(ids: impl IntoIterator<Item = String>) -> String {
        let ids: Vec<_> =
            set_order(ids.into_iter().map(NodeId::from)).iter().map(ToString::to_string).collect();
        ids.join(" ")
    }

    fn order_of(ids: &[&str]) -> String {
        order(ids.iter().map(|id| (*id).to_owned()))
    }

    #[test]
    fn texts_are_hashed_as_by_a_server_with_seed_0() {
        assert_eq!(hash("2"), 1_450_935_647_650_615_885);
        assert_eq!(hash("узел 1"), 5_719_566_980_607_807_978);
        assert_eq!(hash("é"), 6_047_309_291_227_476_195);
        assert_eq!(hash("😀a"), 1_495_732_039_293_241_016);
    }

    #[test]
    fn ids_come_in_the_order_of_the_servers_set() {
        assert_eq!(order_of(&["2", "3", "5", "6"]), "5 6 2 3");
        assert_eq!(order_of(&["узел 1", "10:4", "3", "a.b.0"]), "узел 1 10:4 a.b.0 3");
        assert_eq!(order((1..12).map(|id| id.to_string())), "7 11 9 2 8 4 5 6 10 1 3");
        assert_eq!(
            order((1..40).map(|id| id.to_string())),
            "38 9 23 8 5 10 15 27 17 7 11 28 22 26 14 24 39 37 4 16 33 12 34 25 2 13 21 6 1 3 35 31 20 18 30 32 36 29 19"
        );
        assert_eq!(order_of(&["a", "a"]), "a");
    }
}
