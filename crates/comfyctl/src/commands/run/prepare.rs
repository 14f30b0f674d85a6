//! Everything before the submit.

use comfy_api_client::Workflow;
use comfy_api_client::workflow::SeedChange;
use comfy_api_client::workflow::convert::ProblemKind;

use crate::args::Run;
use crate::commands::assignment::{self, Assignment};
use crate::commands::connect::{Connected, connect};
use crate::commands::run::saving::Saving;
use crate::commands::{seeds, workflow_file};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Everything before the submit: the workflow with its changes, the folder for the files, the server.
pub(crate) async fn prepare(
    settings: &Settings,
    printer: &Printer,
    args: &Run,
    saving: &Saving,
) -> Result<(Connected, Workflow, Vec<SeedChange>), Failure> {
    let assignments = args.set.iter().map(|text| Assignment::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let opened = workflow_file::open(&args.workflow).await?;
    if let Some(workflow) = &opened.document.api {
        assignment::check_all(&assignments, workflow)?;
    }
    saving.check()?;
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
    let changes = seeds::apply(args.seed, &mut workflow, server.client()).await?;
    assignment::apply_all(&assignments, &mut workflow, server.client()).await?;
    Ok((server, workflow, changes))
}
