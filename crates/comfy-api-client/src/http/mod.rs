//! The one way in which requests go out and answers come in.

mod attempts;
mod body;
mod call;
mod failure;

use std::sync::{Arc, OnceLock};

use http::Method;
use reqwest::{Request, Response};
use tracing::Instrument;
use url::Url;

use crate::address::Address;
use crate::config::{Settings, Transport};
use crate::{Error, ErrorKind, Result};

pub use attempts::RetryPolicy;
pub(crate) use attempts::{Attempts, is_worth_another};
pub(crate) use body::LARGEST_BODY;
pub(crate) use call::{Call, if_found};

/// The connection pool to one server.
#[derive(Clone)]
pub(crate) struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    client: reqwest::Client,
    address: Address,
    settings: Settings,
    /// The largest body that the server takes, in bytes, once it was asked.
    upload_limit: OnceLock<u64>,
}

impl Http {
    pub(crate) fn new(address: Address, transport: Transport, settings: Settings) -> Result<Self> {
        let client = transport.client(&address, &settings)?;
        Ok(Self { inner: Arc::new(Inner { client, address, settings, upload_limit: OnceLock::new() }) })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.inner.address
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn upload_limit(&self) -> &OnceLock<u64> {
        &self.inner.upload_limit
    }

    /// A request to a path of the server that no [`Call`] knows, whose segments are already percent-encoded.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<Request> {
        Ok(Request::new(method, self.inner.address.join(path)?))
    }

    /// Sends a request; any status is an answer. There is no time limit but that for a connection.
    pub(crate) async fn execute(&self, request: Request) -> Result<Response> {
        let url = request.url().clone();
        // Without the query, which can hold anything.
        let span = tracing::debug_span!("request", method = %request.method(), path = url.path());
        let result = self.inner.client.execute(request).instrument(span.clone()).await;
        match &result {
            Ok(response) => tracing::debug!(parent: &span, status = response.status().as_u16(), "answer"),
            // The error itself can hold the whole URL.
            Err(_) => tracing::debug!(parent: &span, "no answer"),
        }
        result.map_err(|error| failure::of_transport(error, &self.inner.address, &url))
    }

    /// Sends a request, to which an answer must begin in time; any status is one.
    pub(crate) async fn execute_in_time(&self, request: Request) -> Result<Response> {
        let url = request.url().clone();
        let limit = self.inner.settings.request_timeout;
        tokio::time::timeout(limit, self.execute(request))
            .await
            .unwrap_or_else(|_| Err(failure::of_time(&self.inner.address, &url)))
    }

    /// Waits for the next step of a transfer, which may take long as a whole but must not stand still.
    pub(crate) async fn step<T>(&self, step: impl Future<Output = T>) -> Result<T> {
        let limit = self.inner.settings.idle_timeout;
        tokio::time::timeout(limit, step).await.map_err(|_| {
            let address = &self.inner.address;
            Error::new(ErrorKind::Timeout, format!("the transfer with {address} stood still for {limit:?}"))
                .with_hint("the server may be busy; try again, or allow more time")
        })
    }
}

/// A URL as messages show it: without query, which can hold anything.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("address", &self.inner.address).finish_non_exhaustive()
    }
}
