use comfy_api_client::Workflow;
use comfy_api_client::workflow::schema::Schemas;
use comfy_api_client::workflow::validate::{
    Effect, Findings, Options, Problem, Profile, Severity, Verdict, inspect,
};
use serde_json::{Value, json};

use crate::args::Validate;
use crate::commands::connect::connect;
use crate::commands::workflow_file;
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
        Ok(findings) => {
            for problem in &findings.problems {
                tell(problem, printer);
            }
            verdict(&findings, printer)
        }
        Err(failure) => {
            printer.json(&json!({
                "type": "result", "status": failure.status, "certain": false, "errors": 0, "warnings": 0,
                "server": null, "error": failure.report,
            }));
            Some(failure)
        }
    };
    let Some(failure) = failure else { return Exit::Success };
    printer.error(&failure);
    failure.exit
}

/// What is wrong with the workflow, by the schemas of a file or of a server.
async fn find(settings: &Settings, args: &Validate) -> Result<Findings, Failure> {
    let workflow = workflow(args).await?;
    let Some(path) = &args.object_info else {
        return Ok(connect(settings).await?.client().validate(&workflow).await?);
    };
    let shown = path.display();
    let hint = "save the body of a server's `/object_info` in a file";
    let bytes = tokio::fs::read(path).await.map_err(|error| {
        Failure::of_file("object_info", &format!("cannot read {shown}"), &error).with_hint(hint)
    })?;
    let schemas = Schemas::from_slice(&bytes).map_err(|error| {
        Failure::usage("object_info", format!("{shown} has no node schemas: {error}")).with_hint(hint)
    })?;
    let profile = args.as_version.as_deref().map_or_else(Profile::default, Profile::for_version);
    Ok(inspect(&workflow.to_value(), &Options::new(&schemas).profile(profile)))
}

/// The workflow of the file: the one place to convert other documents in.
async fn workflow(args: &Validate) -> Result<Workflow, Failure> {
    workflow_file::read(&args.workflow).await
}

fn tell(problem: &Problem, printer: &Printer) {
    if printer.is_json() {
        let mut line = serde_json::to_value(problem).unwrap_or_default();
        if let Value::Object(fields) = &mut line {
            fields.shift_insert(0, "type".into(), "problem".into());
        }
        printer.json(&line);
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
fn verdict(findings: &Findings, printer: &Printer) -> Option<Failure> {
    let errors = findings.errors().count();
    let warnings = findings.problems.len() - errors;
    let message = match () {
        () if findings.is_rejected() && findings.certain => "the server would reject the workflow",
        () if findings.is_rejected() => "the server would reject the workflow, as far as can be told",
        () if findings.stops_the_worker() => "the server would stop for ever over the workflow",
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
