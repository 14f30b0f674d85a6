//! Everything before the submit.

use comfy_api_client::workflow::convert::ConvertOptions;
use comfy_api_client::workflow::convert::ProblemKind;
use comfy_api_client::workflow::template::{Template, TemplateFile};
use comfy_api_client::workflow::{Document, SeedChange};
use comfy_api_client::{Client, Workflow, convert_options};
use sha2::{Digest, Sha256};

use crate::args::{Given, Seeds};
use crate::commands::assignment::{self, Assignment};
use crate::commands::connect::{Connected, connect};
use crate::commands::{seeds, template_file, workflow_file};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// What a workflow file comes to, with the changes of the command.
#[derive(Debug)]
pub(crate) enum Base {
    Workflow(Workflow),
    Template(Template),
}

/// What was read before a server is asked for anything.
#[derive(Debug)]
pub(crate) struct Opened {
    document: workflow_file::Opened,
    template: Option<TemplateFile>,
    pub(crate) assignments: Vec<Assignment>,
    /// Those that are made anew for each picture of a folder.
    pub(crate) of_pictures: Vec<Assignment>,
    /// Tells the content from any other.
    pub(crate) fingerprint: String,
}

impl Opened {
    /// Reads the workflow, and the template that it is for. With `pictures`, `{}` stands for those of a folder.
    pub(crate) async fn read(given: &Given, pictures: bool) -> Result<Self, Failure> {
        let assignments =
            given.set.iter().map(|text| Assignment::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let is_of_pictures = |assignment: &Assignment| pictures && assignment.is_for_pictures();
        let (of_pictures, assignments): (Vec<_>, Vec<_>) = assignments.into_iter().partition(is_of_pictures);
        let template = template_file::read(&given.workflow)?;
        if template.is_none() && !given.param.is_empty() {
            return Err(Failure::usage("usage", "`--param` is given, and the workflow is no template")
                .with_hint("give a file such as x.template.toml, or use `--set NODE.INPUT=VALUE`"));
        }
        let path = template.as_ref().map_or(given.workflow.as_path(), |template| &template.workflow);
        let document = workflow_file::open(path).await?;
        let mut hash = Sha256::new();
        hash.update(template.as_ref().map_or(&[][..], |template| &template.bytes));
        hash.update(content(&document.document));
        let fingerprint = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let template = template.map(|template| template.file);
        if let Some(workflow) = &document.document.api {
            assignment::check_all(&assignments, workflow)?;
        }
        Ok(Self { document, template, assignments, of_pictures, fingerprint })
    }

    /// Converts the workflow and changes it.
    pub(crate) async fn into_base(
        self,
        client: &Client,
        printer: &Printer,
        seed: Seeds,
        options: ConvertOptions,
    ) -> Result<(Base, Vec<SeedChange>), Failure> {
        let options = options.keep_placeholders(self.template.is_some());
        let mut conversion = client.convert(&self.document.document).convert_options(options).await?;
        // The check before the submit tells of them again.
        conversion.problems.retain(|problem| problem.kind != ProblemKind::InvalidValue);
        for problem in &conversion.problems {
            workflow_file::print_problem(workflow_file::problem(problem), printer);
        }
        workflow_file::check(&self.document, &conversion, printer)?;
        let mut workflow = conversion.workflow;
        assignment::check_all(&self.assignments, &workflow)?;
        let changes = seeds::apply(seed, &mut workflow, client).await?;
        assignment::apply_all(&self.assignments, &mut workflow, client, printer).await?;
        let Some(template) = self.template else { return Ok((Base::Workflow(workflow), changes)) };
        let template = template.into_template(workflow, &*client.schemas().await?)?;
        Ok((Base::Template(template), changes))
    }
}

/// Everything before the submit: the workflow with its changes, and the server. `check` is asked before anything goes
/// to the server.
pub(crate) async fn prepare(
    settings: &Settings,
    printer: &Printer,
    given: &Given,
    check: impl FnOnce() -> Result<(), Failure>,
) -> Result<(Connected, Workflow, Vec<SeedChange>), Failure> {
    let opened = Opened::read(given, false).await?;
    check()?;
    let server = connect(settings).await?;
    let (base, changes) = opened.into_base(server.client(), printer, given.seed, convert_options()).await?;
    let workflow = match base {
        Base::Workflow(workflow) => workflow,
        Base::Template(template) => template.fill(template_file::values(&given.param)?)?,
    };
    Ok((server, workflow, changes))
}

fn content(document: &Document) -> String {
    let api = document.api.as_ref().map(Workflow::to_value);
    let editor = document.editor.as_ref().map(|editor| editor.document());
    serde_json::to_string(&(api, editor)).unwrap_or_default()
}
