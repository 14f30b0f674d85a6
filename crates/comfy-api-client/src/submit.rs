use std::borrow::Cow;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comfy_protocol::routes::prompt::{PromptAccepted, PromptRequest};
use comfy_protocol::{json as tolerant, route};
use comfy_workflow::convert::ConvertOptions;
use comfy_workflow::validate::{NodeErrors, Rejection, Titles};
use comfy_workflow::{Document, NodeId, Workflow};
use http::StatusCode;
use serde_json::{Map, Number, Value, json};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::check::Checks;
use crate::convert::usable;
use crate::events::record;
use crate::events::story::Nodes;
use crate::events::tracked::Tracked;
use crate::{Client, Error, ErrorKind, Job, Result, Source};

/// Pauses before the questions whether a request without an answer has arrived.
const ARRIVAL_PAUSES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(200), Duration::from_millis(600)];

/// Keys of extra data that nobody else should see.
const SECRETS: [&str; 2] = ["api_key_comfy_org", "auth_token_comfy_org"];

/// A workflow about to be submitted; made by [`Client::submit`]. Await it for the [`Job`].
///
/// Where that is given up halfway, the server may have taken the workflow, and runs it without anybody following it.
#[must_use = "nothing is submitted unless this is awaited"]
pub struct Submit<'a> {
    client: &'a Client,
    source: Source<'a>,
    options: Option<ConvertOptions>,
    request: PromptRequest,
    timeout: Option<Duration>,
    socket_outputs: Vec<NodeId>,
    checks: Checks,
}

impl<'a> Submit<'a> {
    pub(crate) fn new(client: &'a Client, source: Source<'a>) -> Self {
        Self {
            client,
            source,
            options: None,
            request: PromptRequest::default(),
            timeout: None,
            socket_outputs: Vec::new(),
            checks: Checks::default(),
        }
    }

    /// Runs before everything that waits in the queue.
    pub fn front(mut self, front: bool) -> Self {
        self.request.front = front;
        self
    }

    /// The place in the queue: lower runs first. Servers count up from 0 for those without.
    pub fn number(mut self, number: impl Into<Number>) -> Self {
        self.request.number = Some(number.into());
        self
    }

    /// Runs only these output nodes and what they need.
    pub fn targets<Id: Into<NodeId>>(mut self, nodes: impl IntoIterator<Item = Id>) -> Self {
        self.request.partial_execution_targets =
            Some(nodes.into_iter().map(|id| id.into().to_string()).collect());
        self
    }

    /// Nodes that give pictures over the socket, whose pictures are outputs then and not previews. Those of
    /// `SaveImageWebsocket` and `ETN_SendImageWebSocket` are known to.
    pub fn socket_outputs<Id: Into<NodeId>>(mut self, nodes: impl IntoIterator<Item = Id>) -> Self {
        self.socket_outputs.extend(nodes.into_iter().map(Into::into));
        self
    }

    /// Sends data along, which the server keeps with the prompt. An object under `extra_pnginfo` is written into saved
    /// pictures, key by key.
    pub fn extra_data(mut self, data: Map<String, Value>) -> Self {
        self.request.extra_data.extend(data);
        self
    }

    /// The id that the prompt is to have, one that no prompt of the server had before; a random one unless set. Servers
    /// since 0.30.0 take only UUIDs in lower case with hyphens.
    pub fn prompt_id(mut self, id: impl Into<String>) -> Self {
        self.request.prompt_id = Some(id.into());
        self
    }

    /// The workflow in the editor's own format. It is written into saved pictures, so that they can be opened in the
    /// editor, and its `id` is the `workflow_id` of the job.
    pub fn editor_workflow(mut self, workflow: Value) -> Self {
        let info = self.request.extra_data.entry("extra_pnginfo").or_insert_with(|| json!({}));
        if let Some(info) = info.as_object_mut() {
            info.insert("workflow".into(), workflow);
        }
        self
    }

    /// How a workflow of the editor is converted; by chance and by the clock unless set, as
    /// [`convert_options`](crate::convert_options) says.
    pub fn convert_options(mut self, options: ConvertOptions) -> Self {
        self.options = Some(options);
        self
    }

    /// How samplers make previews for this prompt (since 0.8.0): `none`, `auto`, `latent2rgb` or `taesd`.
    pub fn preview_method(self, method: impl Into<String>) -> Self {
        self.extra("preview_method", method.into())
    }

    /// The key with which partner nodes, which call paid services, are used.
    ///
    /// Servers before 0.8.0 show it to everybody who asks for their queue while the prompt is there; that is logged as a
    /// warning.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.extra("api_key_comfy_org", key.into())
    }

    /// The token of a session of the editor, for the same purpose as [`api_key`](Self::api_key).
    pub fn auth_token(self, token: impl Into<String>) -> Self {
        self.extra("auth_token_comfy_org", token.into())
    }

    /// Where the use of partner nodes comes from, as their operator is told (since 0.30.0).
    pub fn usage_source(self, source: impl Into<String>) -> Self {
        self.extra("comfy_usage_source", source.into())
    }

    fn extra(mut self, key: &str, value: String) -> Self {
        self.request.extra_data.insert(key.into(), value.into());
        self
    }

    /// Whether a workflow that the server is certain to refuse is refused here already, with all that is wrong with it; as
    /// it is unless set. It takes node schemas, and is done only where the client has some, such as by
    /// [`Client::schemas`]: a submit asks for none for this. Before a refusal the server is asked for its present ones.
    pub fn validate(mut self, validate: bool) -> Self {
        self.checks.validation = validate;
        self
    }

    /// Sends the workflow as it is.
    ///
    /// Some workflows stop a server for ever: it goes on to answer, and runs nothing any more until it is started again.
    /// Otherwise what would do so is taken out where it has no part in the result ([`Job::cleaned`] tells), and is an
    /// error of [`ErrorKind::Rejected`] where it has.
    pub fn unchecked(mut self) -> Self {
        self.checks = Checks { validation: false, dangers: false };
        self
    }

    /// Time limit from the submit to the end of the job, in place of [`ClientBuilder::job_timeout`]. A job that is over
    /// it ends here, and goes on at the server.
    ///
    /// [`ClientBuilder::job_timeout`]: crate::ClientBuilder::job_timeout
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Waits for the turn of the submit and makes it, within the time limit of the job.
    async fn send(self) -> Result<Job> {
        let chosen = self.request.prompt_id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let limit = self.timeout.or(self.client.http().settings().job_timeout);
        // One beyond all clocks is none.
        let limit = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let posted = AtomicBool::new(false);
        let submit = async {
            let _turn = self.client.turn_to_submit().await;
            // What a submit needs is there only while it is under way: thousands may wait for their turn.
            Box::pin(self.send_now(chosen.clone(), limit, &posted)).await
        };
        let Some((end, limit)) = limit else {
            return submit.await;
        };
        timeout_at(end, submit)
            .await
            .unwrap_or_else(|_| Err(over_time(&chosen, limit, posted.load(Ordering::Relaxed))))
    }

    /// The workflow that is sent, and the editor's document of it.
    async fn converted(&mut self) -> Result<Cow<'a, Workflow>> {
        let workflow = match self.source {
            Source::Workflow(workflow) => Cow::Borrowed(workflow),
            Source::Document(Document { api: Some(workflow), editor, .. }) => {
                let mut workflow = workflow.clone();
                workflow.set_editor(editor.clone());
                Cow::Owned(workflow)
            }
            source => {
                let mut convert = self.client.convert(source);
                if let Some(options) = self.options.take() {
                    convert = convert.convert_options(options);
                }
                Cow::Owned(usable(convert.await?, "the workflow")?)
            }
        };
        if let Some(document) = workflow.editor_document() {
            let info = self.request.extra_data.entry("extra_pnginfo").or_insert_with(|| json!({}));
            if let Some(info) = info.as_object_mut() {
                info.entry("workflow").or_insert(document);
            }
        }
        Ok(workflow)
    }

    async fn send_now(
        mut self,
        chosen: String,
        limit: Option<(Instant, Duration)>,
        posted: &AtomicBool,
    ) -> Result<Job> {
        let client = self.client;
        if SECRETS.iter().any(|key| self.request.extra_data.contains_key(*key))
            && client.shows_secrets().await
        {
            tracing::warn!(
                "servers before 0.8.0 show the keys of partner nodes to everybody who asks for their queue"
            );
        }
        let workflow = self.converted().await?;
        let checked = self.checks.check(client, &workflow, &self.request).await?;
        let nodes = Nodes::of(&checked.workflow, self.request.partial_execution_targets.as_deref());
        let nodes = nodes.sending(std::mem::take(&mut self.socket_outputs));
        let (tracked, client_id) = client.hub().register(chosen.clone(), nodes).await?;
        let mut registration = Registration { client, prompt_id: &chosen, keep: false };
        self.request.prompt = prompt(&checked.workflow);
        self.request.client_id = Some(client_id);
        self.request.prompt_id = Some(chosen.clone());
        let span = tracing::info_span!("submit", prompt_id = %chosen);
        posted.store(true, Ordering::Relaxed);
        let accepted = match tracing::Instrument::instrument(self.post(), span).await {
            Ok(accepted) => accepted,
            Err(error) if may_have_arrived(&error) => {
                match arrival(client, &tracked, &chosen, &error).await {
                    Arrival::Taken => Accepted {
                        prompt_id: chosen.clone(),
                        number: None,
                        node_errors: NodeErrors::default(),
                    },
                    Arrival::NotTaken => return Err(error.with_prompt_id(&chosen)),
                    Arrival::Unknown => return Err(unknown_arrival(&chosen, error)),
                }
            }
            Err(error) => return Err(error.with_prompt_id(&chosen)),
        };
        registration.keep = true;
        client.hub().accept(&tracked, &accepted.prompt_id);
        if let Some((end, limit)) = limit {
            tracked.end_at(end, limit);
        }
        let job = Job::new(client.clone(), tracked, accepted.number, accepted.node_errors);
        Ok(job.with_cleaned(checked.cleaned))
    }

    async fn post(&self) -> Result<Accepted> {
        let http = self.client.http();
        let response = http.call(route::SUBMIT, &[]).json(&self.request).answer().await?;
        if response.status() == StatusCode::BAD_REQUEST {
            let body = http.read_body(response).await?;
            let titles = Titles::from_prompt(&self.request.prompt);
            return Err(match tolerant::from_slice::<Rejection>(&body) {
                Ok(rejection) => Error::rejected(rejection, &titles),
                Err(error) => Error::new(
                    ErrorKind::Rejected,
                    "the server rejected the workflow, in a form not known here",
                )
                .with_status(400)
                .with_source(error),
            });
        }
        let answer: PromptAccepted = http.read_json(http.ok(response).await?).await?;
        Ok(Accepted { prompt_id: answer.prompt_id, number: answer.number, node_errors: answer.node_errors })
    }
}

impl std::fmt::Debug for Submit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is sent along can hold keys of paid services.
        let extra: Vec<&String> = self.request.extra_data.keys().collect();
        f.debug_struct("Submit")
            .field("front", &self.request.front)
            .field("number", &self.request.number)
            .field("targets", &self.request.partial_execution_targets)
            .field("extra_data", &extra)
            .finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Submit<'a> {
    type Output = Result<Job>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

struct Accepted {
    prompt_id: String,
    number: Option<Number>,
    node_errors: NodeErrors,
}

/// Forgets a job whose submit failed or was dropped in the middle.
struct Registration<'a> {
    client: &'a Client,
    prompt_id: &'a str,
    keep: bool,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        if !self.keep {
            self.client.hub().forget(self.prompt_id);
        }
    }
}

/// The body of the workflow. Every node gets an object `_meta`: servers since 0.30.0 fail on a node without when they
/// replace its class.
fn prompt(workflow: &Workflow) -> Value {
    let mut prompt = workflow.to_value();
    for node in prompt.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(node) = node.as_object_mut()
            && !node.get("_meta").is_some_and(Value::is_object)
        {
            node.insert("_meta".into(), Value::Object(Map::new()));
        }
    }
    prompt
}

/// What became of a request without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Taken,
    NotTaken,
    Unknown,
}

/// Asks whether the server has taken a request after all: it may still be busy with it when the connection breaks.
async fn arrival(client: &Client, tracked: &Tracked, prompt_id: &str, cause: &Error) -> Arrival {
    let mut always_answered = true;
    for pause in ARRIVAL_PAUSES {
        tokio::time::sleep(pause).await;
        if tracked.was_heard() {
            return Arrival::Taken;
        }
        match record::is_known(client.http(), prompt_id).await {
            Ok(true) => return Arrival::Taken,
            Ok(false) => {}
            Err(_) => always_answered = false,
        }
    }
    // A server that was out of reach in between may have taken it, and have been started again since.
    if always_answered && !may_be_on_its_way(cause) { Arrival::NotTaken } else { Arrival::Unknown }
}

/// Whether a request may still arrive, since nothing says that its connection is gone: what stood still for a time, here
/// or at a proxy, can move again.
fn may_be_on_its_way(error: &Error) -> bool {
    error.kind() == ErrorKind::Timeout || error.status() == Some(504)
}

/// The error for a prompt that may or may not have been taken.
fn unknown_arrival(prompt_id: &str, cause: Error) -> Error {
    let message =
        format!("the server did not answer for prompt {prompt_id}, and may have taken it or take it yet");
    Error::new(cause.kind(), message)
        .with_hint("ask for the prompt by its id before submitting the workflow again")
        .about_a_prompt_that_may_go_on()
        .with_prompt_id(prompt_id)
        .with_source(cause)
}

/// The error for a submit that was not through when the time of its job was over.
fn over_time(prompt_id: &str, limit: Duration, posted: bool) -> Error {
    if posted {
        let message =
            format!("the server has not answered for prompt {prompt_id} within {limit:?}, and may take it");
        return Error::new(ErrorKind::Timeout, message)
            .with_hint("ask for the prompt by its id before submitting the workflow again")
            .about_a_prompt_that_may_go_on()
            .with_prompt_id(prompt_id);
    }
    Error::new(ErrorKind::Timeout, format!("the workflow could not be submitted within {limit:?}"))
        .with_hint("nothing was sent; allow more time")
}

/// Whether the server may have taken a request that has no proper answer.
fn may_have_arrived(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Timeout | ErrorKind::Disconnected | ErrorKind::UnexpectedReply => true,
        ErrorKind::Status => error.status().is_some_and(|status| status >= 500),
        _ => false,
    }
}
