//! What a server says about its node classes: a tolerant, typed model of `GET /object_info`.
//!
//! Servers mix two styles of description in one answer, older packs a third, and newer servers add keys. Nothing in a
//! description makes reading fail: what is not understood is kept as it is ([`InputType::Unknown`], `extra`).

mod deferred;
mod dynamic;
mod input;
mod node;
mod open_map;
mod resolve;
mod search;
mod similar;
mod source;

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

pub use dynamic::{Autogrow, AutogrowNames, DynamicGroup, DynamicOption, DynamicSlot, MatchType};
pub use input::{Description, InputSpec, InputType, Section};
pub use node::{NodeSchema, OutputSpec};
pub use open_map::OpenMap;
pub use resolve::ResolvedInput;
pub use similar::most_similar;

pub(crate) use similar::{Comparisons, Wanted};

use self::source::{Pool, Source};
use crate::json::{self, JsonError};

/// The node classes of a server, in its order.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    classes: IndexMap<String, NodeSchema>,
}

impl Schemas {
    /// No classes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the body of `GET /object_info` or of `GET /object_info/{class}` (which is the same map with one entry).
    ///
    /// # Errors
    /// `value` is not an object.
    pub fn from_value(value: Value) -> Result<Self, JsonError> {
        let Value::Object(map) = value else { return Err(not_an_object(&value)) };
        let classes =
            map.into_iter().map(|(name, info)| (name.clone(), NodeSchema::from_value(name, info))).collect();
        Ok(Self { classes })
    }

    /// Reads the text of an answer; see [`Schemas::from_value`]. What its classes have in common, such as lists of files,
    /// is in memory once, which makes this the better way for large answers.
    ///
    /// # Errors
    /// The text is no JSON, or not an object.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, JsonError> {
        let Classes(classes) = json::from_slice(bytes)?;
        Ok(Self { classes })
    }

    /// The description of a class.
    #[must_use]
    pub fn get(&self, class_type: &str) -> Option<&NodeSchema> {
        self.classes.get(class_type)
    }

    /// Whether the class is known.
    #[must_use]
    pub fn contains(&self, class_type: &str) -> bool {
        self.classes.contains_key(class_type)
    }

    /// All classes with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &NodeSchema)> {
        self.classes.iter().map(|(name, schema)| (name.as_str(), schema))
    }

    /// How many classes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there is no class.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Adds a class, or puts a newer description for it; gives back the older one.
    pub fn insert(&mut self, schema: NodeSchema) -> Option<NodeSchema> {
        self.classes.insert(schema.name.clone(), schema)
    }

    /// Takes a class out.
    pub fn remove(&mut self, class_type: &str) -> Option<NodeSchema> {
        self.classes.shift_remove(class_type)
    }

    /// Takes over all classes of `other`, which win over those of the same name.
    pub fn merge(&mut self, other: Self) {
        self.classes.extend(other.classes);
    }

    /// The known class whose name is most like `class_type`, when one is like it at all.
    #[must_use]
    pub fn similar(&self, class_type: &str) -> Option<&str> {
        most_similar(class_type, self.classes.keys().map(String::as_str))
    }
}

/// Classes read one after the other, so that the whole of them is never in memory as JSON.
struct Classes(IndexMap<String, NodeSchema>);

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Classes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of node classes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Classes, A::Error> {
                let mut pool = Pool::default();
                let mut classes = IndexMap::new();
                while let Some((name, info)) = map.next_entry::<String, &'de RawValue>()? {
                    let schema = NodeSchema::read(name.clone(), Source::Text(info), &mut pool);
                    classes.insert(name, schema);
                }
                classes.shrink_to_fit();
                Ok(Classes(classes))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

fn not_an_object(value: &Value) -> JsonError {
    JsonError {
        message: "expected an object of node classes".into(),
        path: String::new(),
        excerpt: value.to_string().chars().take(80).collect(),
        syntax: false,
    }
}

#[cfg(test)]
pub(crate) mod tests;
