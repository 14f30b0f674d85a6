//! A part of the conformance report (`docs/conformance.md`) that holds the level that was reached.

#[allow(dead_code, unused_imports, reason = "the report uses more of it than this test")]
#[path = "../../examples/conformance/tool/mod.rs"]
mod tool;

use std::time::Duration;

use comfy_sim::ServerVersion;
use tool::{Corpus, Outcome, Pace, Target};

/// Scenarios at a time. They mostly wait.
const AT_A_TIME: usize = 12;

/// The steps of transcripts and the cases that may differ, by version. They go down and never up.
const MAY_DIFFER: [(ServerVersion, usize, usize); 3] =
    [(ServerVersion::V0_3_64, 24, 1), (ServerVersion::V0_8_0, 28, 1), (ServerVersion::V0_30_0, 30, 0)];

/// Scenarios that are over soon.
const SCENARIOS: [&str; 12] = [
    "alt_upload_limit",
    "bad_bodies",
    "basic_run",
    "cached_no_client",
    "http_edges",
    "misc_get",
    "passthrough_outputs",
    "same_client_id",
    "sec_fetch",
    "upload_image",
    "upload_mask",
    "view",
];

/// The recordings, which are not part of the repository. They have to be there in CI.
fn corpus() -> Option<Corpus> {
    let corpus = Corpus::find(None);
    if let Err(error) = &corpus {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{error:#}");
        println!("skipped: {error:#}");
    }
    corpus.ok()
}

/// Fails when more differs than may.
fn hold(what: &str, version: ServerVersion, outcomes: &[Outcome], may_differ: usize) {
    let differ: usize = outcomes.iter().map(|outcome| outcome.total - outcome.equal).sum();
    let total: usize = outcomes.iter().map(|outcome| outcome.total).sum();
    println!("{version}, {what}: {} / {total}", total - differ);
    let differences: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| outcome.differences.iter().map(move |line| format!("{}: {line}", outcome.name)))
        .collect();
    assert!(total > 0, "{version}, {what}: nothing was compared");
    assert!(
        differ <= may_differ,
        "{version}, {what}: {differ} of {total} differ, {may_differ} may:\n{}",
        differences.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_conversations_are_as_equal_as_they_were() {
    let Some(corpus) = corpus() else { return };
    let pace = Pace { pause: Duration::from_millis(50), ..Pace::default() };
    for (version, steps, _) in MAY_DIFFER {
        let target = Target::Simulators(AT_A_TIME);
        let outcomes =
            tool::play_all(&corpus, version, &target, pace, |name| SCENARIOS.contains(&name)).await.unwrap();
        hold("transcripts", version, &outcomes, steps);
    }
}

#[tokio::test]
async fn answers_to_recorded_prompts_are_as_equal_as_they_were() {
    let Some(corpus) = corpus() else { return };
    for (version, _, cases) in MAY_DIFFER {
        let outcomes = tool::answers(&corpus, version, |_| true).await.unwrap();
        hold("answers to prompts", version, &outcomes, cases);
    }
}
