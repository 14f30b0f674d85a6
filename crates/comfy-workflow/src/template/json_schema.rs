//! The parameters of a template as JSON Schema.

use serde_json::{Map, Value, json};

use super::Template;
use super::parameter::{Parameter, ParameterType};

impl Template {
    /// A JSON Schema (2020-12) of the values that [`fill`](Self::fill) takes: an object with a property for each parameter
    /// and nothing else. It is fit for forms, and as the input of a tool of a language model.
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut schema = Map::new();
        schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        if let Some(description) = &self.description {
            schema.insert("description".into(), description.as_str().into());
        }
        schema.insert("type".into(), "object".into());
        let properties =
            self.parameters().map(|parameter| (parameter.name().to_owned(), self.property(parameter)));
        schema.insert("properties".into(), Value::Object(properties.collect()));
        let required = self.parameters().filter(|parameter| parameter.is_required());
        schema.insert("required".into(), required.map(|parameter| json!(parameter.name())).collect());
        schema.insert("additionalProperties".into(), false.into());
        Value::Object(schema)
    }

    fn property(&self, parameter: &Parameter) -> Value {
        let mut property = Map::new();
        let kind = match parameter.kind() {
            ParameterType::Int => Some("integer"),
            ParameterType::Float | ParameterType::Number => Some("number"),
            ParameterType::String => Some("string"),
            ParameterType::Boolean => Some("boolean"),
            ParameterType::Combo => {
                let texts =
                    !parameter.choices().is_empty() && parameter.choices().iter().all(Value::is_string);
                texts.then_some("string")
            }
            ParameterType::Any => None,
        };
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                property.insert(key.into(), value);
            }
        };
        put("type", kind.map(Into::into));
        put("description", parameter.description().map(Into::into));
        put("default", self.value_without(parameter).cloned());
        put("minimum", parameter.min().cloned().map(Value::Number));
        put("maximum", parameter.max().cloned().map(Value::Number));
        put(
            "enum",
            Some(parameter.choices()).filter(|choices| !choices.is_empty()).map(|choices| json!(choices)),
        );
        Value::Object(property)
    }
}
