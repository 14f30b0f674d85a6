use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::deferred::{Deferred, LongValue};
use super::input::Description;
use super::node::{self, Hidden};
use crate::json;

/// How much a [`Pool`] remembers of a kind before it begins anew: enough for what repeats, too little to weigh.
const MOST: usize = 1 << 14;
/// Values this short are numbers, flags and names of types, which repeat.
const SHORT: usize = 16;
/// Values this long are lists of files, which repeat. What is between the two are texts for people.
const LONG: usize = 200;

/// A part of a description that was not read yet: a text, or a value.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Text(&'a RawValue),
    Value(Value),
}

impl<'a> Source<'a> {
    /// A part of a text that was found readable.
    pub(super) fn of(text: &'a str) -> Self {
        serde_json::from_str(text).map_or(Self::Value(Value::Null), Self::Text)
    }

    /// The entries of an object; none of anything else.
    pub(super) fn entries(self) -> IndexMap<Cow<'a, str>, Self> {
        let value = match self {
            Self::Text(text) if text.get().starts_with('{') => {
                if let Ok(entries) = serde_json::from_str::<IndexMap<Key<'a>, &'a RawValue>>(text.get()) {
                    return entries.into_iter().map(|(key, text)| (key.0, Self::Text(text))).collect();
                }
                value(text)
            }
            Self::Text(_) => return IndexMap::new(),
            Self::Value(value) => value,
        };
        match value {
            Value::Object(map) => {
                map.into_iter().map(|(key, value)| (Cow::Owned(key), Self::Value(value))).collect()
            }
            _ => IndexMap::new(),
        }
    }

    /// The items of an array; none of anything else.
    pub(super) fn items(self) -> Vec<Self> {
        let value = match self {
            Self::Text(text) if text.get().starts_with('[') => {
                if let Ok(items) = serde_json::from_str::<Vec<&'a RawValue>>(text.get()) {
                    return items.into_iter().map(Self::Text).collect();
                }
                value(text)
            }
            Self::Text(_) => return Vec::new(),
            Self::Value(value) => value,
        };
        match value {
            Value::Array(items) => items.into_iter().map(Self::Value).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it is a text in quotes.
    pub(super) fn is_string(&self) -> bool {
        match self {
            Self::Text(text) => text.get().starts_with('"'),
            Self::Value(value) => value.is_string(),
        }
    }

    pub(super) fn value(self) -> Value {
        match self {
            Self::Text(text) => value(text),
            Self::Value(value) => value,
        }
    }

    /// The text in quotes, if it is one.
    pub(super) fn string(self) -> Option<String> {
        match self {
            Self::Text(text) if !text.get().starts_with('"') => None,
            other => match other.value() {
                Value::String(text) => Some(text),
                _ => None,
            },
        }
    }
}

/// Nothing in a description makes reading fail: what cannot be read, such as numbers beyond all bounds, is `null`.
fn value(text: &RawValue) -> Value {
    let mut value = json::from_str(text.get()).unwrap_or_default();
    shrink(&mut value);
    value
}

/// Gives back the room that arrays were read into.
fn shrink(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(shrink);
            items.shrink_to_fit();
        }
        Value::Object(map) => map.values_mut().for_each(shrink),
        _ => {}
    }
}

/// What descriptions have in common, while they are read: parts with the same text are read and kept once.
#[derive(Debug, Default)]
pub(super) struct Pool<'a> {
    names: HashSet<Arc<str>>,
    values: HashMap<&'a str, Arc<Value>>,
    long: HashMap<&'a str, Arc<LongValue>>,
    hidden: HashMap<&'a str, Arc<Hidden>>,
    inputs: HashMap<&'a str, Arc<Deferred>>,
}

impl<'a> Pool<'a> {
    /// A name, such as that of an option.
    pub(super) fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        if self.names.len() >= MOST {
            self.names.clear();
        }
        let name = Arc::from(name);
        self.names.insert(Arc::clone(&name));
        name
    }

    pub(super) fn value(&mut self, source: Source<'a>) -> Arc<Value> {
        match source {
            Source::Text(text) if text.get().len() <= SHORT => {
                once(&mut self.values, text.get(), || Source::Text(text).value())
            }
            other => Arc::new(other.value()),
        }
    }

    /// The hidden inputs of a class.
    pub(super) fn hidden(&mut self, source: Source<'a>) -> Arc<Hidden> {
        match source {
            Source::Text(text) => once(&mut self.hidden, text.get(), || node::hidden(Source::Text(text))),
            other => Arc::new(node::hidden(other)),
        }
    }

    /// The description of an input: a text is read when it is first looked at.
    pub(super) fn description(&mut self, source: Source<'a>, depth: usize) -> Arc<Deferred> {
        let Source::Text(text) = source else {
            return Arc::new(Deferred::known(Description::read(source, depth, &[], self)));
        };
        let Self { long, inputs, .. } = self;
        once(inputs, text.get(), || {
            let mut parts = Vec::new();
            let mut shorten = |text: &'a RawValue, place: usize| {
                let is_long = text.get().len() >= LONG;
                if is_long {
                    parts.push((place, once(long, text.get(), || LongValue::new(text.get()))));
                }
                if is_long { "null" } else { text.get() }
            };
            let text = if text.get().len() < LONG { None } else { shortened(text, &mut shorten) }
                .map_or_else(|| text.get().into(), String::into_boxed_str);
            Deferred::new(text, parts)
        })
    }
}

/// What a text stands for, made at most once while it is remembered.
fn once<'a, T>(known: &mut HashMap<&'a str, Arc<T>>, text: &'a str, make: impl FnOnce() -> T) -> Arc<T> {
    if let Some(known) = known.get(text) {
        return Arc::clone(known);
    }
    if known.len() >= MOST {
        known.clear();
    }
    let made = Arc::new(make());
    known.insert(text, Arc::clone(&made));
    made
}

/// The text of a description whose parts are put through `shorten`: the type, which is 0, and the values of the options,
/// which count from 1. `None` for one of another form, which has to stay as it is.
fn shortened<'a>(
    text: &'a RawValue,
    shorten: &mut impl FnMut(&'a RawValue, usize) -> &'a str,
) -> Option<String> {
    let parts: Vec<&'a RawValue> = serde_json::from_str(text.get()).ok()?;
    let options = match parts.get(1) {
        Some(options) => serde_json::from_str::<IndexMap<Key<'a>, &'a RawValue>>(options.get()).ok()?,
        None => IndexMap::new(),
    };
    let options = options.iter().enumerate().map(|(index, (key, value))| {
        let key = serde_json::to_string(&key.0).ok()?;
        Some(format!("{key}:{}", shorten(value, index + 1)))
    });
    let options = options.collect::<Option<Vec<_>>>()?.join(",");
    Some(format!("[{},{{{options}}}]", shorten(parts.first()?, 0)))
}

/// A key that is only copied where it is written with escapes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(key))
            }

            fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(key.to_owned()))
            }
        }
        deserializer.deserialize_str(Read).map(Self)
    }
}
