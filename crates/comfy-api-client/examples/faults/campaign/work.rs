//! The jobs of a campaign, and what each has to give.

use std::time::Duration;

use comfy_api_client::{Outputs, Workflow};
use serde_json::{Value, json};

use super::plan::Random;

/// A job: what it is and how its user treats it.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) job: u64,
    pub(crate) kind: Kind,
    /// When it is cancelled.
    pub(crate) cancel: Option<Moment>,
    /// Its time limit.
    pub(crate) limit: Option<Duration>,
    /// Whether its events are read, or it is only awaited.
    pub(crate) reads_events: bool,
    /// Whether its files are looked at.
    pub(crate) downloads: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text over several nodes.
    Text,
    /// A picture that is saved.
    Picture,
    /// A picture in the folder that is emptied when the server starts.
    Preview,
    /// A picture and a text.
    Both,
    /// One of its nodes fails.
    Fails,
    /// The server refuses it.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    AtOnce,
    After(Duration),
    /// When it is told that it runs.
    Started,
}

impl Work {
    pub(crate) fn new(seed: u64, job: u64) -> Self {
        let mut random = Random::of(&[seed, u64::MAX, job]);
        let kinds = [
            (45, Kind::Text),
            (20, Kind::Picture),
            (5, Kind::Preview),
            (15, Kind::Both),
            (12, Kind::Fails),
            (3, Kind::Refused),
        ];
        let mut kind = random.pick(&kinds, Kind::Text);
        let pause = Duration::from_millis(random.below(40));
        let moments = [(1, Moment::AtOnce), (2, Moment::After(pause)), (2, Moment::Started)];
        let moment = random.pick(&moments, Moment::AtOnce);
        let cancel = (kind != Kind::Refused && random.happens(100)).then_some(moment);
        if cancel == Some(Moment::Started) {
            kind = Kind::Text;
        }
        Self {
            job,
            kind,
            cancel,
            limit: random.happens(40).then(|| Duration::from_millis(5 + random.below(300))),
            reads_events: random.happens(500),
            downloads: random.happens(300),
        }
    }

    fn folder(&self) -> String {
        format!("jobs/{}", self.job % 1000)
    }

    /// Nodes between the text and what shows it: many where the job is to be caught while it runs.
    fn joins(&self) -> u64 {
        match self.cancel {
            Some(Moment::Started) => 60,
            Some(_) => 10,
            None => self.job % 5,
        }
    }

    fn text(&self) -> String {
        format!("text of job {}", self.job)
    }

    pub(crate) fn workflow(&self) -> Result<Workflow, comfy_api_client::workflow::Error> {
        let title = format!("job-{}", self.job);
        let picture = json!({
            "class_type": "EmptyImage",
            "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": self.job % 0xff_ffff},
        });
        let save = |folder: String| {
            let prefix = format!("{folder}/{}", self.job);
            json!({"class_type": "SaveImage", "inputs": {"images": ["picture", 0], "filename_prefix": prefix}})
        };
        let mut nodes = json!({
            "text": {"class_type": "PrimitiveString", "inputs": {"value": self.text()}, "_meta": {"title": title}},
        });
        let mut add = |id: &str, node: Value| nodes[id] = node;
        match self.kind {
            Kind::Picture | Kind::Both => {
                add("picture", picture);
                add("save", save(self.folder()));
            }
            Kind::Fails => {
                add("picture", picture);
                add("save", save("../outside".into()));
            }
            Kind::Preview => {
                add("picture", picture);
                add("save", json!({"class_type": "PreviewImage", "inputs": {"images": ["picture", 0]}}));
            }
            Kind::Refused => add("show", json!({"class_type": "NoSuchNode", "inputs": {}})),
            Kind::Text => {}
        }
        if matches!(self.kind, Kind::Text | Kind::Both) {
            let mut last = "text".to_owned();
            for index in 0..self.joins() {
                let id = format!("join{index}");
                let inputs = json!({"string_a": [last, 0], "string_b": index.to_string(), "delimiter": "+"});
                add(&id, json!({"class_type": "StringConcatenate", "inputs": inputs}));
                last = id;
            }
            add("show", json!({"class_type": "PreviewAny", "inputs": {"source": [last, 0]}}));
        }
        Workflow::from_value(nodes)
    }

    /// What is wrong with outputs.
    pub(crate) fn complaint(&self, outputs: &Outputs) -> Option<String> {
        let texts: Vec<_> = outputs.texts().map(|(node, key, text)| format!("{node} {key} {text}")).collect();
        let mut wanted_texts = Vec::new();
        if matches!(self.kind, Kind::Text | Kind::Both) {
            let joined: String = (0..self.joins()).map(|index| format!("+{index}")).collect();
            wanted_texts.push(format!("show text {}{joined}", self.text()));
        }
        if texts != wanted_texts {
            return Some(format!("its texts are {texts:?}, not {wanted_texts:?}"));
        }
        let files: Vec<_> = outputs
            .files()
            .map(|file| format!("{} {} {}", file.node, file.file.subfolder, file.file.filename))
            .collect();
        let is_right = match self.kind {
            Kind::Picture | Kind::Both => {
                files == [format!("save {} {}_00001_.png", self.folder(), self.job)]
            }
            Kind::Preview => matches!(&files[..], [file] if file.starts_with("save  ComfyUI_temp_")),
            _ => files.is_empty(),
        };
        (!is_right).then(|| format!("its files are {files:?}"))
    }

    /// Whether the bytes of a file are those of this job's picture, which carries its workflow.
    pub(crate) fn is_picture(&self, bytes: &[u8]) -> bool {
        let title = format!("\"job-{}\"", self.job);
        bytes.starts_with(b"\x89PNG")
            && bytes.ends_with(b"IEND\xaeB\x60\x82")
            && bytes.windows(title.len()).any(|window| window == title.as_bytes())
    }
}
