use std::time::Duration;

use bytes::Bytes;
use comfy_protocol::routes::system::SystemStats;
use comfy_protocol::{Route, Version, json, route};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use reqwest::multipart::Form;
use reqwest::{Body, Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::attempts::{Attempts, RetryPolicy};
use super::{Http, failure};
use crate::text::one_line;
use crate::{Error, ErrorKind, Result};

/// How many times longer than it may take to begin an answer may take to come in whole.
const LONGEST_BODY: u32 = 10;

/// A call of a known route, or of a path that a user gave, about to be made.
#[must_use = "nothing is asked unless the call is sent"]
pub(crate) struct Call<'a> {
    http: &'a Http,
    /// `None` for a path that a user gave.
    route: Option<Route>,
    /// What errors call it, such as `GET /queue`.
    operation: String,
    request: Result<Request>,
    query: String,
    retry: RetryPolicy,
    repeatable: bool,
    in_time: bool,
}

impl Http {
    /// A call of a route, with the values of its placeholders in their order.
    pub(crate) fn call(&self, route: Route, values: &[&str]) -> Call<'_> {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap_or_default();
        let path = path(&route, values);
        Call { route: Some(route), operation: route.to_string(), ..self.new_call(method, path) }
    }

    /// A call of a path as a user wrote it, from the server's address on.
    pub(crate) fn call_path(&self, method: Method, path: &str) -> Call<'_> {
        self.new_call(method, Ok(path.to_owned()))
    }

    fn new_call(&self, method: Method, path: Result<String>) -> Call<'_> {
        let shown = path.as_deref().unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
        Call {
            http: self,
            route: None,
            operation: format!("{method} {}", one_line(shown, 200)),
            repeatable: method.is_safe(),
            request: path.and_then(|path| self.request(method, &path)),
            query: String::new(),
            retry: self.settings().retry,
            in_time: true,
        }
    }

    /// The version that the server says it has.
    pub(crate) async fn version(&self) -> Option<Version> {
        let stats: Result<SystemStats> = self.call(route::SYSTEM_STATS, &[]).once().read().await;
        stats.ok()?.system.comfyui_version.parse().ok()
    }
}

impl Call<'_> {
    /// Adds a parameter to the query.
    pub(crate) fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let separator = if self.query.is_empty() { "" } else { "&" };
        self.query.push_str(&format!("{separator}{}={}", segment(name), segment(value.as_ref())));
        self
    }

    /// Adds a parameter to the query where there is a value for it.
    pub(crate) fn query_if(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value.to_string()),
            None => self,
        }
    }

    /// Sends a body in JSON.
    pub(crate) fn json<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body(bytes, "application/json"),
            Err(error) => {
                self.request =
                    Err(Error::new(ErrorKind::Config, "the body cannot be written as JSON")
                        .with_source(error));
                self
            }
        }
    }

    /// Adds a parameter to the query for each value.
    pub(crate) fn query_each(mut self, name: &str, values: &[String]) -> Self {
        for value in values {
            self = self.query(name, value);
        }
        self
    }

    /// Sends a body of another type.
    pub(crate) fn body(self, body: impl Into<Body>, content_type: &'static str) -> Self {
        self.edit(|request| {
            *request.body_mut() = Some(body.into());
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        })
    }

    /// Sends a body of the type that a header says it has.
    pub(crate) fn bytes_as_they_are(self, body: Bytes) -> Self {
        self.edit(|request| {
            *request.body_mut() = Some(body.into());
            let headers = request.headers_mut();
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
        })
    }

    /// Sends a form with files. What it sends as streams cannot be sent twice.
    pub(crate) fn multipart(mut self, form: Form) -> Self {
        self.request = self.request.and_then(|request| {
            let builder = RequestBuilder::from_parts(self.http.inner.client.clone(), request);
            let built = builder.multipart(form).build();
            built.map_err(|error| Error::new(ErrorKind::Config, "the form cannot be sent").with_source(error))
        });
        self
    }

    /// Sends a header.
    pub(crate) fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.edit(|request| drop(request.headers_mut().insert(name, value)))
    }

    /// Gives an error instead of an answer.
    pub(crate) fn fail(mut self, error: Error) -> Self {
        if self.request.is_ok() {
            self.request = Err(error);
        }
        self
    }

    /// What errors call it.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// Asks for the head of the answer only.
    pub(crate) fn head(self) -> Self {
        self.edit(|request| *request.method_mut() = Method::HEAD)
    }

    /// The size in bytes of the form that is sent, where it is known.
    pub(crate) fn body_size(&self) -> Option<u64> {
        let size = self.request.as_ref().ok()?.headers().get(CONTENT_LENGTH)?;
        size.to_str().ok()?.parse().ok()
    }

    fn edit(mut self, change: impl FnOnce(&mut Request)) -> Self {
        if let Ok(request) = &mut self.request {
            change(request);
        }
        self
    }

    /// The call changes nothing more when it arrives twice, so it may be repeated.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The call is not repeated: whoever makes it does so.
    pub(crate) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// The answer may take as long as it likes to begin.
    pub(crate) fn unhurried(mut self) -> Self {
        self.in_time = false;
        self
    }

    /// Makes the call. Success or not, whatever the server answers is given.
    pub(crate) async fn answer(mut self) -> Result<Response> {
        let request = self.take_request()?;
        self.attempt(request).await
    }

    /// Makes the call and insists on a success.
    pub(crate) async fn send(mut self) -> Result<Response> {
        let mut request = Some(self.take_request()?);
        let mut attempts = Attempts::new(self.retry, self.repeatable);
        loop {
            match self.next_attempt(&mut request).await {
                Ok(response) => return Ok(response),
                Err(error) => attempts.pause_after(error).await?,
            }
        }
    }

    /// Makes the call, insists on a success and reads the whole body, all of it again when it breaks off.
    pub(crate) async fn bytes(self) -> Result<Bytes> {
        Ok(self.whole().await?.0)
    }

    /// The same for an answer in JSON.
    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T> {
        let address = self.http.address();
        let (body, url, status) = self.whole().await?;
        json::from_slice(&body).map_err(|error| failure::of_json(error, address, &url, status))
    }

    /// The same where the answer may be empty, which then counts as `null`.
    pub(crate) async fn read_or_null<T: DeserializeOwned>(self) -> Result<T> {
        let address = self.http.address();
        let (body, url, status) = self.whole().await?;
        let text: &[u8] = if body.is_empty() { b"null" } else { &body };
        json::from_slice(text).map_err(|error| failure::of_json(error, address, &url, status))
    }

    /// The same for a thing that may not be there: `None` when it is not found.
    pub(crate) async fn read_if_found<T: DeserializeOwned>(self) -> Result<Option<T>> {
        if_found(self.read().await)
    }

    /// Makes the call, insists on a success and passes the body over.
    pub(crate) async fn done(self) -> Result<()> {
        self.whole().await.map(drop)
    }

    async fn whole(mut self) -> Result<(Bytes, url::Url, u16)> {
        let mut request = Some(self.take_request()?);
        let mut attempts = Attempts::new(self.retry, self.repeatable);
        loop {
            let attempt = async {
                let response = self.next_attempt(&mut request).await?;
                let (url, status) = (response.url().clone(), response.status().as_u16());
                // What comes in drops never stands still, and must not be waited for without end.
                let limit = self.http.settings().request_timeout.saturating_mul(LONGEST_BODY);
                let body = tokio::time::timeout(limit, self.http.read_body(response)).await;
                let late = || failure::of_time(self.http.address(), &url);
                let body = body.unwrap_or_else(|_| Err(late().with_operation(&self.operation)))?;
                Ok((body, url, status))
            };
            match attempt.await {
                Ok(whole) => return Ok(whole),
                Err(error) => attempts.pause_after(error).await?,
            }
        }
    }

    fn take_request(&mut self) -> Result<Request> {
        let taken = Err(Error::new(ErrorKind::Config, "the call was made already"));
        let mut request = std::mem::replace(&mut self.request, taken)?;
        if !self.query.is_empty() {
            let url = request.url_mut();
            // A path that a user gave may have a query of its own.
            let query = match url.query().filter(|query| !query.is_empty()) {
                Some(first) => format!("{first}&{}", self.query),
                None => std::mem::take(&mut self.query),
            };
            url.set_query(Some(&query));
        }
        Ok(request)
    }

    /// Sends the request, and keeps a copy where there is to be another attempt.
    async fn next_attempt(&self, request: &mut Option<Request>) -> Result<Response> {
        let gone = || Error::new(ErrorKind::Config, "a body that is a stream cannot be sent twice");
        let now = request.take().ok_or_else(gone)?;
        *request = self.repeatable.then(|| now.try_clone()).flatten();
        let response = self.attempt(now).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let missing = self.route.filter(|route| lacks_route(route, &response));
        let error = self.http.ok(response).await.err().unwrap_or_else(gone);
        let error = match missing {
            Some(route) => self.unsupported(route, error).await,
            None if self.route.is_some() && error.code() == Some("SERVICE_DISABLED") => {
                let message =
                    format!("the server has its asset system off, which `{}` needs", self.operation);
                Error::new(ErrorKind::Unsupported, message)
                    .with_hint("start the server with `--enable-assets`")
                    .with_source(error)
            }
            None => error,
        };
        Err(error.with_operation(&self.operation))
    }

    async fn attempt(&self, request: Request) -> Result<Response> {
        let sent = if self.in_time {
            self.http.execute_in_time(request).await
        } else {
            self.http.execute(request).await
        };
        sent.map_err(|error| error.with_operation(&self.operation))
    }

    /// The error for a route that the server does not seem to have. Where one that is new enough does not find
    /// something, what is missing is the thing that was asked for: such answers look alike. A method that it does not
    /// know is another matter.
    async fn unsupported(&self, route: Route, cause: Error) -> Error {
        let version = Box::pin(self.http.version()).await;
        let is_new_enough = route.since.is_some_and(|since| version.is_some_and(|version| version >= since));
        if is_new_enough && cause.kind() == ErrorKind::NotFound {
            return cause;
        }
        let version = match version {
            Some(version) => format!("ComfyUI {version}"),
            None => "the server".to_owned(),
        };
        let needed = match route.since {
            Some(since) if is_new_enough => format!("servers of {since} have"),
            Some(since) => format!("needs a server of {since} or newer"),
            None => "is known of the cloud only".to_owned(),
        };
        Error::new(ErrorKind::Unsupported, format!("{version} does not have `{route}`, which {needed}"))
            .with_status(cause.status().unwrap_or_default())
            .with_source(cause)
    }
}

/// `None` for a thing that is not found.
pub(crate) fn if_found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(thing) => Ok(Some(thing)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an answer means that the server does not know the route. What is not found *on* one of the newer routes is
/// answered in JSON.
fn lacks_route(route: &Route, response: &Response) -> bool {
    let is_newer = route.since.is_none_or(|since| since > Version::V0_3_64);
    let is_json = failure::content_type(response).is_some_and(|kind| kind.starts_with("application/json"));
    let no_route = matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    is_newer && no_route && !is_json
}

/// The path of a route with the values of its placeholders.
fn path(route: &Route, values: &[&str]) -> Result<String> {
    let mut values = values.iter();
    let address = route.address();
    let parts = address.split('/').map(|part| match part {
        "{path}" => {
            let whole = values.next().copied().unwrap_or_default();
            let parts: Result<Vec<String>> =
                whole.trim_start_matches('/').split('/').map(one_segment).collect();
            Ok(parts?.join("/"))
        }
        part if part.starts_with('{') => one_segment(values.next().copied().unwrap_or_default()),
        part => Ok(part.to_owned()),
    });
    Ok(parts.collect::<Result<Vec<_>>>()?.join("/"))
}

/// A text as one segment, which must lead nowhere else.
fn one_segment(text: &str) -> Result<String> {
    if matches!(text, "" | "." | "..") {
        let error = Error::new(ErrorKind::Config, format!("`{text}` cannot be part of a path"));
        return Err(error.with_hint("give the name or id of the thing that is asked for"));
    }
    Ok(segment(text))
}

/// A text as one segment of a path, or as a value in a query.
fn segment(text: &str) -> String {
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

/// What an answer asks to wait for before another attempt.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(http::header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_single_segments_that_lead_nowhere_else() {
        let of = |route, values: &[&str]| path(&route, values).map_err(|error| error.to_string());
        assert_eq!(
            of(route::USER_FILE, &["workflows/a b.json"]).unwrap(),
            "api/userdata/workflows%2Fa%20b.json"
        );
        assert_eq!(of(route::TEMPLATE_FILE, &["/a/ü.json"]).unwrap(), "templates/a/%C3%BC.json");
        assert_eq!(of(route::MOVE_USER_FILE, &["a", "b"]).unwrap(), "api/userdata/a/move/b");
        for wrong in ["", ".", ".."] {
            assert!(of(route::HISTORY_OF, &[wrong]).unwrap_err().contains("cannot be part"), "{wrong}");
        }
        assert!(of(route::DOCS_FILE, &["a/../../secret"]).is_err());
    }
}
