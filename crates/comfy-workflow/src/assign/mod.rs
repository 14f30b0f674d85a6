//! Setting inputs.

pub(crate) mod value;

use serde_json::Value;

use self::value::Wanted;
use crate::schema::{InputSpec, Schemas};
use crate::workflow::clip;
use crate::{Error, ErrorKind, Link, Target, Workflow};

/// Whether a value that a file holds fits its schema; wrapped lists are taken as they are. The error continues "input `x` …".
pub(crate) fn check_stored(value: &Value, spec: &InputSpec) -> Result<(), String> {
    // Other types have values of their own making.
    if value.is_null() || value.is_object() || !spec.is_widget() {
        return Ok(());
    }
    value::check(value, &Wanted::of(Some(spec)))
}

impl Workflow {
    /// Puts `value` into every input that the selector names; see [`select`](Self::select).
    ///
    /// The input must be present. Nothing is changed when there is an error.
    ///
    /// # Errors
    /// Those of [`select`](Self::select); [`ErrorKind::NoMatch`] when a node does not have the input, naming the nearest;
    /// [`ErrorKind::Linked`] when the input is a link from another node.
    pub fn set(&mut self, selector: &str, value: impl Into<Value>) -> Result<(), Error> {
        let targets = self.select(selector)?;
        for target in &targets {
            self.value(target)?;
            self.check_not_linked(target)?;
        }
        let value = value.into();
        for target in &targets {
            self.put(target, value.clone());
        }
        Ok(())
    }

    /// Puts a text that a person wrote into every input that the selector names.
    ///
    /// The text takes the type of the input: that of its schema if `schemas` has it, else that of the present value.
    /// An input that its schema allows need not be present. Nothing is changed when there is an error.
    ///
    /// # Errors
    /// Those of [`set_checked`](Self::set_checked).
    pub fn set_text(&mut self, selector: &str, text: &str, schemas: &Schemas) -> Result<(), Error> {
        self.set_each(selector, schemas, |present, spec| {
            value::from_text(text, &Wanted::of(spec).or_present(present))
        })
    }

    /// Puts `value` into every input that the selector names, if it fits their schemas.
    ///
    /// An input that its schema allows need not be present. Classes without a schema are not checked. Nothing is changed
    /// when there is an error.
    ///
    /// # Errors
    /// Those of [`set`](Self::set); [`ErrorKind::InvalidValue`] when the value has the wrong type, is out of range, or is
    /// none of the choices, naming the nearest.
    pub fn set_checked(
        &mut self,
        selector: &str,
        value: impl Into<Value>,
        schemas: &Schemas,
    ) -> Result<(), Error> {
        let value = value.into();
        self.set_each(selector, schemas, |_, _| Ok(value.clone()))
    }

    fn set_each(
        &mut self,
        selector: &str,
        schemas: &Schemas,
        make: impl Fn(Option<&Value>, Option<&InputSpec>) -> Result<Value, String>,
    ) -> Result<(), Error> {
        let mut changes = Vec::new();
        for target in self.select(selector)? {
            let Some(node) = self.node(target.node.as_str()) else { continue };
            let schema = schemas.get(&node.class_type);
            let spec = schema
                .and_then(|schema| schema.input_for(&target.input, &node.inputs))
                .map(|input| input.spec);
            let present = node.inputs.get(&target.input);
            self.check_present(&target, schemas)?;
            self.check_not_linked(&target)?;
            let fitting = make(present, spec).and_then(|value| match Link::from_value(&value) {
                Some(_) => Ok(value),
                None => value::check(&value, &Wanted::of(spec)).map(|()| value),
            });
            let value = fitting.map_err(|reason| {
                let message =
                    format!("input `{}` of {} {reason}", clip(&target.input), self.describe(&target.node));
                Error::new(ErrorKind::InvalidValue, message)
            })?;
            changes.push((target, value));
        }
        for (target, value) in changes {
            self.put(&target, value);
        }
        Ok(())
    }

    /// Refuses an input that the node does not have and its schema does not allow, naming the nearest.
    pub(crate) fn check_present(&self, target: &Target, schemas: &Schemas) -> Result<(), Error> {
        let Some(node) = self.node(target.node.as_str()) else { return Ok(()) };
        if node.inputs.contains_key(&target.input) {
            return Ok(());
        }
        let declared =
            schemas.get(&node.class_type).map(|schema| schema.resolve(&node.inputs)).unwrap_or_default();
        if declared.iter().any(|input| input.name == target.input) {
            return Ok(());
        }
        let declared: Vec<String> = declared.into_iter().map(|input| input.name.into_owned()).collect();
        Err(self.no_input(target, node.inputs.keys().chain(&declared)))
    }

    /// Replaces or adds the input that `target` names.
    pub fn put(&mut self, target: &Target, value: Value) {
        if let Some(node) = self.node_mut(target.node.as_str()) {
            node.inputs.insert(target.input.clone(), value);
        }
    }

    /// Refuses an input whose value comes from another node.
    pub(crate) fn check_not_linked(&self, target: &Target) -> Result<(), Error> {
        let present = self.node(target.node.as_str()).and_then(|node| node.inputs.get(&target.input));
        let Some(link) = present.and_then(Link::from_value) else {
            return Ok(());
        };
        let source =
            self.key(link.node).map_or_else(|| format!("node {}", clip(link.node)), |id| self.describe(id));
        let message = format!(
            "input `{}` of {} is a link from {source}; set an input of that node instead",
            clip(&target.input),
            self.describe(&target.node),
        );
        Err(Error::new(ErrorKind::Linked, message))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workflow() -> Workflow {
        Workflow::from_value(json!({
            "1": {"class_type": "A", "inputs": {"seed": 1, "image": ["2", 0]}},
            "2": {"class_type": "A", "inputs": {"seed": 2}, "_meta": {"title": "Source"}},
        }))
        .unwrap()
    }

    #[test]
    fn set_changes_every_addressed_input() {
        let mut workflow = workflow();
        workflow.set("*.seed", u64::MAX).unwrap();
        assert_eq!(workflow.get("1.seed").unwrap(), u64::MAX);
        assert_eq!(workflow.get("2.seed").unwrap(), u64::MAX);
    }

    #[test]
    fn an_input_that_is_a_link_is_refused_and_nothing_changes() {
        let mut workflow = workflow();
        let error = workflow.set("1.image", "x.png").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Linked);
        assert_eq!(
            error.to_string(),
            "input `image` of node 1 (A) is a link from node 2 \"Source\" (A); set an input of that node instead"
        );
        assert_eq!(workflow, self::workflow());
    }

    #[test]
    fn an_absent_input_is_refused() {
        assert_eq!(
            workflow().set("1.sed", 1).unwrap_err().to_string(),
            "node 1 (A) has no input `sed`; did you mean `seed`?"
        );
    }
}
