use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::input::Description;
use super::source::{Pool, Source};
use crate::json;

/// A description that is read when it is first looked at: servers describe thousands of inputs, and programs look at few.
pub(super) struct Deferred {
    /// `[type, options]`, with `null` for the long values.
    text: Box<str>,
    /// The values that are kept beside it, since many descriptions have them in common: by their place, which is 0 for
    /// the type and counts from 1 for the options.
    long: Box<[(usize, Arc<LongValue>)]>,
    description: OnceLock<Box<Description>>,
}

/// A value that is read when it is first looked at.
pub(super) struct LongValue {
    text: Box<str>,
    value: OnceLock<Arc<Value>>,
}

impl Deferred {
    pub(super) fn new(text: Box<str>, long: Vec<(usize, Arc<LongValue>)>) -> Self {
        Self { text, long: long.into(), description: OnceLock::new() }
    }

    /// A description that was read already.
    pub(super) fn known(description: Description) -> Self {
        Self { text: "".into(), long: Box::default(), description: OnceLock::from(Box::new(description)) }
    }

    pub(super) fn get(&self) -> &Description {
        self.description.get_or_init(|| {
            Box::new(Description::read(Source::of(&self.text), 0, &self.long, &mut Pool::default()))
        })
    }
}

impl LongValue {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), value: OnceLock::new() }
    }

    pub(super) fn get(&self) -> Arc<Value> {
        // Nothing in a description makes reading fail.
        Arc::clone(self.value.get_or_init(|| Arc::new(json::from_str(&self.text).unwrap_or_default())))
    }
}

impl PartialEq for Deferred {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Debug for LongValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
