//! Holds a recorded conversation again: every request, socket and message of the client is repeated in its order, each after
//! the frames that came before it then. Counts as the yardstick does, `reenact.py` of the recordings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::exchange::{Answer, exchange};
use super::multipart::{ToSend, to_send};
use super::outcome::{Outcome, apart};
use super::scenario::{Body, Kind, Request, Response, Scenario, Step, string};
use super::socket::{Counts, Inbox, Socket};
use super::validation::RECORDED_FOLDER;
use super::{frames, json, matching, normal, prompts};

/// How long frames that nobody awaits may take to arrive at the end.
const LINGER: Duration = Duration::from_millis(100);

/// Prompts that are refused to bring the counter on.
const MOST_COUNTED: i64 = 64;

/// How fast a conversation is held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The longest of the recorded pauses.
    pub(crate) pause: Duration,
    /// How long a recorded frame is waited for.
    pub(crate) patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: Duration::from_secs(3), patience: Duration::from_secs(3) }
    }
}

/// A conversation with a server.
#[derive(Debug)]
pub(crate) struct Player<'a> {
    host: &'a str,
    /// The folder of the server, when it is known.
    base: Option<&'a str>,
    scenario: &'a Scenario,
    pace: Pace,
    /// Recorded prompt ids and those that stand for them now.
    ids: Vec<(String, String)>,
    sockets: BTreeMap<String, Socket>,
    inbox: Arc<Inbox>,
    /// Frames that were waited for in vain: nobody waits for them again.
    missing: Counts,
    pub(crate) outcome: Outcome,
}

impl<'a> Player<'a> {
    /// A player of `scenario` for the server at `host`, such as `127.0.0.1:8188`.
    pub(crate) fn new(
        name: &str,
        host: &'a str,
        base: Option<&'a str>,
        scenario: &'a Scenario,
        pace: Pace,
    ) -> Self {
        Self {
            host,
            base,
            scenario,
            pace,
            ids: Vec::new(),
            sockets: BTreeMap::new(),
            inbox: Arc::default(),
            missing: Counts::new(),
            outcome: Outcome::named(name),
        }
    }

    /// Plays it all.
    pub(crate) async fn play(&mut self) -> anyhow::Result<()> {
        let mut before: Option<f64> = None;
        for action in self.scenario.actions() {
            if let Some(pause) = before.map(|before| action.began() - before).filter(|pause| *pause > 0.0) {
                tokio::time::sleep(Duration::from_secs_f64(pause / 1000.0).min(self.pace.pause)).await;
            }
            before = Some(action.ended());
            self.settle(action.began()).await;
            self.act(action).await?;
        }
        self.settle(f64::INFINITY).await;
        tokio::time::sleep(LINGER).await;
        for (_, socket) in std::mem::take(&mut self.sockets) {
            socket.close().await;
        }
        self.compare_frames()
    }

    /// Brings the counter of prompts to where it was when prompts with numbers of their own are to be sorted among others.
    /// Refused prompts count too.
    pub(crate) async fn count_on(&mut self) -> anyhow::Result<()> {
        let Some(first) = self.scenario.first_number() else { return Ok(()) };
        for _ in 0..first.min(MOST_COUNTED) {
            prompts::post(self.host, "/prompt", r#"{"prompt": {}}"#).await?;
        }
        Ok(())
    }

    /// Waits for what had come before this time.
    async fn settle(&mut self, time: f64) {
        let mut wanted = Counts::new();
        for step in self.scenario.received().filter(|step| step.ended() < time) {
            *wanted.entry(step.conn.clone()).or_default() += 1;
        }
        for (conn, missing) in &self.missing {
            if let Some(wanted) = wanted.get_mut(conn) {
                *wanted = wanted.saturating_sub(*missing);
            }
        }
        for (conn, lacking) in self.inbox.settle(&wanted, self.pace.patience).await {
            *self.missing.entry(conn).or_default() += lacking;
        }
    }

    async fn act(&mut self, action: &Step) -> anyhow::Result<()> {
        match (action.kind, &action.request, &action.response) {
            (Kind::Http, Some(request), Some(response)) => self.request(request, response).await?,
            (Kind::WsOpen, Some(request), response) => {
                let status = response.as_ref().and_then(|response| response.status);
                self.open(&action.conn, request, status).await;
            }
            (Kind::WsSend, _, _) => {
                let payload = action.payload()?;
                if let Some(socket) = self.sockets.get_mut(&action.conn) {
                    socket.send(payload).await;
                }
            }
            (Kind::WsClose, _, _) => {
                if let Some(socket) = self.sockets.remove(&action.conn) {
                    socket.close().await;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn open(&mut self, conn: &str, request: &Request, wanted: Option<u16>) {
        let path = self.live(&request.path);
        let socket = Socket::open(self.host, &path, &self.headers(request, false), conn, &self.inbox).await;
        let status = match socket {
            Ok(Ok(socket)) => {
                self.sockets.insert(conn.to_owned(), socket);
                Some(101)
            }
            Ok(Err(status)) => Some(status),
            Err(_) => None,
        };
        self.outcome.count(status == wanted, || {
            format!("socket {conn}: {}, recorded {}", shown(status), shown(wanted))
        });
    }

    async fn request(&mut self, request: &Request, wanted: &Response) -> anyhow::Result<()> {
        let (body, kind) = match to_send(request.body.as_ref(), |text| self.live(text))? {
            ToSend::Unknown => return Ok(()),
            ToSend::Nothing => (None, None),
            ToSend::Bytes(bytes, kind) => (Some(bytes), kind),
        };
        let mut headers = self.headers(request, kind.is_some());
        headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind)));
        let path: String = request.path.chars().take(70).collect();
        let label = format!("{} {path}", request.method);
        let path = self.live(&request.path);
        let answer = exchange(self.host, &request.method, &path, &headers, body.as_deref()).await;
        match (answer, &wanted.error) {
            (Err(error), recorded) => {
                self.outcome.count(recorded.is_some(), || format!("{label}: {error:#}"))
            }
            (Ok(answer), Some(_)) => self
                .outcome
                .count(false, || format!("{label}: {}, recorded a dropped connection", answer.status)),
            (Ok(answer), None) => self.compare(&label, &request.path, &answer, wanted),
        }
        Ok(())
    }

    fn compare(&mut self, label: &str, path: &str, answer: &Answer, wanted: &Response) {
        let got = Content::of(answer);
        if let (Some(old), Content::Json(got)) = (recorded_id(&wanted.body), &got)
            && let Some(new) = got["prompt_id"].as_str()
        {
            self.ids.push((old, new.to_owned()));
        }
        if let (Some(old), Ok(new)) = (&wanted.body, std::str::from_utf8(&answer.body)) {
            let old = old.values().flat_map(|body| normal::temporary(body.get()));
            self.ids.extend(old.zip(normal::temporary(new)).filter(|(old, new)| old != new));
            self.ids.dedup();
        }
        if Some(answer.status) != wanted.status {
            self.outcome
                .count(false, || format!("{label}: {}, recorded {}", answer.status, shown(wanted.status)));
            return;
        }
        let wanted_kind = wanted.headers.get("Content-Type").map(String::as_str).unwrap_or_default();
        let wanted_kind = wanted_kind.split(';').next().unwrap_or_default();
        let (wanted, got) = (Content::recorded(&wanted.body).key(path), self.then(got.key(path)));
        let kind = answer.kind();
        // Of pictures and the like it is enough that there is something.
        let equal = if wanted == "bytes" { !answer.body.is_empty() } else { wanted == got };
        self.outcome.count(equal && kind == wanted_kind, || {
            if kind == wanted_kind {
                format!("{label}: {}", apart(&wanted, &got).unwrap_or_default())
            } else {
                format!("{label}: {kind} {got} instead of {wanted_kind} {wanted}")
            }
        });
    }

    fn compare_frames(&mut self) -> anyhow::Result<()> {
        let mut recorded: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in self.scenario.received() {
            recorded.entry(step.conn.clone()).or_default().push(frames::key(&step.payload()?));
        }
        let came = self.inbox.frames();
        for conn in came.keys() {
            recorded.entry(conn.clone()).or_default();
        }
        for (conn, wanted) in recorded {
            let got: Vec<_> =
                came.get(&conn).into_iter().flatten().map(|frame| self.then(frame.clone())).collect();
            let (equal, lines) = matching::compare(&wanted, &got);
            self.outcome.total += wanted.len().max(got.len());
            self.outcome.equal += equal;
            for line in lines {
                self.outcome.differ(&format!("socket {conn}: {line}"));
            }
        }
        Ok(())
    }

    /// The recorded headers, with the server of now where they name the recorded one.
    fn headers(&self, request: &Request, is_form: bool) -> Vec<(String, String)> {
        let own = |name: &str| {
            name.eq_ignore_ascii_case("content-length")
                || is_form && name.eq_ignore_ascii_case("content-type")
        };
        let live = |value: &String| match (self.scenario.host(), self.host.rsplit_once(':')) {
            (Some(then), Some((_, now))) => {
                let port = then.rsplit_once(':').map_or(then, |(_, port)| port);
                value.replace(&format!(":{port}"), &format!(":{now}"))
            }
            _ => value.clone(),
        };
        let headers = request.headers.iter().flatten();
        headers.filter(|(name, _)| !own(name)).map(|(name, value)| (name.clone(), live(value))).collect()
    }

    /// A text with the folder of the recorded server.
    fn then(&self, text: String) -> String {
        self.base.map_or_else(|| text.clone(), |base| text.replace(base, RECORDED_FOLDER))
    }

    /// A text with the ids of now.
    fn live(&self, text: &str) -> String {
        self.ids.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
    }
}

/// What a body is compared as.
#[derive(Debug)]
enum Content {
    Empty,
    Json(serde_json::Value),
    Text(String),
    Bytes,
}

impl Content {
    fn recorded(body: &Body) -> Self {
        let Some(body) = body else { return Self::Empty };
        if let Some(value) = body.get("json").and_then(|json| json::strict(json.get())) {
            return Self::Json(value);
        }
        string(body, "text").map_or(Self::Bytes, Self::Text)
    }

    fn of(answer: &Answer) -> Self {
        let Some(first) = answer.body.first() else { return Self::Empty };
        let Ok(text) = std::str::from_utf8(&answer.body) else { return Self::Bytes };
        let may_be_json = answer.header("content-type").is_some_and(|kind| kind.contains("json"))
            || matches!(first, b'{' | b'[' | b'"');
        match json::strict(text) {
            Some(value) if may_be_json => Self::Json(value),
            _ => Self::Text(text.to_owned()),
        }
    }

    fn key(&self, path: &str) -> String {
        match self {
            Self::Empty => "empty".into(),
            Self::Bytes => "bytes".into(),
            Self::Json(value) => normal::canonical_body(path, value),
            // JSON with NaN or infinities in it is compared as values too.
            Self::Text(text) => match json::lenient(text) {
                Some(value) => normal::canonical(&value),
                None => format!("text {}", normal::without_ids(text)),
            },
        }
    }
}

/// The prompt id in a recorded answer, when it is one that the server made up.
fn recorded_id(body: &Body) -> Option<String> {
    let json = json::strict(body.as_ref()?.get("json")?.get())?;
    json["prompt_id"].as_str().filter(|id| normal::is_id(id)).map(str::to_owned)
}

fn shown(status: Option<u16>) -> String {
    status.map_or_else(|| "a dropped connection".into(), |status| status.to_string())
}
