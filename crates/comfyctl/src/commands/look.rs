//! What the commands that look at a workflow have in common. They ask no server.

use std::path::Path;

use comfy_api_client::workflow::Workflow;
use comfy_api_client::workflow::convert::{ConvertOptions, DynamicPrompts};
use comfy_api_client::workflow::schema::Schemas;

use crate::commands::object_info;
use crate::commands::workflow_file::{self, Opened};
use crate::failure::Failure;
use crate::printer::Printer;

/// The schemas of `--object-info`.
pub(crate) fn schemas(path: Option<&Path>) -> Result<Option<Schemas>, Failure> {
    path.map(object_info::read).transpose()
}

/// What runs, as far as it can be converted.
#[derive(Debug)]
pub(crate) struct Converted {
    workflow: Workflow,
    /// Why that is not all of it.
    failure: Option<Failure>,
}

impl Converted {
    /// What there is, to be looked at: what is missing is told as a warning.
    pub(crate) fn in_part(self, printer: &Printer) -> Workflow {
        if let Some(failure) = &self.failure {
            printer.warning(&failure.report.message);
        }
        self.workflow
    }

    /// All of it, or the failure.
    pub(crate) fn whole(self) -> Result<Workflow, Failure> {
        self.failure.map_or(Ok(self.workflow), Err)
    }
}

/// What runs; warnings on the way there are told. `None` for a workflow of the editor without schemas.
pub(crate) fn converted(
    opened: &Opened,
    schemas: Option<&Schemas>,
    printer: &Printer,
) -> Result<Option<Converted>, Failure> {
    if opened.document.needs_schemas() && schemas.is_none() {
        return Ok(None);
    }
    let none = Schemas::new();
    // What is looked at twice should look the same.
    let options = ConvertOptions::new().dynamic_prompts(DynamicPrompts::First);
    let conversion = opened.document.clone().into_workflow(schemas.unwrap_or(&none), &options)?;
    let failure = workflow_file::check(opened, &conversion, printer).err();
    Ok(Some(Converted { workflow: conversion.workflow, failure }))
}

/// The workflow as the file has it, for the want of schemas.
pub(crate) fn outlined(opened: &Opened, printer: &Printer) -> Workflow {
    if !printer.is_json() {
        printer.note("values are shown as the file has them; `--object-info` names them");
    }
    opened.document.editor.as_ref().map(|editor| editor.outline()).unwrap_or_default()
}
