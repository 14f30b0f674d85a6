//! The one way in which requests go out and answers come in.

mod failure;

use std::sync::Arc;

use bytes::Bytes;
use comfy_protocol::json;
use http::Method;
use http::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::address::Address;
use crate::config::Settings;
use crate::{Error, ErrorKind, Result};

/// The largest body that is read into memory. Lists of nodes have tens of megabytes, histories more.
const LARGEST_BODY: usize = 1 << 30;

/// The connection pool to one server.
#[derive(Clone)]
pub(crate) struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    client: reqwest::Client,
    address: Address,
    headers: HeaderMap,
    settings: Settings,
    tls: Arc<rustls::ClientConfig>,
}

impl Http {
    pub(crate) fn new(address: Address, headers: HeaderMap, settings: Settings) -> Result<Self> {
        let tls = crate::tls::client_config(address.is_tls())?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .default_headers(headers.clone())
            .user_agent(concat!("comfy-api-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            // A redirected POST would become a GET; see `failure::of_status`.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, "cannot set up HTTP").with_source(error))?;
        Ok(Self { inner: Arc::new(Inner { client, address, headers, settings, tls: Arc::new(tls) }) })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.inner.address
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.inner.headers
    }

    pub(crate) fn tls(&self) -> Arc<rustls::ClientConfig> {
        Arc::clone(&self.inner.tls)
    }

    /// A request to a path such as `api/prompt`, whose segments are already percent-encoded.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        Ok(self.inner.client.request(method, self.inner.address.join(path)?))
    }

    /// Sends a request; any status is an answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let (client, request) = request.build_split();
        let request = request
            .map_err(|error| Error::new(ErrorKind::Config, "cannot build the request").with_source(error))?;
        let (method, url) = (request.method().clone(), request.url().clone());
        tracing::trace!(%method, url = %shown(&url), "request");
        let result = client.execute(request).await;
        match &result {
            Ok(response) => {
                tracing::debug!(%method, url = %shown(&url), status = response.status().as_u16(), "answer")
            }
            Err(error) => tracing::debug!(%method, url = %shown(&url), %error, "no answer"),
        }
        result.map_err(|error| failure::of_transport(error, &self.inner.address, &url))
    }

    /// Sends a request and insists on a success.
    pub(crate) async fn send_ok(&self, request: RequestBuilder) -> Result<Response> {
        self.ok(self.send(request).await?).await
    }

    /// Insists on a success.
    pub(crate) async fn ok(&self, response: Response) -> Result<Response> {
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(failure::of_status(response, &self.inner.address).await)
        }
    }

    /// `GET` with an answer in JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.request(Method::GET, path)?.timeout(self.inner.settings.request_timeout);
        self.read_json(self.send_ok(request).await?).await
    }

    /// `POST` of a body in JSON; the answer's body is passed over.
    pub(crate) async fn post<B: Serialize + ?Sized>(&self, path: &str, body: &B) -> Result<()> {
        let request =
            self.request(Method::POST, path)?.json(body).timeout(self.inner.settings.request_timeout);
        self.send_ok(request).await.map(drop)
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

    /// Reads the next piece of an answer's body; `None` after the last one.
    pub(crate) async fn next_piece(&self, response: &mut Response) -> Result<Option<Bytes>> {
        let piece = self.step(response.chunk()).await?;
        piece.map_err(|error| failure::of_transport(error, &self.inner.address, response.url()))
    }

    /// Reads the body of an answer, up to a limit that no honest one reaches.
    pub(crate) async fn read_body(&self, mut response: Response) -> Result<Bytes> {
        let Some(first) = self.next_piece(&mut response).await? else {
            return Ok(Bytes::new());
        };
        let Some(mut next) = self.next_piece(&mut response).await? else {
            return Ok(first);
        };
        let mut body = bytes::BytesMut::from(first);
        loop {
            if body.len() + next.len() > LARGEST_BODY {
                let url = shown(response.url());
                let message = format!("the answer of {url} is larger than 1 GiB");
                return Err(Error::new(ErrorKind::UnexpectedReply, message).with_url(url));
            }
            body.extend_from_slice(&next);
            match self.next_piece(&mut response).await? {
                Some(piece) => next = piece,
                None => return Ok(body.freeze()),
            }
        }
    }

    /// Reads the body of an answer as JSON.
    pub(crate) async fn read_json<T: DeserializeOwned>(&self, response: Response) -> Result<T> {
        let url = response.url().clone();
        let status = response.status().as_u16();
        let body = self.read_body(response).await?;
        json::from_slice(&body).map_err(|error| failure::of_json(error, &self.inner.address, &url, status))
    }
}

pub(crate) use failure::of_stream as connect_failure;

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
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
