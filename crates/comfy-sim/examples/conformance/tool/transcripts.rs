//! All transcripts of a version, several at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use comfy_sim::ServerVersion;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::corpus::Corpus;
use super::outcome::Outcome;
use super::player::{Pace, Player};
use super::scenario::Scenario;
use super::{seed, servers};

/// The longest that a scenario may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Scenarios that cannot be played, and why.
const NOT_PLAYED: [(&str, &str); 2] = [
    ("models", "the files in the model folders were put there by hand"),
    ("zy_shutdown", "ends the server by a signal"),
];

/// What is played against.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A fresh simulator for each scenario, so many at a time.
    Simulators(usize),
    /// One server at `host:port`, one scenario after the other.
    Server(String),
}

/// Plays the transcripts of a version whose names `wanted` takes; in the order of their names.
///
/// # Errors
/// The corpus cannot be read.
pub(crate) async fn play_all(
    corpus: &Corpus,
    version: ServerVersion,
    target: &Target,
    pace: Pace,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<Outcome>> {
    let files = corpus.files(&format!("transcripts/{version}"))?;
    let at_a_time = match target {
        Target::Simulators(number) => *number,
        Target::Server(_) => 1,
    };
    let turns = Arc::new(Semaphore::new(at_a_time));
    let mut playing = JoinSet::new();
    for (name, path) in files.into_iter().filter(|(name, _)| wanted(name)) {
        let turn = Arc::clone(&turns).acquire_owned().await?;
        let (corpus, target) = (corpus.clone(), target.clone());
        playing.spawn(async move {
            let outcome = play(&corpus, version, &target, pace, &name, &path).await;
            drop(turn);
            outcome.unwrap_or_else(|error| {
                let mut outcome = Outcome::named(&name);
                outcome.count(false, || format!("{error:#}"));
                outcome
            })
        });
    }
    let mut outcomes = playing.join_all().await;
    outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(outcomes)
}

async fn play(
    corpus: &Corpus,
    version: ServerVersion,
    target: &Target,
    pace: Pace,
    name: &str,
    path: &Path,
) -> anyhow::Result<Outcome> {
    if let Some((_, reason)) = NOT_PLAYED.iter().find(|(known, _)| *known == name) {
        return Ok(Outcome { skipped: Some((*reason).into()), ..Outcome::named(name) });
    }
    let scenario = Scenario::read(path)?;
    let base = tempfile::Builder::new().prefix("comfy-conformance-").tempdir()?;
    let sim = match target {
        Target::Simulators(_) => {
            let builder = servers::of_scenario(corpus, version, name, &scenario)?;
            let sim = builder.base_dir(base.path()).start().await?;
            // Afterwards, since a server empties its folder for temporary files when it starts.
            if seed::SCENARIOS.contains(&name) {
                seed::files(&scenario, base.path())?;
            }
            Some(sim)
        }
        Target::Server(_) if seed::SCENARIOS.contains(&name) => {
            let reason = "its files cannot be put on that server".to_owned();
            return Ok(Outcome { skipped: Some(reason), ..Outcome::named(name) });
        }
        Target::Server(_) => None,
    };
    let host = match (&sim, target) {
        (Some(sim), _) => sim.address().to_string(),
        (None, Target::Server(host)) => host.clone(),
        (None, Target::Simulators(_)) => String::new(),
    };
    let folder = base.path().to_string_lossy();
    let folder = sim.is_some().then_some(&*folder);
    let mut player = Player::new(name, &host, folder, &scenario, pace);
    if sim.is_some() {
        player.count_on().await?;
    }
    let stopped = match tokio::time::timeout(LONGEST, player.play()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("stopped: {error:#}")),
        Err(_) => Some("stopped: took too long".to_owned()),
    };
    let mut outcome = player.outcome;
    if let Some(stopped) = stopped {
        outcome.differ(&stopped);
        outcome.total = outcome.total.max(scenario.compared());
    }
    if let Some(sim) = sim {
        sim.shutdown().await;
    }
    Ok(outcome)
}
