use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::{ExecInfo, Version, route};
use serde::Deserialize;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use crate::address::Address;
use crate::config::{ClientBuilder, Settings, Transport};
use crate::events::hub::Hub;
use crate::http::Http;
use crate::schemas::{SchemaCache, Store};
use crate::{ConnectionStatus, Error, ErrorKind, Job, Result, ServerEvents, Source, Submit};

/// Submits that are under way at the same time: more would take a connection each and gain nothing.
const MOST_SUBMITS: usize = 64;

/// Pause between two questions whether a server is ready.
const READY_PAUSE: Duration = Duration::from_millis(100);

/// A ComfyUI server, as seen by a program.
///
/// Clones are cheap and share one connection pool and one WebSocket, which is opened before the first submit and closed
/// with the last clone (and the last [`Job`]). Must be used within a tokio runtime.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: Http,
    hub: Arc<Hub>,
    submits: Semaphore,
    version: OnceCell<Option<Version>>,
    schemas: SchemaCache,
}

impl Client {
    /// Connects to a server: `host:port` (the port is 8188 unless given), or a URL with an optional path prefix.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::connect`].
    pub async fn connect(address: impl Into<String>) -> Result<Self> {
        Self::builder(address).connect().await
    }

    /// Settings for a client of the server at `address`; see [`connect`](Self::connect) for its forms.
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(address)
    }

    pub(crate) fn new(address: Address, transport: Transport, settings: Settings) -> Result<Self> {
        let http = Http::new(address, transport, settings)?;
        let hub = Arc::new(Hub::new(http.clone()));
        let store = http.settings().schema_folder.clone().map(Store::new);
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                hub,
                submits: Semaphore::new(MOST_SUBMITS),
                version: OnceCell::new(),
                schemas: SchemaCache::new(store),
            }),
        })
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.inner.hub
    }

    pub(crate) fn schema_cache(&self) -> &SchemaCache {
        &self.inner.schemas
    }

    /// The turn of a submit, until it is dropped.
    pub(crate) async fn turn_to_submit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.inner.submits.acquire().await.ok()
    }

    /// The server's address, without credentials and trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.http().address().to_string()
    }

    /// The server's version, where it tells one. Asked once.
    pub(crate) async fn version(&self) -> Option<Version> {
        *self.inner.version.get_or_init(|| self.http().version()).await
    }

    /// Whether the server shows keys of partner nodes in its queue.
    pub(crate) async fn shows_secrets(&self) -> bool {
        self.version().await.is_some_and(|version| version < Version::V0_8_0)
    }

    /// Sees that a ComfyUI server answers.
    pub(crate) async fn check(&self) -> Result<()> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "exec_info")]
            _exec_info: ExecInfo,
        }
        match self.http().call(route::PROMPT_INFO, &[]).once().read::<Answer>().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Status) => {
                let address = self.http().address();
                let hint = if matches!(error.status(), Some(502..=504)) {
                    "a proxy answers there, but not the server behind it; see that ComfyUI runs"
                } else if address.has_prefix() {
                    "check the path in the address"
                } else {
                    "check host and port; a server behind a proxy may need a path, such as `https://host/comfy`"
                };
                Err(Error::new(ErrorKind::UnexpectedReply, format!("no ComfyUI answers at {address}"))
                    .with_url(error.url().unwrap_or_default())
                    .with_status(error.status().unwrap_or_default())
                    .with_hint(hint)
                    .with_source(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until the server answers, such as one that was just started: asks it again and again, ten times a second
    /// at most.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::connect`] that no waiting mends, or the last one when `limit` is over.
    pub async fn wait_until_ready(&self, limit: Duration) -> Result<()> {
        let began = Instant::now();
        loop {
            // A port may be open long before anybody answers there.
            let left = limit.saturating_sub(began.elapsed());
            let error = match tokio::time::timeout(left, self.check()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => Error::new(ErrorKind::Timeout, "it did not answer in time"),
            };
            // A proxy may be there before its server is.
            if !error.is_retryable() && !matches!(error.status(), Some(502..=504)) {
                return Err(error);
            }
            if began.elapsed() + READY_PAUSE > limit {
                let message = format!("{} was not ready within {limit:?}", self.http().address());
                return Err(Error::new(error.kind(), message).with_source(error));
            }
            sleep(READY_PAUSE).await;
        }
    }

    /// Submits a workflow: one in the API format, or one of the editor or a document, which are converted first. Await the
    /// result for the [`Job`].
    ///
    /// Where the editor's document is known, it goes along and is written into saved pictures, so that they can be opened
    /// in the editor.
    ///
    /// ```no_run
    /// # async fn example(client: comfy_api_client::Client, workflow: comfy_workflow::Workflow) -> comfy_api_client::Result<()> {
    /// let job = client.submit(&workflow).front(true).await?;
    /// let outputs = job.await?;
    /// # Ok(()) }
    /// ```
    pub fn submit<'a>(&'a self, workflow: impl Into<Source<'a>>) -> Submit<'a> {
        Submit::new(self, workflow.into())
    }

    /// Follows a prompt that another process submitted, or this one before it was started again. Its messages went to
    /// whoever submitted it, so it is asked about: there is no progress and there are no previews.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the server knows no such prompt, or those of the connection.
    pub async fn job(&self, prompt_id: &str) -> Result<Job> {
        Job::adopt(self, prompt_id).await
    }

    /// Everything that the server says from now on, about the jobs of all clients as far as it tells: for monitors.
    /// Opens the WebSocket, however jobs are followed. Must be called within a runtime.
    pub fn events(&self) -> ServerEvents {
        self.hub().server_events()
    }

    /// State of the WebSocket. [`events`](Self::events) tells of every change.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.hub().status()
    }

    /// The id under which the server knows the open WebSocket, such as for
    /// [`subscribe_logs`](Self::subscribe_logs); another one for every connection.
    #[must_use]
    pub fn client_id(&self) -> Option<String> {
        self.hub().open_client_id()
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("address", self.http().address()).finish_non_exhaustive()
    }
}
