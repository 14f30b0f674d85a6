//! What is seen to before a workflow is sent: that the server does not stop over it, and that it is not certain to refuse it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::Version;
use comfy_protocol::routes::prompt::PromptRequest;
use comfy_workflow::Workflow;
use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::{
    Findings, Options, Problem, Profile, Replacements, Sanitized, Verdict, dangers, inspect,
    is_nested_too_deep, sanitize,
};
use serde_json::{Map, Value};

use crate::events::record;
use crate::{Client, Error, ErrorKind, Result};

/// Schemas of this age are the server's present ones.
const RECENT: Duration = Duration::from_secs(60);

/// Which of it is seen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checks {
    /// Whether a workflow that the server is certain to refuse is refused here, where schemas are at hand.
    pub(crate) validation: bool,
    /// Whether what a server stops over is taken out or refused.
    pub(crate) dangers: bool,
}

impl Default for Checks {
    fn default() -> Self {
        Self { validation: true, dangers: true }
    }
}

/// A workflow that may be sent.
pub(crate) struct Checked<'a> {
    pub(crate) workflow: Cow<'a, Workflow>,
    /// What was taken out of it.
    pub(crate) cleaned: Vec<Problem>,
}

impl Checks {
    /// Checks a workflow and what is sent along with it, as it stands in `request`.
    pub(crate) async fn check<'a>(
        self,
        client: &Client,
        workflow: &'a Workflow,
        request: &PromptRequest,
    ) -> Result<Checked<'a>> {
        let mut checked = Checked { workflow: Cow::Borrowed(workflow), cleaned: Vec::new() };
        let targets =
            request.partial_execution_targets.as_ref().map_or(Value::Null, |ids| Value::from(ids.clone()));
        if self.dangers {
            extra_data(&request.extra_data)?;
            only_once(client, request).await?;
            let dangers = dangers(workflow);
            if !dangers.is_empty() {
                let (safe, cleaned) = safe(client, workflow, &targets, &dangers).await?;
                for problem in &cleaned {
                    tracing::warn!("{problem}");
                }
                checked = Checked { workflow: Cow::Owned(safe), cleaned };
            }
        }
        if self.validation
            && let Some(schemas) = client.kept_schemas()
        {
            refuse(client, &checked.workflow, &targets, &schemas).await?;
        }
        Ok(checked)
    }
}

/// The schemas that are at hand, where the server gave them so lately that it has the same now. With older ones an input
/// that a class has gained since would be taken for one that it does not have.
fn recent(client: &Client) -> Option<Arc<Schemas>> {
    client.schemas_age().filter(|age| *age < RECENT).and_then(|_| client.kept_schemas())
}

/// Takes out of a workflow what the server would stop over, and refuses it where that cannot be.
async fn safe(
    client: &Client,
    workflow: &Workflow,
    targets: &Value,
    suspected: &[Problem],
) -> Result<(Workflow, Vec<Problem>)> {
    let known = recent(client);
    let mut reason = None;
    if let Some(schemas) = &known {
        let (safe, sanitized) = sanitized(workflow, schemas, targets);
        // Of a class that is not known anything may be true, and new ones come with every new pack.
        if sanitized.dangers.is_empty()
            && workflow.nodes().all(|(_, node)| schemas.contains(&node.class_type))
        {
            return Ok((safe, sanitized.cleaned));
        }
    }
    match client.refresh_schemas().await {
        Ok(schemas) => {
            let (safe, sanitized) = sanitized(workflow, &schemas, targets);
            if sanitized.dangers.is_empty() {
                return Ok((safe, sanitized.cleaned));
            }
            return Err(stops_the_server(&sanitized.dangers));
        }
        Err(error) => drop(reason.insert(error)),
    }
    let error = stops_the_server(suspected);
    Err(match reason {
        Some(cause) => error
            .with_hint("its node classes, which would tell whether it does harm, could not be asked for")
            .with_source(cause),
        None => error,
    })
}

fn sanitized(workflow: &Workflow, schemas: &Schemas, targets: &Value) -> (Workflow, Sanitized) {
    let mut workflow = workflow.clone();
    let options = Options::new(schemas).partial_targets(targets);
    let sanitized = sanitize(&mut workflow, &options);
    (workflow, sanitized)
}

fn stops_the_server(dangers: &[Problem]) -> Error {
    Error::new(
        ErrorKind::Rejected,
        format!(
            "the server would stop for ever over the workflow, which was not sent\n{}",
            lines(dangers.iter())
        ),
    )
}

fn lines<'a>(problems: impl Iterator<Item = &'a Problem>) -> String {
    problems.map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Refuses what the server is certain to refuse, and knows better than schemas that may be old.
async fn refuse(client: &Client, workflow: &Workflow, targets: &Value, schemas: &Schemas) -> Result<()> {
    let prompt = workflow.to_value();
    let none = Replacements::default();
    let find = |schemas: &Schemas, profile: Profile, replacements: &Replacements| -> Findings {
        let options =
            Options::new(schemas).profile(profile).partial_targets(targets).replacements(replacements);
        inspect(&prompt, &options)
    };
    if !find(schemas, Profile::default(), &none).certain {
        return Ok(());
    }
    // Of versions beyond those that were watched nothing is certain, nor of servers that do not tell theirs.
    let Some(version) = client.version().await.filter(|version| *version < Version::new(0, 31, 0)) else {
        return Ok(());
    };
    let Ok(schemas) = client.refresh_schemas().await else { return Ok(()) };
    let replacements = match version >= Version::V0_30_0 {
        true => client.replacements().await,
        false => Some(none),
    };
    let Some(replacements) = replacements else { return Ok(()) };
    let findings = find(&schemas, Profile::for_version(&version.to_string()), &replacements);
    if !findings.certain {
        return Ok(());
    }
    let lines = lines(findings.errors());
    let rejection = match findings.verdict {
        Verdict::Rejected(rejection) => Some(rejection),
        _ => None,
    };
    Err(Error::refused(rejection, &lines))
}

impl Client {
    /// All that is wrong with a workflow, as far as the server's node schemas tell, without submitting it: see
    /// [`inspect`]. What a submit would take out, since the server would stop over it, counts as wrong too. Kept schemas
    /// with which something is wrong are asked for anew.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn validate(&self, workflow: &Workflow) -> Result<Findings> {
        let known = self.kept_schemas();
        let schemas = self.schemas().await?;
        let findings = self.find(workflow, &schemas).await;
        if findings.problems.is_empty() || known.is_none() {
            return Ok(findings);
        }
        let schemas = self.refresh_schemas().await?;
        Ok(self.find(workflow, &schemas).await)
    }

    async fn find(&self, workflow: &Workflow, schemas: &Schemas) -> Findings {
        let version = self.version().await;
        let profile =
            version.map_or_else(Profile::default, |version| Profile::for_version(&version.to_string()));
        let replacements = match version {
            Some(version) if version >= Version::V0_30_0 => self.replacements().await,
            _ => None,
        };
        let mut options = Options::new(schemas).profile(profile);
        if let Some(replacements) = &replacements {
            options = options.replacements(replacements);
        }
        inspect(&workflow.to_value(), &options)
    }

    async fn replacements(&self) -> Option<Replacements> {
        let rules = self.node_replacements().await.ok()?;
        Some(Replacements::from_value(&serde_json::to_value(rules).ok()?))
    }
}

/// Refuses the id of a prompt that the server knows, where the number is chosen as well: two prompts of the same id and
/// number in its queue cannot be put into an order, over which its worker stops.
async fn only_once(client: &Client, request: &PromptRequest) -> Result<()> {
    let (Some(id), Some(_)) = (&request.prompt_id, &request.number) else { return Ok(()) };
    if !record::is_known(client.http(), id).await? {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!("the server has a prompt {} already", crate::text::one_line(id, 60)),
    )
    .with_hint("leave the id to the client, or take another one"))
}

/// Refuses extra data that would make the server stop, or its lists fail for everybody.
fn extra_data(extra_data: &Map<String, Value>) -> Result<()> {
    let wrong = |what: &str, problem: &str, hint: &str| {
        Err(Error::new(ErrorKind::Config, format!("`{what}` in the extra data {problem}")).with_hint(hint))
    };
    if let Some((key, _)) = extra_data.iter().find(|(_, value)| is_nested_too_deep(value)) {
        let key = crate::text::one_line(key, 60);
        return wrong(
            &key,
            "is nested too deep",
            "the server's history would fail for everybody; make it flatter",
        );
    }
    let object = "send an object, or leave it out: anything else breaks the server's list of jobs";
    let info = extra_data.get("extra_pnginfo");
    match (info, info.and_then(|info| info.get("workflow"))) {
        (Some(info), _) if !info.is_object() => wrong("extra_pnginfo", "is no object", object),
        (_, Some(workflow)) if !workflow.is_object() => {
            wrong("extra_pnginfo.workflow", "is no object", object)
        }
        _ => Ok(()),
    }
}
