//! Conversations of tests with real servers: kept word for word, and played again where no real server is at hand.
//!
//! With `COMFY_RECORD` set, a test that runs on the real server at `COMFYUI_TEST_URL` writes what both sides said to
//! `fixtures/routes`, into the file that `COMFY_RECORD_AS` names, or that of the server's version. Everything long is
//! clipped there; `COMFY_RECORD` lists what else is to be replaced, as in `/home/me/ComfyUI=/srv/comfy,…`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use comfy_api_client::protocol::{Route, Version};
use comfy_api_client::{Client, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::clip;
use crate::support::TestServer;

/// A server that a test talks to: a real one, or what one said.
pub(crate) struct Conversation {
    pub(crate) url: String,
    pub(crate) version: Version,
    /// Whether the server has its asset system on.
    pub(crate) has_assets: bool,
    name: String,
    tape: Option<Arc<Tape>>,
    task: Option<AbortHandle>,
    _server: Option<TestServer>,
}

/// What was said, or is to be said again.
struct Tape {
    /// The server whose answers are kept; `None` where they are played.
    server: Option<(String, reqwest::Client)>,
    state: Mutex<Recording>,
    place: Mutex<Place>,
}

#[derive(Default)]
struct Place {
    exchange: usize,
    value: usize,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Recording {
    /// Values that are others in every run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    exchanges: Vec<Exchange>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Exchange {
    asked: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    status: u16,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(flatten)]
    body: clip::Said,
}

/// All recordings of one server: by test.
#[derive(Default, Serialize, Deserialize)]
struct Recordings {
    version: String,
    assets: bool,
    tests: BTreeMap<String, Recording>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/routes")
}

impl Conversation {
    /// Every recorded conversation of a test, with one server each.
    pub(crate) async fn recorded(name: &str) -> Vec<Self> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let mut recordings: Recordings = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            if let Some(recording) = recordings.tests.remove(name) {
                let (version, assets) = (recordings.version.parse().unwrap(), recordings.assets);
                all.push(Self::start(name, version, assets, None, recording).await);
            }
        }
        assert!(!all.is_empty(), "no conversation of `{name}` was recorded");
        all
    }

    /// The real server that `COMFYUI_TEST_URL` names.
    pub(crate) async fn real(name: &str) -> Option<Self> {
        let server = TestServer::real().await?;
        let client = Client::builder(&server.url).build().unwrap();
        let stats = client.system_stats().await.unwrap();
        let version = stats.system.comfyui_version.parse().unwrap();
        let assets = client.features().await.unwrap().assets() == Some(true);
        let mut conversation = if std::env::var_os("COMFY_RECORD").is_some() {
            Self::start(name, version, assets, Some(server.url.clone()), Recording::default()).await
        } else {
            let url = server.url.clone();
            let name = name.to_owned();
            Self { url, version, has_assets: assets, name, tape: None, task: None, _server: None }
        };
        conversation._server = Some(server);
        Some(conversation)
    }

    async fn start(
        name: &str,
        version: Version,
        has_assets: bool,
        server: Option<String>,
        recording: Recording,
    ) -> Self {
        let server = server.map(|url| (url, reqwest::Client::builder().no_proxy().build().unwrap()));
        let tape = Arc::new(Tape { server, state: Mutex::new(recording), place: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&tape));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        let name = name.to_owned();
        Self { url, version, has_assets, name, tape: Some(tape), task: Some(task), _server: None }
    }

    pub(crate) fn client(&self) -> Client {
        Client::builder(&self.url).build().unwrap()
    }

    /// A text that no earlier run used.
    pub(crate) fn fresh(&self) -> String {
        let Some(tape) = &self.tape else { return Uuid::new_v4().to_string() };
        let mut place = tape.place.lock().unwrap();
        let mut recording = tape.state.lock().unwrap();
        if tape.server.is_some() {
            recording.values.push(Uuid::new_v4().to_string());
        }
        place.value += 1;
        recording.values[place.value - 1].clone()
    }

    /// What a route gave; `None` where the server does not have it, and then it has to have said so.
    pub(crate) fn since<T: std::fmt::Debug>(&self, route: Route, result: Result<T>) -> Option<T> {
        let since = route.since.unwrap();
        if self.version >= since {
            return Some(result.unwrap());
        }
        eprintln!("skipped: ComfyUI {} does not have `{route}`", self.version);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&self.version.to_string()) && text.contains(&since.to_string()), "{text}");
        None
    }

    /// What a route of the asset system gave; `None` where that is off, and then the server has to have said so.
    pub(crate) fn with_assets<T: std::fmt::Debug>(&self, route: Route, result: Result<T>) -> Option<T> {
        if self.has_assets || self.version < Version::V0_30_0 {
            return self.since(route, result);
        }
        eprintln!("skipped: the server has its asset system off");
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert!(error.to_string().contains("--enable-assets"), "{error}");
        None
    }

    /// Keeps what was said, or sees that all of it was said again.
    pub(crate) fn finish(self) {
        let Some(tape) = &self.tape else { return };
        let recording = tape.state.lock().unwrap().clone();
        if tape.server.is_none() {
            let said = tape.place.lock().unwrap().exchange;
            assert_eq!(said, recording.exchanges.len(), "not everything that was recorded was asked for");
            return;
        }
        let name = std::env::var("COMFY_RECORD_AS").unwrap_or_else(|_| self.version.to_string());
        let path = folder().join(format!("{name}.json"));
        let mut all: Recordings =
            std::fs::read(&path).map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default();
        all.version = self.version.to_string();
        all.assets = self.has_assets;
        all.tests.insert(self.name.clone(), recording);
        std::fs::write(&path, lines(&all)).unwrap();
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// JSON with one exchange a line.
fn lines(all: &Recordings) -> String {
    let tests = all.tests.iter().map(|(name, recording)| {
        let exchanges: Vec<String> =
            recording.exchanges.iter().map(|one| format!("   {}", json(one))).collect();
        let values = if recording.values.is_empty() {
            String::new()
        } else {
            format!("\"values\": {}, ", json(&recording.values))
        };
        format!("  {}: {{{values}\"exchanges\": [\n{}\n  ]}}", json(name), exchanges.join(",\n"))
    });
    let tests: Vec<String> = tests.collect();
    format!(
        "{{\"version\": {}, \"assets\": {}, \"tests\": {{\n{}\n}}}}\n",
        json(&all.version),
        all.assets,
        tests.join(",\n")
    )
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

async fn answer(State(tape): State<Arc<Tape>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let asked = format!("{} {}", parts.method, parts.uri.path_and_query().unwrap());
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let sent = said_by_client(&parts.headers, &body);
    let exchange = match &tape.server {
        None => tape.next(&asked, sent.as_deref()),
        Some((server, client)) => {
            let mut forwarded =
                client.request(parts.method, format!("{server}{}", parts.uri.path_and_query().unwrap()));
            for name in ["content-type", "comfy-user"] {
                if let Some(value) = parts.headers.get(name) {
                    forwarded = forwarded.header(name, value);
                }
            }
            let response = forwarded.body(body).send().await.unwrap();
            let status = response.status().as_u16();
            let kind = response.headers().get(header::CONTENT_TYPE);
            let content_type = kind.map(|kind| kind.to_str().unwrap().to_owned());
            let body = clip::Said::new(content_type.as_deref(), &response.bytes().await.unwrap());
            let exchange = Exchange { asked, sent, status, content_type, body };
            tape.keep(exchange.clone());
            exchange
        }
    };
    let mut response = Response::builder().status(exchange.status);
    if let Some(kind) = &exchange.content_type {
        response = response.header(header::CONTENT_TYPE, kind);
    }
    response.body(Body::from(exchange.body.bytes())).unwrap()
}

impl Tape {
    fn keep(&self, exchange: Exchange) {
        let mut recording = self.state.lock().unwrap();
        // Questions that are asked until the answer changes.
        if recording.exchanges.last() != Some(&exchange) {
            recording.exchanges.push(exchange);
        }
    }

    /// The answer to the next question, which has to be the recorded one.
    fn next(&self, asked: &str, sent: Option<&str>) -> Exchange {
        let mut place = self.place.lock().unwrap();
        let recording = self.state.lock().unwrap();
        let is_it = |exchange: &&Exchange| exchange.asked == asked && exchange.sent.as_deref() == sent;
        if let Some(exchange) = recording.exchanges.get(place.exchange).filter(is_it) {
            place.exchange += 1;
            return exchange.clone();
        }
        let before = place.exchange.checked_sub(1).map(|before| &recording.exchanges[before]);
        before.filter(is_it).cloned().unwrap_or_else(|| {
            let expected = recording.exchanges.get(place.exchange);
            let text = format!("asked `{asked}` with {sent:?}, but recorded is {expected:?}");
            eprintln!("{text}");
            Exchange {
                asked: asked.to_owned(),
                sent: None,
                status: StatusCode::NOT_IMPLEMENTED.as_u16(),
                content_type: Some("text/plain".to_owned()),
                body: clip::Said::text(text),
            }
        })
    }
}

/// What the client sent, with the boundary of a form made always the same.
fn said_by_client(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(body).into_owned();
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap()).unwrap_or_default();
    let text = match kind.split_once("boundary=") {
        Some((_, boundary)) => text.replace(boundary, "BOUNDARY"),
        None => text,
    };
    // The order of keys is nobody's business.
    Some(serde_json::from_str::<Value>(&text).map_or(text, |value| value.to_string()))
}

/// Defines a test of routes, once on what real servers said and once for a real server.
macro_rules! recorded {
    ($(#[$meta:meta])* async fn $name:ident($server:ident) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs them")]
            use super::*;
            use crate::support::conversation::Conversation;

            async fn check($server: &Conversation) $body

            #[tokio::test]
            async fn on_recorded_answers() {
                for server in Conversation::recorded(stringify!($name)).await {
                    crate::support::in_time(check(&server)).await;
                    server.finish();
                }
            }

            #[tokio::test]
            async fn on_a_real_server() {
                if let Some(server) = Conversation::real(stringify!($name)).await {
                    crate::support::in_time(check(&server)).await;
                    server.finish();
                }
            }
        }
    };
}
pub(crate) use recorded;
