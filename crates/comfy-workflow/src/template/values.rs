use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Error, ErrorKind};

/// A value that is given for a parameter or an input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Given {
    /// A text that a person wrote, on a command line or in a table. It takes the type of what it is given for.
    Text(String),
    /// JSON, which has the type already.
    Json(Value),
}

/// The values that a [`Template`](super::Template) is filled with, by the names of its parameters.
///
/// From JSON (`json!({…})`, a `Map`), from pairs of texts as on a command line, or from anything that serde writes as an
/// object. Nulls count as not given. Of values for the same name the last counts.
///
/// ```
/// use comfy_workflow::template::{Given, Values};
/// use serde_json::json;
///
/// let from_json = Values::from(json!({"seed": 42}));
/// let from_texts = Values::from([("seed", "42")]);
/// let of_both = Values::from([("seed", Given::from("42")), ("sizes", json!([1, 2]).into())]);
///
/// #[derive(serde::Serialize)]
/// struct Settings { seed: u64, steps: Option<u32> }
/// let from_struct = Values::from_serialize(&Settings { seed: 42, steps: None })?;
/// # let _: (Values, Values) = (from_texts, of_both);
/// assert_eq!(from_struct, Values::from(json!({"seed": 42, "steps": null})));
/// # assert_ne!(from_struct, from_json);
/// # Ok::<(), comfy_workflow::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    pub(super) entries: IndexMap<String, Given>,
    /// What was given instead of an object.
    pub(super) wrong: Option<Value>,
}

impl Values {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The fields of `values`, which serde writes as an object.
    ///
    /// # Errors
    /// [`ErrorKind::Values`] when serde cannot write it as JSON.
    pub fn from_serialize(values: &impl Serialize) -> Result<Self, Error> {
        let written = serde_json::to_value(values);
        let written = written
            .map_err(|error| Error::new(ErrorKind::Values, format!("the values are no JSON: {error}")))?;
        Ok(written.into())
    }

    /// Gives a value, in place of one that was given before.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Given>) {
        self.entries.insert(name.into(), value.into());
    }

    /// The values with their names, without nulls.
    pub(super) fn given(&self) -> impl Iterator<Item = (&str, &Given)> {
        let entries = self.entries.iter().map(|(name, given)| (name.as_str(), given));
        entries.filter(|(_, given)| !given.is_null())
    }
}

impl Given {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Json(Value::Null))
    }
}

impl<K: Into<String>, V: Into<Given>> FromIterator<(K, V)> for Values {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(name, given)| (name.into(), given.into())).collect();
        Self { entries, wrong: None }
    }
}

impl<K: Into<String>, V: Into<Given>, const N: usize> From<[(K, V); N]> for Values {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl From<Map<String, Value>> for Values {
    fn from(entries: Map<String, Value>) -> Self {
        entries.into_iter().collect()
    }
}

impl From<Value> for Values {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(entries) => entries.into(),
            Value::Null => Self::new(),
            other => Self { wrong: Some(other), ..Self::new() },
        }
    }
}

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

macro_rules! given_from {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Given {
            fn from(value: $kind) -> Self {
                Self::Json(value.into())
            }
        }
    )*};
}

given_from!(Value, bool, i32, i64, u32, u64, f64);
