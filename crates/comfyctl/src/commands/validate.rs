use comfy_api_client::local_time;
use comfy_api_client::workflow::convert::{self, ConvertOptions, ProblemKind};
use comfy_api_client::workflow::validate::{
    Effect, Findings, Options, Problem, Profile, Severity, Verdict, inspect,
};
use serde_json::{Value, json};

use crate::args::Validate;
use crate::commands::connect::connect;
use crate::commands::{object_info, workflow_file};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::Settings;

/// Tells all that is wrong with a workflow.
pub(crate) async fn validate(settings: &Settings, printer: &Printer, args: Validate) -> Exit {
    let work = find(settings, &args);
    let result = match settings.timeout {
        Some(limit) => {
            tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(Failure::timed_out(limit)))
        }
        None => work.await,
    };
    let failure = match result {
        Ok(found) => {
            for problem in &found.document {
                tell_document(problem, printer);
            }
            for problem in &found.conversion {
                tell_conversion(problem, printer);
            }
            for problem in &found.findings.problems {
                tell(problem, printer);
            }
            verdict(&found, printer)
        }
        Err(failure) => {
            print_failure(printer, &failure);
            Some(failure)
        }
    };
    let Some(failure) = failure else { return Exit::Success };
    printer.error(&failure);
    failure.exit
}

/// The result where nothing could be told.
fn print_failure(printer: &Printer, failure: &Failure) {
    printer.json(&json!({
        "type": "result", "status": failure.status, "certain": false, "errors": 0, "warnings": 0,
        "server": null, "error": failure.report,
    }));
}

/// The result where the command line was refused.
pub(crate) fn print_refusal(message: &str) {
    let failure = Failure::usage("usage", message).with_hint("see `comfyctl validate --help`");
    print_failure(&Printer::for_json(), &failure);
}

/// What is wrong with a workflow.
struct Found {
    /// What is wrong with the file.
    document: Vec<String>,
    /// What its conversion found that the checks of the result do not.
    conversion: Vec<convert::Problem>,
    findings: Findings,
}

/// What is wrong with the workflow, by the schemas of a file or of a server.
async fn find(settings: &Settings, args: &Validate) -> Result<Found, Failure> {
    let opened = workflow_file::open(&args.workflow).await?;
    let of_document = opened.document.problems.iter();
    let document = of_document.map(|problem| format!("{} {problem}", opened.name)).collect();
    let Some(path) = &args.object_info else {
        let asked = async {
            let server = connect(settings).await?;
            let conversion = server.client().convert(&opened.document).await?;
            let findings = server.client().validate(&conversion.workflow).await?;
            Ok(Found { document, conversion: unchecked(conversion.problems), findings })
        };
        return asked.await.map_err(object_info::or_a_file);
    };
    let schemas = object_info::read(path)?;
    let options = ConvertOptions::new().now(local_time());
    let conversion = opened.document.into_workflow(&schemas, &options)?;
    let profile =
        args.as_version.map_or_else(Profile::default, |version| Profile::for_version(&version.to_string()));
    let findings = inspect(&conversion.workflow.to_value(), &Options::new(&schemas).profile(profile));
    Ok(Found { document, conversion: unchecked(conversion.problems), findings })
}

/// The problems of a conversion but for those that the checks of its result find again.
fn unchecked(mut problems: Vec<convert::Problem>) -> Vec<convert::Problem> {
    problems.retain(|problem| match problem.kind {
        ProblemKind::InvalidValue => false,
        // With a warning the node was left out.
        ProblemKind::UnknownClass => problem.severity == convert::Severity::Warning,
        _ => true,
    });
    problems
}

fn tell_document(problem: &str, printer: &Printer) {
    if printer.is_json() {
        printer
            .json(&json!({"type": "problem", "severity": "warning", "kind": "document", "message": problem}));
    } else {
        printer.line(&format!("warning: {problem}"));
    }
}

fn tell_conversion(problem: &convert::Problem, printer: &Printer) {
    if !printer.is_json() {
        printer.line(&format!("{}: {problem}", problem.severity));
        return;
    }
    workflow_file::print_problem(workflow_file::problem(problem), printer);
}

fn tell(problem: &Problem, printer: &Printer) {
    if printer.is_json() {
        workflow_file::print_problem(json!(problem), printer);
        return;
    }
    let word = match (problem.severity, problem.effect) {
        (Severity::Warning, _) => "warning",
        (_, Effect::PerhapsRefused) => "perhaps an error",
        _ => "error",
    };
    printer.line(&format!("{word}: {problem}"));
}

/// The failure of the command, where the workflow is not one to submit.
fn verdict(found: &Found, printer: &Printer) -> Option<Failure> {
    let Found { document, conversion, findings } = found;
    let lost = conversion.iter().filter(|problem| problem.severity == convert::Severity::Error).count();
    let errors = findings.errors().count() + lost;
    let warnings = findings.problems.len() + conversion.len() + document.len() - errors;
    let message = match () {
        () if findings.is_rejected() && findings.certain => "the server would reject the workflow",
        () if findings.is_rejected() => "the server would reject the workflow, as far as can be told",
        () if findings.stops_the_worker() => "the server would stop for ever over the workflow",
        () if lost > 0 => "the workflow cannot be converted to what the server runs",
        () => "",
    };
    let failure = (!message.is_empty()).then(|| Failure::new(Exit::Rejected, "rejected", message));
    let failure = failure.map(|failure| match findings.stops_the_worker() {
        true => failure.with_hint("`run` does not send what stops a server, and takes it out where it can"),
        false => failure,
    });
    let server = match &findings.verdict {
        Verdict::Rejected(rejection) => json!(rejection),
        Verdict::Accepted(accepted) => json!({"error": null, "node_errors": accepted.node_errors}),
        _ => Value::Null,
    };
    printer.json(&json!({
        "type": "result",
        "status": failure.as_ref().map_or("success", |failure| failure.status),
        "certain": findings.certain,
        "errors": errors,
        "warnings": warnings,
        "server": server,
        "error": failure.as_ref().map(|failure| &failure.report),
    }));
    if failure.is_none() && !printer.is_json() {
        let skipped = match errors {
            0 => "",
            _ => ", and would leave out what has errors",
        };
        printer.note(&format!("the server would run the workflow{skipped}"));
    }
    failure
}
