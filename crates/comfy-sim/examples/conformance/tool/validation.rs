//! Malformed and borderline prompts: what the server says to them, what it queues, and what comes of those it runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Context as _;
use comfy_sim::{ServerVersion, Sim};
use regex::Regex;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::corpus::Corpus;
use super::exchange::Answer;
use super::outcome::{Outcome, apart};
use super::prompts::{self, get_json, post, submit};
use super::{json as python, normal, servers};

/// Longer than any report takes: the worker is to be busy.
const HELD: Duration = Duration::from_secs(3600);

/// Where the recorded server had its folders.
pub(crate) const RECORDED_FOLDER: &str = "/srv/data";

static COUNTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"_\d{5}([_.])").ok());

#[derive(Debug, Deserialize)]
struct Case {
    prompt: Box<RawValue>,
    extra: Option<Box<RawValue>>,
    status: u16,
    content_type: String,
    response: Option<Box<RawValue>>,
    response_text: Option<String>,
    queued: Option<Box<RawValue>>,
    ran: Option<Value>,
}

/// The recorded cases of a version.
///
/// # Errors
/// A file of the corpus cannot be read.
fn cases(
    corpus: &Corpus,
    version: ServerVersion,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<(String, Case)>> {
    let files = corpus.files(&format!("validation/{version}"))?;
    let files = files.into_iter().filter(|(name, _)| wanted(name));
    let read = |(name, path): (String, PathBuf)| {
        let file = std::fs::read_to_string(&path)?;
        Ok((name, serde_json::from_str(&file).with_context(|| format!("{} is no case", path.display()))?))
    };
    files.map(read).collect()
}

/// Compares the answer to each case and what of it stands in the queue, on a simulator that is busy.
///
/// # Errors
/// The corpus cannot be read, or the simulator does not start.
pub(crate) async fn answers(
    corpus: &Corpus,
    version: ServerVersion,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<Outcome>> {
    let sim = servers::plain(corpus, version)?.node_delay(HELD).start().await?;
    let host = sim.address().to_string();
    prompts::hold(&host).await?;
    let mut outcomes = Vec::new();
    for (name, case) in cases(corpus, version, wanted)? {
        let mut outcome = Outcome::named(&name);
        match submit(&host, case.prompt.get(), case.extra.as_deref().map(RawValue::get)).await {
            Err(error) => outcome.count(false, || format!("{error:#}")),
            Ok(answer) => {
                let difference =
                    answer_differs(&case, &answer).or(queue_differs(&host, &case, &answer).await?);
                outcome.count(difference.is_none(), || difference.unwrap_or_default());
            }
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn answer_differs(case: &Case, answer: &Answer) -> Option<String> {
    let got = String::from_utf8_lossy(&answer.body);
    if answer.status != case.status {
        let why = prompts::id(answer).err().map(|error| format!(": {error:#}")).unwrap_or_default();
        return Some(format!("{}, recorded {}{why}", answer.status, case.status));
    }
    let kind = answer.header("content-type").unwrap_or_default();
    if kind != case.content_type {
        return Some(format!("{kind} instead of {}", case.content_type));
    }
    let wanted =
        case.response.as_deref().map(RawValue::get).or(case.response_text.as_deref()).unwrap_or_default();
    let key =
        |text: &str| python::lenient(text).map_or_else(|| text.to_owned(), |value| normal::canonical(&value));
    apart(&key(wanted), &key(&got))
}

/// Looks at what was queued, and takes it away.
async fn queue_differs(host: &str, case: &Case, answer: &Answer) -> anyhow::Result<Option<String>> {
    let Ok(id) = prompts::id(answer) else { return Ok(None) };
    let queue = get_json(host, "/queue").await?;
    post(host, "/queue", &json!({"delete": [id]}).to_string()).await?;
    let Some(wanted) = case.queued.as_ref().and_then(|queued| python::strict(queued.get())) else {
        return Ok(None);
    };
    let pending = queue["queue_pending"].as_array().into_iter().flatten();
    let Some(item) = pending.into_iter().find(|item| item[1] == json!(id)) else {
        return Ok(Some("is not in the queue".into()));
    };
    let inputs = item[2].as_object().into_iter().flatten();
    let inputs: Map<_, _> = inputs.map(|(node, facts)| (node.clone(), facts["inputs"].clone())).collect();
    let got = json!({"outputs_to_execute": item[4], "inputs": inputs});
    Ok(apart(&normal::canonical(&wanted), &normal::canonical(&got)).map(|apart| format!("queued: {apart}")))
}

/// Runs the accepted cases and compares what comes of them.
///
/// # Errors
/// As [`answers`].
pub(crate) async fn runs(
    corpus: &Corpus,
    version: ServerVersion,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let mut server: Option<(Sim, TempDir)> = None;
    for (name, case) in cases(corpus, version, wanted)? {
        let Some(ran) = &case.ran else { continue };
        let (sim, base) = match server.take() {
            Some(server) => server,
            None => fresh(corpus, version).await?,
        };
        let host = sim.address().to_string();
        let mut outcome = Outcome::named(&name);
        let result = run(&host, &case).await;
        if ran.is_object() {
            let difference = match &result {
                Err(error) => Some(format!("{error:#}")),
                Ok(None) => Some("does not end".into()),
                Ok(Some(got)) => run_differs(ran, got, &base),
            };
            outcome.count(difference.is_none(), || difference.unwrap_or_default());
        } else {
            // It kills the worker: nothing is ever run again.
            let next = prompts::id(&submit(&host, &prompts::picture().to_string(), None).await?)?;
            let history = get_json(&host, &format!("/history/{next}")).await?;
            let dead = matches!(result, Ok(None)) && history.get(&next).is_none();
            outcome.count(dead, || "the worker of the real server dies".into());
        }
        outcomes.push(outcome);
        // One whose prompt did not end may never run another.
        if matches!(result, Ok(Some(_))) {
            server = Some((sim, base));
        }
    }
    Ok(outcomes)
}

async fn fresh(corpus: &Corpus, version: ServerVersion) -> anyhow::Result<(Sim, TempDir)> {
    let base = tempfile::Builder::new().prefix("comfy-conformance-").tempdir()?;
    Ok((servers::plain(corpus, version)?.base_dir(base.path()).start().await?, base))
}

async fn run(host: &str, case: &Case) -> anyhow::Result<Option<Value>> {
    let answer = submit(host, case.prompt.get(), case.extra.as_deref().map(RawValue::get)).await?;
    prompts::record(host, &prompts::id(&answer)?).await
}

fn run_differs(wanted: &Value, record: &Value, base: &TempDir) -> Option<String> {
    let mut got = BTreeMap::from([
        ("status", record["status"]["status_str"].clone()),
        ("outputs", record["outputs"].clone()),
    ]);
    let messages = record["status"]["messages"].as_array().into_iter().flatten();
    if let Some(error) = messages.into_iter().find(|message| message[0] == "execution_error") {
        let facts = ["node_id", "node_type", "exception_type", "exception_message"];
        let facts = facts.map(|fact| (fact.to_owned(), error[1][fact].clone()));
        got.insert("error", Value::Object(facts.into_iter().collect()));
    }
    // Numbers of files depend on what was run before.
    let key = |value: &Value| {
        let text = normal::canonical(value).replace(&*base.path().to_string_lossy(), RECORDED_FOLDER);
        COUNTER
            .as_ref()
            .map_or_else(|| text.clone(), |counter| counter.replace_all(&text, "_00000$1").into_owned())
    };
    apart(&key(wanted), &key(&json!(got)))
}
