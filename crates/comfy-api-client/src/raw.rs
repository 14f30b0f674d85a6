//! Calls of paths that no method is for, such as routes of node packs.

use bytes::Bytes;
use futures_util::Stream;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::awaitable;
use crate::http::Call;
use crate::{Client, Error, ErrorKind, Result};

/// Calls of paths as they are written, from the server's address on: mostly with `/api` in front, as in
/// `/api/my_pack/state`. They may have a query; what is no letter in them is percent-encoded already.
impl Client {
    /// What the server has under a path, in JSON. An empty answer counts as `null`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`Status`](ErrorKind::Status) and others for an answer that means failure,
    /// [`UnexpectedReply`](ErrorKind::UnexpectedReply) for one that is no `T`, or those of the connection.
    pub async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.http().call_path(Method::GET, path).read_or_null().await
    }

    /// Posts a body in JSON to a path, and gives the answer in JSON. An empty one counts as `null`, so that `()` can be
    /// asked for. It is sent once.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the body cannot be written as JSON, or as [`get_json`](Self::get_json).
    pub async fn post_json<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T> {
        self.http().call_path(Method::POST, path).json(body).read_or_null().await
    }

    /// A request of any kind to a path. Await it for the answer, whatever its status is. It is sent once.
    ///
    /// ```no_run
    /// use http::Method;
    ///
    /// # async fn example(client: comfy_api_client::Client) -> comfy_api_client::Result<()> {
    /// let answer = client.request(Method::GET, "/api/my_pack/state").query("verbose", "1").await?;
    /// if answer.status().is_success() {
    ///     println!("{}", answer.text().await?);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        Request { client: self, call: self.http().call_path(method, path) }
    }
}

/// A request about to be sent; made by [`Client::request`]. Await it for the answer.
///
/// Awaiting fails with [`ErrorKind::Config`] for a path, header or body that cannot be sent, or with those of the
/// connection.
#[must_use = "nothing is sent unless this is awaited"]
pub struct Request<'a> {
    client: &'a Client,
    call: Call<'a>,
}

impl Request<'_> {
    /// Sends a header.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        self.call = match (HeaderName::try_from(name), HeaderValue::try_from(value.as_ref())) {
            (Ok(name), Ok(value)) => self.call.header(name, value),
            // Its value may be a secret.
            _ => self.call.fail(Error::new(
                ErrorKind::Config,
                format!("the header `{}` cannot be sent", crate::text::one_line(name, 100)),
            )),
        };
        self
    }

    /// Adds a parameter to the query.
    pub fn query(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.call = self.call.query(name.as_ref(), value);
        self
    }

    /// Sends a body in JSON.
    pub fn json<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        self.call = self.call.json(body);
        self
    }

    /// Sends a body as it is. It has the type `application/octet-stream` unless a header says otherwise.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.call = self.call.bytes_as_they_are(body.into());
        self
    }

    async fn send(self) -> Result<Response> {
        Ok(Response::new(self.client.clone(), self.call.answer().await?))
    }
}

awaitable!(Request -> Response);

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its headers and its query can hold secrets.
        f.debug_struct("Request").field("operation", &self.call.operation()).finish_non_exhaustive()
    }
}

/// An answer whose body is still to be read.
pub struct Response {
    client: Client,
    response: reqwest::Response,
}

impl Response {
    pub(crate) fn new(client: Client, response: reqwest::Response) -> Self {
        Self { client, response }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Its media type, such as `image/png`, without parameters; `None` where the server does not say it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        let value = self.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        value.split(';').next().map(str::trim)
    }

    /// Its size in bytes, if the server says it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The whole body.
    ///
    /// # Errors
    /// Those of the connection; a body over 1 GiB.
    pub async fn bytes(self) -> Result<Bytes> {
        self.client.http().read_body(self.response).await
    }

    /// The whole body as text; what is no UTF-8 in it is replaced.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The whole body in JSON, as tolerantly as all answers are read: `NaN` counts as `null`.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedReply`] for one that is no `T`, or as [`bytes`](Self::bytes).
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.client.http().read_json(self.response).await
    }

    /// The body in pieces as they come.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
        futures_util::stream::try_unfold(self, async |mut answer| {
            let piece = answer.client.http().next_piece(&mut answer.response).await?;
            Ok(piece.map(|piece| (piece, answer)))
        })
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status()).finish_non_exhaustive()
    }
}
