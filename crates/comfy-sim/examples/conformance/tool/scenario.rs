//! The recorded conversations.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A transcript.
#[derive(Debug, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) steps: Vec<Step>,
}

/// One thing that happened, as the client saw it.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    /// When, in milliseconds; of a request when its answer had been read.
    t_ms: f64,
    /// When a request was sent.
    t_sent_ms: Option<f64>,
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) conn: String,
    pub(crate) request: Option<Request>,
    pub(crate) response: Option<Response>,
    by: Option<String>,
    json: Option<Box<RawValue>>,
    text: Option<String>,
    binary_base64: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Http,
    WsOpen,
    WsSend,
    WsText,
    WsBinary,
    WsClose,
    Note,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(default)]
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) body: Body,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Response {
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: Body,
    /// The connection was dropped.
    pub(crate) error: Option<Box<RawValue>>,
}

/// A body by what it was recorded as; `None` when it was empty.
pub(crate) type Body = Option<BTreeMap<String, Box<RawValue>>>;

/// A part of a form.
#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) base64: Option<String>,
    /// The length of a content that was left out.
    pub(crate) len: Option<u64>,
}

/// What a frame held.
#[derive(Debug)]
pub(crate) enum Payload {
    Text(String),
    Binary(Vec<u8>),
}

impl Scenario {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let file =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&file).with_context(|| format!("{} is no transcript", path.display()))
    }

    /// What the client did, in the order in which it began to.
    pub(crate) fn actions(&self) -> Vec<&Step> {
        let mut actions: Vec<_> = self.steps.iter().filter(|step| step.is_action()).collect();
        actions.sort_by(|a, b| a.began().total_cmp(&b.began()));
        actions
    }

    /// Where the recorded server was, such as `127.0.0.1:8199`, when an `Origin` says so that it did not refuse.
    pub(crate) fn host(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| {
            let origin = step.request.as_ref()?.headers.as_ref()?.get("Origin")?;
            let host = origin.split_once("://").map(|(_, host)| host).filter(|host| host.contains(':'))?;
            (step.response.as_ref()?.status? != 403 && host.starts_with("127.0.0.1:")).then_some(host)
        })
    }

    /// The number that the recorded server gave to the first prompt, when prompts with numbers of their own follow.
    pub(crate) fn first_number(&self) -> Option<i64> {
        let asked = |step: &Step| -> Option<serde_json::Value> {
            let request = step.request.as_ref().filter(|request| request.path.ends_with("/prompt"))?;
            serde_json::from_str(request.body.as_ref()?.get("json")?.get()).ok()
        };
        let has_own = |step: &&Step| asked(step).is_some_and(|body| body.get("number").is_some());
        self.steps.iter().find(has_own)?;
        self.steps.iter().find_map(|step| {
            asked(step).filter(|body| body.get("number").or(body.get("front")).is_none())?;
            let answer = step.response.as_ref()?.body.as_ref()?.get("json")?.get();
            serde_json::from_str::<serde_json::Value>(answer).ok()?.get("number")?.as_i64()
        })
    }

    /// The frames that the server sent.
    pub(crate) fn received(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| matches!(step.kind, Kind::WsText | Kind::WsBinary))
    }

    /// The number of steps that are compared.
    pub(crate) fn compared(&self) -> usize {
        let compared = |step: &&Step| !matches!(step.kind, Kind::WsSend | Kind::WsClose | Kind::Note);
        self.steps.iter().filter(compared).count()
    }
}

impl Step {
    fn is_action(&self) -> bool {
        match self.kind {
            Kind::Http | Kind::WsOpen | Kind::WsSend => true,
            Kind::WsClose => self.by.as_deref() == Some("client"),
            Kind::WsText | Kind::WsBinary | Kind::Note => false,
        }
    }

    pub(crate) fn began(&self) -> f64 {
        self.t_sent_ms.unwrap_or(self.t_ms)
    }

    pub(crate) fn ended(&self) -> f64 {
        self.t_ms
    }

    /// A frame of text as it was recorded.
    pub(crate) fn text(&self) -> Option<&str> {
        self.json.as_deref().map(RawValue::get).or(self.text.as_deref())
    }

    /// What a frame holds.
    pub(crate) fn payload(&self) -> anyhow::Result<Payload> {
        Ok(if let Some(binary) = &self.binary_base64 {
            Payload::Binary(BASE64_STANDARD.decode(binary)?)
        } else if let Some(text) = &self.text {
            Payload::Text(text.clone())
        } else {
            Payload::Text(self.json.as_ref().map(|json| json.get().to_owned()).unwrap_or_default())
        })
    }
}

/// A string that was recorded under this key.
pub(crate) fn string(body: &BTreeMap<String, Box<RawValue>>, key: &str) -> Option<String> {
    serde_json::from_str(body.get(key)?.get()).ok()
}
