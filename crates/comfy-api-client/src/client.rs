use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use comfy_protocol::{ExecInfo, route};
use comfy_workflow::Workflow;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use crate::address::Address;
use crate::config::{ClientBuilder, Settings, Transport};
use crate::events::hub::Hub;
use crate::http::Http;
use crate::{Error, ErrorKind, Result, Submit};

/// Submits that are under way at the same time: more would take a connection each and gain nothing.
const MOST_SUBMITS: usize = 64;

/// Pause between two questions whether a server is ready.
const READY_PAUSE: Duration = Duration::from_millis(100);

/// A ComfyUI server, as seen by a program.
///
/// Clones are cheap and share one connection pool and one WebSocket, which is opened before the first submit and closed
/// with the last clone (and the last [`Job`](crate::Job)). Must be used within a tokio runtime.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: Http,
    hub: Arc<Hub>,
    submits: Semaphore,
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
    #[must_use]
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(address)
    }

    pub(crate) fn new(address: Address, transport: Transport, settings: Settings) -> Result<Self> {
        let http = Http::new(address, transport, settings)?;
        let hub = Arc::new(Hub::new(http.clone()));
        Ok(Self { inner: Arc::new(Inner { http, hub, submits: Semaphore::new(MOST_SUBMITS) }) })
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.inner.hub
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
                let hint = if address.has_prefix() {
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
        let end = Instant::now() + limit;
        loop {
            let error = match self.check().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !error.is_retryable() {
                return Err(error);
            }
            if Instant::now() + READY_PAUSE > end {
                let message = format!("{} was not ready within {limit:?}", self.http().address());
                return Err(Error::new(error.kind(), message).with_source(error));
            }
            sleep(READY_PAUSE).await;
        }
    }

    /// Reads a workflow from a file in the API format.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], or [`ErrorKind::Workflow`] when the file is empty, no JSON, no workflow, or in the editor's
    /// format.
    pub async fn open_workflow(&self, path: impl AsRef<Path>) -> Result<Workflow> {
        let path = path.as_ref();
        let bytes = tokio::fs::read(path).await;
        let bytes = bytes.map_err(|error| Error::io(format!("cannot read {}", path.display()), error))?;
        Workflow::from_slice(&bytes)
            .map_err(|error| Error::workflow(format!("{} cannot be used", path.display()), error))
    }

    /// Submits a workflow. Await the result for the [`Job`](crate::Job).
    ///
    /// ```no_run
    /// # async fn example(client: comfy_api_client::Client, workflow: comfy_workflow::Workflow) -> comfy_api_client::Result<()> {
    /// let job = client.submit(&workflow).front(true).await?;
    /// let outputs = job.await?;
    /// # Ok(()) }
    /// ```
    pub fn submit<'a>(&'a self, workflow: &'a Workflow) -> Submit<'a> {
        Submit::new(self, workflow)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("address", self.http().address()).finish_non_exhaustive()
    }
}
