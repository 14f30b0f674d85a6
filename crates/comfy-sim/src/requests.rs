//! The requests that a simulator has received, for tests that want to know what a client sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value as Json;
use tokio::sync::Notify;

/// How many requests are kept.
const MOST_REQUESTS: usize = 10_000;

/// How many bytes of one body are kept.
pub(crate) const LONGEST_BODY: usize = 256 << 10;

/// How many bytes of all bodies are kept.
const MOST_BYTES: usize = 16 << 20;

/// A request that a simulator has received.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The method, such as `POST`.
    pub method: String,
    /// The path as it was sent, with `/api` if that was in it, without the query.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: Option<String>,
    /// Names, in lower case, and values of the headers.
    pub headers: Vec<(String, String)>,
    /// The start of the body, at most 256 KiB of it.
    pub body: Bytes,
    /// How long the part of the body was that the server read. What it refuses unread is not counted.
    pub body_length: u64,
    /// The status of the answer; `None` when the client went away before there was one.
    pub status: Option<u16>,
}

impl ReceivedRequest {
    /// The path without `/api`: both spellings mean the same.
    #[must_use]
    pub fn route(&self) -> &str {
        route(&self.path)
    }

    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// The value of a parameter of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref().unwrap_or_default();
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON; `None` where it is none, or longer than what is kept of it.
    #[must_use]
    pub fn json(&self) -> Option<Json> {
        comfy_protocol::json::from_slice(&self.body).ok()
    }
}

/// The path without `/api`.
pub(crate) fn route(path: &str) -> &str {
    match path.strip_prefix("/api") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// The requests that a simulator has received, the oldest first; also after it was stopped, and through its restarts.
/// Requests to `/simulator` are not among them.
///
/// A request is here when its answer begins. The last 10,000 are kept, and of their bodies the last 16 MiB.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    kept: Mutex<Kept>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<ReceivedRequest>,
    bytes: usize,
    forgotten: usize,
}

impl Requests {
    /// All that are kept.
    #[must_use]
    pub fn all(&self) -> Vec<ReceivedRequest> {
        self.lock().requests.iter().cloned().collect()
    }

    /// Those of a method to a route, which is a path without `/api`, such as `POST` and `/prompt`.
    #[must_use]
    pub fn to(&self, method: &str, route: &str) -> Vec<ReceivedRequest> {
        let kept = self.lock();
        let matching = kept.requests.iter().filter(|request| request.is_to(method, route));
        matching.cloned().collect()
    }

    /// The prompts that were submitted, also those that were refused: what was under `prompt` in each `POST /prompt`.
    #[must_use]
    pub fn prompts(&self) -> Vec<Json> {
        let bodies = self.to("POST", "/prompt").into_iter().filter_map(|request| request.json());
        bodies.filter_map(|mut body| body.get_mut("prompt").map(Json::take)).collect()
    }

    /// How many have come in all, also those that were forgotten since.
    #[must_use]
    pub fn count(&self) -> usize {
        let kept = self.lock();
        kept.requests.len() + kept.forgotten
    }

    /// Waits until there are so many of a method to a route, and returns them. It waits for ever when they do not come:
    /// give it a time limit.
    pub async fn wait_for(&self, count: usize, method: &str, route: &str) -> Vec<ReceivedRequest> {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            // From here on nothing is missed.
            changed.as_mut().enable();
            let found = self.to(method, route);
            if found.len() >= count {
                return found;
            }
            changed.await;
        }
    }

    /// Forgets all, so that a test can look at what comes next.
    pub fn clear(&self) {
        *self.lock() = Kept::default();
    }

    pub(crate) fn push(&self, request: ReceivedRequest) {
        let mut kept = self.lock();
        kept.bytes += request.body.len();
        kept.requests.push_back(request);
        while kept.requests.len() > MOST_REQUESTS || kept.bytes > MOST_BYTES {
            let Some(oldest) = kept.requests.pop_front() else { break };
            kept.bytes -= oldest.body.len();
            kept.forgotten += 1;
        }
        drop(kept);
        self.0.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReceivedRequest {
    fn is_to(&self, method: &str, route: &str) -> bool {
        self.method == method && self.route() == route
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &[u8]) -> ReceivedRequest {
        ReceivedRequest {
            method: "POST".into(),
            path: "/api/prompt".into(),
            query: Some("a=1&b=x%20y".into()),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Bytes::copy_from_slice(body),
            body_length: body.len() as u64,
            status: Some(200),
        }
    }

    #[test]
    fn a_request_can_be_asked_for_its_parts() {
        let request = request(br#"{"prompt": {}}"#);
        assert_eq!(request.route(), "/prompt");
        assert_eq!(request.header("Content-Type"), Some("application/json"));
        assert_eq!(request.parameter("b").as_deref(), Some("x y"));
        assert_eq!(request.json(), Some(serde_json::json!({"prompt": {}})));
        assert_eq!(route("/apix"), "/apix");
    }

    #[test]
    fn old_requests_are_forgotten_when_there_are_too_many() {
        let requests = Requests::default();
        for _ in 0..MOST_REQUESTS + 5 {
            requests.push(request(b""));
        }
        assert_eq!((requests.all().len(), requests.count()), (MOST_REQUESTS, MOST_REQUESTS + 5));
        requests.clear();
        let long = vec![0; LONGEST_BODY];
        for _ in 0..2 * MOST_BYTES / LONGEST_BODY {
            requests.push(request(&long));
        }
        assert_eq!(requests.all().len(), MOST_BYTES / LONGEST_BODY);
    }
}
