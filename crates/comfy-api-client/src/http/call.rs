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
use crate::{Error, ErrorKind, Result};

/// A call of a known route, about to be made.
#[must_use = "nothing is asked unless the call is sent"]
pub(crate) struct Call<'a> {
    http: &'a Http,
    route: Route,
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
        Call {
            http: self,
            route,
            repeatable: method.is_safe(),
            request: path(&route, values).and_then(|path| self.request(method, &path)),
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
        self.query.push_str(&format!("{separator}{name}={}", segment(value.as_ref())));
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

    /// Sends a body of another type.
    pub(crate) fn body(self, body: impl Into<Body>, content_type: &'static str) -> Self {
        self.edit(|request| {
            *request.body_mut() = Some(body.into());
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
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
                Ok((self.http.read_body(response).await?, url, status))
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
            request.url_mut().set_query(Some(&self.query));
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
        let missing = lacks_route(&self.route, &response);
        let error = self.http.ok(response).await.err().unwrap_or_else(gone);
        Err(if missing {
            self.unsupported(error).await
        } else if error.code() == Some("SERVICE_DISABLED") {
            Error::new(
                ErrorKind::Unsupported,
                format!("the server has its asset system off, which `{}` needs", self.route),
            )
            .with_hint("start the server with `--enable-assets`")
            .with_source(error)
        } else {
            error
        }
        .with_operation(self.route.to_string()))
    }

    async fn attempt(&self, request: Request) -> Result<Response> {
        let sent = if self.in_time {
            self.http.execute_in_time(request).await
        } else {
            self.http.execute(request).await
        };
        sent.map_err(|error| error.with_operation(self.route.to_string()))
    }

    /// The error for a route that the server does not have.
    async fn unsupported(&self, cause: Error) -> Error {
        let version = match Box::pin(self.http.version()).await {
            Some(version) => format!("ComfyUI {version}"),
            None => "the server".to_owned(),
        };
        let needed = match self.route.since {
            Some(since) => format!("needs a server of {since} or newer"),
            None => "is known of the cloud only".to_owned(),
        };
        Error::new(
            ErrorKind::Unsupported,
            format!("{version} does not have `{}`, which {needed}", self.route),
        )
        .with_status(cause.status().unwrap_or_default())
        .with_source(cause)
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
