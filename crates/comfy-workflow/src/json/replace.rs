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
