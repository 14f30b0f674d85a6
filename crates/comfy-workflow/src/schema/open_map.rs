use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::source::Source;

/// Keys and values as the server wrote them, in its order.
///
/// Values that occur in many descriptions, such as lists of files, are in memory once.
#[derive(Clone, Default)]
pub struct OpenMap {
    /// The text of the map, if it was not read yet.
    text: Box<str>,
    entries: OnceLock<Entries>,
}

type Entries = Box<[(Arc<str>, Arc<Value>)]>;

impl OpenMap {
    /// A map with these entries, read when it is first looked at if all of them are texts.
    pub(super) fn deferred<'a>(entries: Vec<(Cow<'a, str>, Source<'a>)>) -> Self {
        let texts = entries.iter().map(|(key, source)| match source {
            Source::Text(text) => Some(format!("{}:{text}", serde_json::to_string(key).ok()?)),
            Source::Value(_) => None,
        });
        match texts.collect::<Option<Vec<_>>>() {
            Some(texts) => Self { text: format!("{{{}}}", texts.join(",")).into(), entries: OnceLock::new() },
            None => entries.into_iter().map(|(key, source)| (key.into(), Arc::new(source.value()))).collect(),
        }
    }

    fn entries(&self) -> &[(Arc<str>, Arc<Value>)] {
        self.entries.get_or_init(|| {
            let entries = Source::of(&self.text).entries().into_iter();
            entries.map(|(key, source)| (key.into(), Arc::new(source.value()))).collect()
        })
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        // There are few.
        self.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// Whether there is such a key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// All keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries().iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// A copy as a map of JSON.
    #[must_use]
    pub fn to_map(&self) -> Map<String, Value> {
        self.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
    }
}

impl FromIterator<(Arc<str>, Arc<Value>)> for OpenMap {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<Value>)>>(entries: I) -> Self {
        Self { text: "".into(), entries: OnceLock::from(entries.into_iter().collect::<Entries>()) }
    }
}

impl PartialEq for OpenMap {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }
}

impl fmt::Debug for OpenMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
