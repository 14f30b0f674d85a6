//! Where a value comes from: which simulated nodes, seeds and texts had a part in it.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use sha2::{Digest as _, Sha256};

/// What of each kind is remembered of one value. A workflow with more has pictures that do not tell all of it apart.
const MOST: usize = 256;

/// What stands behind a value that a simulated node had a part in. It goes along with the results of nodes, so that it also
/// survives computed nodes in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The simulated classes, in the order in which the value met them.
    pub(crate) classes: IndexSet<Arc<str>>,
    /// The values of seeds.
    pub(super) seeds: IndexSet<u64>,
    /// The texts of prompts, empty ones too.
    pub(super) texts: IndexSet<Arc<str>>,
}

impl Origin {
    /// Takes over what `other` has more.
    pub(super) fn add(&mut self, other: &Self) {
        add(&mut self.classes, &other.classes);
        add(&mut self.seeds, &other.seeds);
        add(&mut self.texts, &other.texts);
    }

    pub(super) fn add_seed(&mut self, seed: u64) {
        add(&mut self.seeds, &IndexSet::from([seed]));
    }

    pub(super) fn add_text(&mut self, text: &str) {
        add(&mut self.texts, &IndexSet::from([text.into()]));
    }

    pub(super) fn add_class(&mut self, class: &str) {
        add(&mut self.classes, &IndexSet::from([class.into()]));
    }

    /// What pictures are made from: seeds and texts, and nothing else.
    pub(super) fn key(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for seed in &self.seeds {
            hasher.update(seed.to_le_bytes());
        }
        for text in &self.texts {
            hasher.update(b"text");
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().into()
    }
}

fn add<T: Clone + std::hash::Hash + Eq>(to: &mut IndexSet<T>, from: &IndexSet<T>) {
    let room = MOST.saturating_sub(to.len());
    let new: Vec<T> = from.iter().filter(|item| !to.contains(*item)).take(room).cloned().collect();
    to.extend(new);
}

/// The origins of a node's inputs, by their names; inputs that no simulated node had a part in are not there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins(pub(crate) IndexMap<String, Arc<Origin>>);

impl Origins {
    /// What stands behind all inputs together; `None` when everything was computed.
    pub(crate) fn together(&self) -> Option<Arc<Origin>> {
        let mut origins: Vec<_> = self.0.iter().collect();
        let (_, first) = origins.first()?;
        if origins.iter().all(|(_, origin)| Arc::ptr_eq(origin, first)) {
            return Some(Arc::clone(first));
        }
        // The order of a prompt's inputs is not to matter.
        origins.sort_unstable_by_key(|(name, _)| *name);
        let mut all = Origin::default();
        origins.iter().for_each(|(_, origin)| all.add(origin));
        Some(Arc::new(all))
    }
}
