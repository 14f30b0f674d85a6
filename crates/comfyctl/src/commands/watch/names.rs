//! What to call things of a server, fit for a terminal.

use std::time::Duration;

use comfy_api_client::protocol::routes::history::Ending;
use comfy_api_client::workflow::{Node, NodeId};
use comfy_api_client::{EndedJob, OutputFile, WatchedJob};

use crate::failure::one_line;
use crate::render::table::visible;
use crate::render::time::clock;

/// A text of a server on one line, with all that would act on the terminal written out.
pub(super) fn clean(text: &str) -> String {
    visible(&one_line(text))
}

/// What a person would call a job: by the name of the editor's workflow, else by the nodes whose outputs it is for.
pub(super) fn title(job: &WatchedJob) -> String {
    let editor = job.extra_data.get("extra_pnginfo").and_then(|info| info.get("workflow"));
    let named = editor.and_then(|editor| editor.pointer("/extra/info/name").or_else(|| editor.get("name")));
    if let Some(name) = named.and_then(|name| name.as_str()).map(clean).filter(|name| !name.is_empty()) {
        return name;
    }
    let mut names: Vec<String> = Vec::new();
    // In the order of the workflow: servers give the outputs in none.
    for (id, node) in job.workflow.nodes().filter(|(id, _)| job.outputs.contains(id)) {
        let name = node_title(id, Some(node));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { "a job".to_owned() } else { names.join(", ") }
}

/// The title of a node, else its class.
pub(super) fn node_title(id: &NodeId, node: Option<&Node>) -> String {
    let name = node.map(|node| clean(node.title().unwrap_or(&node.class_type))).unwrap_or_default();
    if name.is_empty() { format!("node {}", clean(id.as_str())) } else { name }
}

/// `a.png, b.png and 3 more`, with their folders.
pub(super) fn files_of(files: impl Iterator<Item = OutputFile>, most: usize) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut count = 0;
    for output in files {
        count += 1;
        if names.len() < most {
            let separator = if output.file.subfolder.is_empty() { "" } else { "/" };
            names.push(clean(&format!("{}{separator}{}", output.file.subfolder, output.file.filename)));
        }
    }
    match count - names.len() {
        _ if count == 0 => "no files".to_owned(),
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// How a job ended: in a word, and why.
pub(super) fn ending(job: &EndedJob) -> (&'static str, Option<String>) {
    match &job.ending {
        Ending::Success => ("done", None),
        Ending::Interrupted(report) => {
            ("interrupted", Some(format!("at {}", named(job, &report.node_id, &report.node_type))))
        }
        Ending::Error(Some(report)) => {
            let node = named(job, &report.node_id, &report.node_type);
            // What comes after the first line are tips.
            let message = report.exception_message.lines().next().unwrap_or_default();
            ("failed", Some(format!("{node}: {}", clean(message))))
        }
        _ => ("failed", Some("the server's record does not say why".to_owned())),
    }
}

fn named(job: &EndedJob, id: &NodeId, class_type: &str) -> String {
    match job.job.workflow.node(id.as_str()) {
        Some(node) => node_title(id, Some(node)),
        None => format!("node {} ({})", clean(id.as_str()), clean(class_type)),
    }
}

/// `1 node`, `2 nodes`.
pub(super) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `4.2 s`, `1:23`, `1:02:03`.
pub(super) fn time_taken(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => clock(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (milliseconds, text) in
            [(42, "0.0 s"), (4_240, "4.2 s"), (59_900, "59 s"), (83_000, "1:23"), (3_723_000, "1:02:03")]
        {
            assert_eq!(time_taken(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn what_a_server_calls_things_does_not_act_on_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\n\u{202e}c"), "a [2Jb \\u{202e}c");
    }
}
