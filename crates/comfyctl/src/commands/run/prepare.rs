//! Everything before the submit.

use std::path::Path;

use comfy_api_client::Workflow;
use comfy_api_client::workflow::SeedChange;
use comfy_api_client::workflow::convert::ProblemKind;

use crate::args::Seeds;
use crate::commands::assignment::{self, Assignment};
use crate::commands::connect::{Connected, connect};
use crate::commands::{seeds, workflow_file};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// The workflow of a command, and what is to be changed in it.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    pub(crate) workflow: &'a Path,
    pub(crate) set: &'a [String],
    pub(crate) seed: Seeds,
}

/// Everything before the submit: the workflow with its changes, and the server. `check` is asked before anything goes
/// to the server.
pub(crate) async fn prepare(
    settings: &Settings,
    printer: &Printer,
    given: Given<'_>,
    check: impl FnOnce() -> Result<(), Failure>,
) -> Result<(Connected, Workflow, Vec<SeedChange>), Failure> {
    let assignments = given.set.iter().map(|text| Assignment::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let opened = workflow_file::open(given.workflow).await?;
    if let Some(workflow) = &opened.document.api {
        assignment::check_all(&assignments, workflow)?;
    }
    check()?;
    let server = connect(settings).await?;
    let mut conversion = server.client().convert(&opened.document).await?;
    // The check before the submit tells of them again.
    conversion.problems.retain(|problem| problem.kind != ProblemKind::InvalidValue);
    for problem in &conversion.problems {
        workflow_file::print_problem(workflow_file::problem(problem), printer);
    }
    workflow_file::check(&opened, &conversion, printer)?;
    let mut workflow = conversion.workflow;
    assignment::check_all(&assignments, &workflow)?;
    let changes = seeds::apply(given.seed, &mut workflow, server.client()).await?;
    assignment::apply_all(&assignments, &mut workflow, server.client()).await?;
    Ok((server, workflow, changes))
}
