//! What the jobs routes tell (since 0.8.0): queue and history in one list. Nothing here looks at a clock or takes a lock.

use std::sync::Arc;

use comfy_protocol::json::exact;
use serde_json::{Map, Value as Json, json};

use crate::history::Entry;
use crate::queue::{Item, SharedItem};
use crate::version::ServerVersion;

mod outputs;
mod query;

pub(crate) use query::{Query, Sort, Status};

/// All prompts of one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) running: Vec<SharedItem>,
    /// In the order of the queue's heap.
    pub(crate) pending: Vec<SharedItem>,
    /// The oldest first.
    pub(crate) history: Vec<(String, Arc<Entry>)>,
}

/// A prompt holds something that the server cannot read when it describes the prompt as a job. Then it answers nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A prompt as a job.
#[derive(Debug)]
struct Job<'a> {
    id: &'a str,
    status: Status,
    item: &'a Item,
    created: u64,
    times: Times,
    error: Option<&'a Json>,
    summary: outputs::Summary,
    workflow_id: Option<&'a Json>,
}

/// When a job began and ended, as far as it did.
#[derive(Debug, Default, Clone, Copy)]
struct Times {
    start: Option<u64>,
    end: Option<u64>,
}

impl Times {
    fn duration(self) -> u64 {
        self.start.zip(self.end).map_or(0, |(start, end)| end.saturating_sub(start))
    }
}

/// The answer of `GET /api/jobs`.
pub(crate) fn list(snapshot: &Snapshot, query: &Query, version: ServerVersion) -> Result<Json, Malformed> {
    let mut jobs = Vec::new();
    for (status, items) in [(Status::InProgress, &snapshot.running), (Status::Pending, &snapshot.pending)] {
        if query.wants(status) {
            for item in items {
                jobs.push(Job::queued(&item.0, status)?);
            }
        }
    }
    if Status::ENDED.into_iter().any(|status| query.wants(status)) {
        for (id, entry) in &snapshot.history {
            // Newer servers describe all records before they choose, so that any of them can spoil the list.
            if version >= ServerVersion::V0_30_0 || query.wants(ending(entry, version)) {
                jobs.push(Job::ended(id, entry, version)?);
            }
        }
    }
    jobs.retain(|job| query.wants(job.status));
    if let Some(wanted) = &query.workflow_id {
        jobs.retain(|job| job.workflow_id.and_then(Json::as_str) == Some(wanted));
    }
    let key = |job: &Job<'_>| match query.sort {
        Sort::CreatedAt => job.created,
        Sort::ExecutionDuration => job.times.duration(),
    };
    // Both keep what is equal in the order of the list.
    if query.ascending {
        jobs.sort_by_key(key);
    } else {
        jobs.sort_by_key(|job| std::cmp::Reverse(key(job)));
    }
    let total = jobs.len();
    let offset = usize::try_from(query.offset.max(0)).unwrap_or(usize::MAX);
    let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let page: Vec<Json> = jobs.iter().skip(offset).take(limit).map(|job| job.to_json().into()).collect();
    let has_more = offset.saturating_add(page.len()) < total;
    Ok(json!({
        "jobs": page,
        "pagination": {
            "offset": exact::integer(&query.offset.max(0).to_string()),
            "limit": query.limit.map(|limit| exact::integer(&limit.to_string())),
            "total": total,
            "has_more": has_more,
        },
    }))
}

/// The answer of `GET /api/jobs/{id}`; `None` when there is no such job.
pub(crate) fn one(snapshot: &Snapshot, id: &str, version: ServerVersion) -> Result<Option<Json>, Malformed> {
    if let Some((id, entry)) = snapshot.history.iter().find(|(known, _)| known == id) {
        let mut job = Job::ended(id, entry, version)?.to_json();
        let outputs = outputs::shown(&entry.outputs, version);
        job.insert("outputs".into(), outputs.into());
        job.insert("execution_status".into(), serde_json::to_value(&entry.status).unwrap_or_default());
        let item = &entry.prompt.0;
        job.insert("workflow".into(), json!({"prompt": &*item.prompt, "extra_data": item.extra_data}));
        return Ok(Some(job.into()));
    }
    for (status, items) in [(Status::InProgress, &snapshot.running), (Status::Pending, &snapshot.pending)] {
        if let Some(item) = items.iter().find(|item| item.0.prompt_id == id) {
            return Ok(Some(Job::queued(&item.0, status)?.to_json().into()));
        }
    }
    Ok(None)
}

impl<'a> Job<'a> {
    fn queued(item: &'a Item, status: Status) -> Result<Self, Malformed> {
        Ok(Self {
            id: &item.prompt_id,
            status,
            item,
            created: created(item),
            times: Times::default(),
            error: None,
            summary: outputs::Summary::default(),
            workflow_id: workflow_id(item)?,
        })
    }

    fn ended(id: &'a str, entry: &'a Entry, version: ServerVersion) -> Result<Self, Malformed> {
        let item = &*entry.prompt.0;
        let status = ending(entry, version);
        let time = |kinds: &[&str]| last(entry, kinds)?.get("timestamp")?.as_u64();
        Ok(Self {
            id,
            status,
            item,
            created: created(item),
            times: Times {
                start: time(&["execution_start"]),
                end: time(&["execution_success", "execution_error", "execution_interrupted"]),
            },
            error: (status == Status::Failed).then(|| last(entry, &["execution_error"])).flatten(),
            summary: outputs::summary(&entry.outputs, version)?,
            workflow_id: workflow_id(item)?,
        })
    }

    /// What is null is left out.
    fn to_json(&self) -> Map<String, Json> {
        let entries = [
            ("id", Some(self.id.into())),
            ("status", Some(self.status.as_str().into())),
            ("priority", Some(self.item.number.clone())),
            ("create_time", self.item.extra_data.get("create_time").cloned()),
            ("execution_start_time", self.times.start.map(Json::from)),
            ("execution_end_time", self.times.end.map(Json::from)),
            ("execution_error", self.error.cloned()),
            ("outputs_count", Some(self.summary.count.into())),
            ("preview_output", self.summary.preview.clone().map(Json::from)),
            ("workflow_id", self.workflow_id.cloned()),
        ];
        let known = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        known.filter(|(_, value)| !value.is_null()).collect()
    }
}

fn created(item: &Item) -> u64 {
    item.extra_data.get("create_time").and_then(Json::as_u64).unwrap_or_default()
}

/// The id of the editor's workflow. Whatever stands where the way to it should be an object cannot be read.
fn workflow_id(item: &Item) -> Result<Option<&Json>, Malformed> {
    let Some(entries) = item.extra_data.get("extra_pnginfo") else { return Ok(None) };
    let Some(workflow) = entries.as_object().ok_or(Malformed)?.get("workflow") else { return Ok(None) };
    Ok(workflow.as_object().ok_or(Malformed)?.get("id"))
}

/// The data of the last message of one of these kinds in a record.
fn last<'a>(entry: &'a Entry, kinds: &[&str]) -> Option<&'a Json> {
    let messages = &entry.status.as_ref()?.messages;
    messages.iter().rev().find(|message| kinds.contains(&message.0.as_str())).map(|message| &message.1)
}

fn ending(entry: &Entry, version: ServerVersion) -> Status {
    let was_interrupted = last(entry, &["execution_interrupted"]).is_some();
    match entry.status.as_ref().map(|status| status.status_str.as_str()) {
        Some("success") => Status::Completed,
        _ if was_interrupted && version >= ServerVersion::V0_30_0 => Status::Cancelled,
        _ => Status::Failed,
    }
}

#[cfg(test)]
mod tests;
