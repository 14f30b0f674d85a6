//! `--set`: what a person writes to change an input.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use comfy_api_client::workflow::schema::Schemas;
use comfy_api_client::workflow::{self, Target, json};
use comfy_api_client::{Client, Workflow};
use serde_json::Value;

use crate::commands::placeholder;
use crate::failure::Failure;
use crate::printer::Printer;

/// One `--set`.
#[derive(Debug, PartialEq)]
pub(crate) struct Assignment {
    selector: String,
    value: Given,
}

#[derive(Debug, PartialEq)]
enum Given {
    /// Takes the type of the input.
    Text(String),
    Json(Value),
    /// A file to upload.
    File(PathBuf),
}

impl Assignment {
    /// Reads `SEL=VALUE`, `SEL:=JSON` or `SEL=@FILE`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |reason: &str| {
            Failure::usage("usage", format!("`--set {text}`: {reason}")).with_hint(
                "write `--set NODE.INPUT=VALUE`, `--set NODE.INPUT:=JSON` or `--set NODE.INPUT=@FILE`",
            )
        };
        let (selector, value) = workflow::split_assignment(text).ok_or_else(|| wrong("it has no `=`"))?;
        let (selector, value) = if let Some(selector) = selector.strip_suffix(':') {
            let value =
                json::from_str(value).map_err(|error| wrong(&format!("the value is no JSON: {error}")))?;
            (selector, Given::Json(value))
        } else if let Some(file) = value.strip_prefix('@').filter(|rest| !rest.starts_with('@')) {
            if file.is_empty() {
                return Err(wrong("the name of the file is missing"));
            }
            (selector, Given::File(file.into()))
        } else {
            (selector, Given::Text(value.strip_prefix('@').unwrap_or(value).to_owned()))
        };
        if selector.is_empty() {
            return Err(wrong("the input is missing"));
        }
        Ok(Self { selector: selector.to_owned(), value })
    }

    pub(crate) fn selector(&self) -> &str {
        &self.selector
    }

    /// The file that is uploaded.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.value {
            Given::File(path) => Some(path),
            _ => None,
        }
    }

    /// The inputs that are set.
    pub(crate) fn targets(&self, workflow: &Workflow) -> Result<Vec<Target>, Failure> {
        workflow.select(&self.selector).map_err(failure)
    }

    /// Whether it says something about each picture of a folder.
    pub(crate) fn is_for_pictures(&self) -> bool {
        match &self.value {
            Given::Text(text) => placeholder::is_in(text),
            Given::Json(value) => placeholder::is_in(&value.to_string()),
            Given::File(path) => placeholder::is_in(&path.to_string_lossy()),
        }
    }

    /// The same for one picture: `@{}` is the picture itself, and elsewhere `{}` stands for its name.
    pub(crate) fn for_picture(&self, picture: &Path) -> Self {
        let value = match &self.value {
            Given::Text(text) => Given::Text(placeholder::filled(text, picture)),
            Given::Json(value) => Given::Json(placeholder::filled_json(value, picture)),
            Given::File(path) if path.as_os_str() == "{}" => Given::File(picture.to_owned()),
            Given::File(path) => Given::File(placeholder::filled(&path.to_string_lossy(), picture).into()),
        };
        Self { selector: self.selector.clone(), value }
    }

    /// Changes the workflow as [`apply_all`] does, for one who takes errors of the library.
    pub(crate) async fn change(
        &self,
        workflow: &mut Workflow,
        client: &Client,
        schemas: &Schemas,
    ) -> comfy_api_client::Result<()> {
        match &self.value {
            Given::Text(text) => workflow.set_text(&self.selector, text, schemas)?,
            Given::Json(value) => workflow.set_checked(&self.selector, value.clone(), schemas)?,
            Given::File(path) => {
                let name = client.upload(path).await?.input_value();
                workflow.set_checked(&self.selector, Value::String(name), &Schemas::new())?
            }
        };
        Ok(())
    }

    /// Finds mistakes that need no server: a selector that misses, a file that is not there.
    fn check(&self, workflow: &Workflow) -> Result<(), Failure> {
        workflow.select(&self.selector).map_err(failure)?;
        if let Given::File(path) = &self.value {
            let shown = path.display();
            let metadata = std::fs::metadata(path).map_err(|error| {
                Failure::of_file("io", &format!("cannot read {shown}"), &error)
                    .with_hint("check the path after `@`; a text that begins with `@` is written `@@`")
            })?;
            if metadata.is_dir() {
                let message = format!("cannot upload {shown}: it is a folder, not a file");
                return Err(Failure::usage("io", message).with_hint("name one file after `@`"));
            }
        }
        Ok(())
    }

    /// Changes the workflow, uploading a file first, with a line for how far it is.
    async fn apply(
        &self,
        workflow: &mut Workflow,
        client: &Client,
        schemas: &Schemas,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let result = match &self.value {
            Given::Text(text) => workflow.set_text(&self.selector, text, schemas),
            Given::Json(value) => workflow.set_checked(&self.selector, value.clone(), schemas),
            Given::File(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let line = printer.live().transfers(1).transfer(&name);
                let upload = client.upload(path).on_progress(line.reporter());
                let name = upload.await.map_err(|error| upload_failure(error.into()))?.input_value();
                // The server has the file, whatever the list in the schema says.
                workflow.set_checked(&self.selector, Value::String(name), &Schemas::new())
            }
        };
        result.map_err(failure)
    }
}

/// The message names the node and the input; what is left is where it comes from.
fn failure(error: workflow::Error) -> Failure {
    let mut failure = Failure::from(error);
    failure.report.message = format!("--set: {}", failure.report.message);
    failure
}

fn upload_failure(failure: Failure) -> Failure {
    if failure.report.code == "io" { failure.into_usage() } else { failure }
}

/// Checks all of them before anything is asked of a server.
pub(crate) fn check_all(assignments: &[Assignment], workflow: &Workflow) -> Result<(), Failure> {
    assignments.iter().try_for_each(|assignment| assignment.check(workflow))
}

/// Makes all changes, with the schemas of the classes that they concern.
pub(crate) async fn apply_all(
    assignments: &[Assignment],
    workflow: &mut Workflow,
    client: &Client,
    printer: &Printer,
) -> Result<(), Failure> {
    let selectors = assignments.iter().map(|assignment| assignment.selector.as_str());
    let schemas = schemas_of(selectors, workflow, client).await?;
    for assignment in assignments {
        assignment.apply(workflow, client, &schemas, printer).await?;
    }
    Ok(())
}

/// The schemas of the classes that these selectors name, as the server has them now: lists of models and files change. Those
/// that name nothing are told of elsewhere.
pub(crate) async fn schemas_of(
    selectors: impl Iterator<Item = &str>,
    workflow: &Workflow,
    client: &Client,
) -> Result<Schemas, Failure> {
    let mut classes = BTreeSet::new();
    for selector in selectors {
        for target in workflow.select(selector).unwrap_or_default() {
            classes.extend(workflow.node(target.node.as_str()).map(|node| node.class_type.clone()));
        }
    }
    let mut schemas = Schemas::new();
    for class in classes {
        schemas.merge(client.object_info_of(&class).await?);
    }
    Ok(schemas)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exit::Exit;

    fn given(text: &str) -> (String, Given) {
        let assignment = Assignment::parse(text).unwrap();
        (assignment.selector, assignment.value)
    }

    #[test]
    fn the_three_forms_are_told_apart() {
        assert_eq!(given("3.seed=42"), ("3.seed".into(), Given::Text("42".into())));
        assert_eq!(given("3.text=a=b"), ("3.text".into(), Given::Text("a=b".into())));
        assert_eq!(given("3.text="), ("3.text".into(), Given::Text(String::new())));
        assert_eq!(given("3.list:=[1, 2]"), ("3.list".into(), Given::Json(json!([1, 2]))));
        assert_eq!(given("3.image=@a b.png"), ("3.image".into(), Given::File("a b.png".into())));
        assert_eq!(given("3.text=@@home"), ("3.text".into(), Given::Text("@home".into())));
        assert_eq!(given(r#""a=\"b".text=x"#), (r#""a=\"b".text"#.into(), Given::Text("x".into())));
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for wrong in ["3.seed", "=5", "3.x:={", "3.image=@"] {
            assert_eq!(Assignment::parse(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
