use serde_json::Value;

/// Where the path of a [replacement](replace_values) begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Start {
    /// At the document itself.
    Root,
    /// At the document, and at every object in it that can be reached through objects. Inside of what the first key names,
    /// the rest of the path is followed, and nothing else is looked for.
    Anywhere,
}

/// Puts `value` wherever a path of keys leads, and tells how many places that are.
///
/// Nothing is added: a path that leads nowhere replaces nothing. Lists are not walked. An empty path names the document
/// itself. What a workflow's inputs are is not considered, so that links are replaced like any other value;
/// [`Workflow::set`](crate::Workflow::set) knows better.
///
/// ```
/// use comfy_workflow::json::{Start, replace_values};
/// use serde_json::json;
///
/// let mut document = json!({"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat"}}});
/// assert_eq!(replace_values(&mut document, "6.inputs.text".split('.'), "a fox", Start::Root), 1);
/// assert_eq!(replace_values(&mut document, ["inputs", "text"], "two foxes", Start::Anywhere), 1);
/// assert_eq!(document["6"]["inputs"]["text"], "two foxes");
/// ```
pub fn replace_values<'p>(
    document: &mut Value,
    path: impl IntoIterator<Item = &'p str>,
    value: impl Into<Value>,
    start: Start,
) -> usize {
    let path: Vec<&str> = path.into_iter().collect();
    let value = value.into();
    let mut count = 0;
    // An explicit stack: a document can be nested deeper than the thread's stack is. Of each place, how much of the path led
    // there.
    let mut places = vec![(document, 0)];
    while let Some((place, followed)) = places.pop() {
        let Some(key) = path.get(followed) else {
            *place = value.clone();
            count += 1;
            continue;
        };
        let Value::Object(entries) = place else { continue };
        if followed > 0 || start == Start::Root {
            places.extend(entries.get_mut(*key).map(|place| (place, followed + 1)));
        } else {
            let further = |name: &str| usize::from(name == *key);
            places.extend(entries.iter_mut().map(|(name, place)| (place, further(name))));
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same in the plainest way.
    fn expected(place: &Value, path: &[&str], is_rooted: bool) -> Value {
        let ([first, rest @ ..], Value::Object(entries)) = (path, place) else {
            return if path.is_empty() { Value::from("new") } else { place.clone() };
        };
        let entry = |(name, inner): (&String, &Value)| {
            let inner = match (name == first, is_rooted) {
                (true, _) => expected(inner, rest, true),
                (false, true) => inner.clone(),
                (false, false) => expected(inner, path, false),
            };
            (name.clone(), inner)
        };
        Value::Object(entries.iter().map(entry).collect())
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<u64>().prop_map(Value::from), Just(Value::from("a"))];
        leaf.prop_recursive(4, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_place_that_a_path_leads_to_is_replaced_and_no_other(
            document in documents(), path in prop::collection::vec("[abc]", 0..4), is_rooted: bool,
        ) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let start = if is_rooted { Start::Root } else { Start::Anywhere };
            let mut replaced = document.clone();
            let count = replace_values(&mut replaced, path.iter().copied(), "new", start);
            prop_assert_eq!(&replaced, &expected(&document, &path, is_rooted));
            prop_assert_eq!(replaced.to_string().matches("new").count(), count);
        }
    }
}
