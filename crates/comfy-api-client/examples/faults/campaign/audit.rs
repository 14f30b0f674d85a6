//! Compares what users were told with what happened.

use super::ledger::{Ending, Ledger, Sent};
use super::user::{Claim, Story, Told};
use super::work::Kind;

/// What was wrong with a job.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) job: u64,
    pub(crate) sort: Sort,
    pub(crate) what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sort {
    /// It has no end.
    Hung,
    /// A prompt ran of which nobody was told.
    Lost,
    /// Something was told that is not so.
    False,
    /// It ran more than once, and nobody was told that it might.
    Doubled,
}

pub(crate) fn audit(story: &Story, ledger: &Ledger) -> Vec<Violation> {
    let mut violations = Vec::new();
    let sent = ledger.of(story.work.job);
    let mut complain = |sort, what: String| {
        let what = format!("{what}; {:?}; told {:#?}; sent {sent:#?}", story.work, story.claims);
        violations.push(Violation { job: story.work.job, sort, what });
    };
    story.wrongs.iter().for_each(|wrong| complain(Sort::False, wrong.clone()));
    let ends = story.claims.iter().filter(|claim| claim.what.is_end()).count();
    if story.hung {
        complain(Sort::Hung, "it has not ended in time".into());
    } else if ends != 1 && story.wrongs.is_empty() {
        complain(Sort::False, format!("it has {ends} ends"));
    }
    let has_run = |sent: &&Sent| !matches!(sent.ending, None | Some(Ending::Unrecorded));
    if sent.iter().filter(has_run).count() > 1 {
        complain(Sort::Doubled, "it ran more than once".into());
    }
    for sent in sent.iter().filter(has_run) {
        if !story.claims.iter().any(|claim| claim.prompt_id.as_ref() == Some(&sent.id)) {
            complain(Sort::Lost, format!("nobody was told of prompt {}", sent.id));
        }
    }
    for claim in &story.claims {
        let about = sent.iter().find(|sent| claim.prompt_id.as_ref() == Some(&sent.id));
        if !is_true(claim, about, story, ledger) {
            complain(Sort::False, format!("{:?} is not true", claim.what));
        }
    }
    violations
}

fn is_true(claim: &Claim, sent: Option<&Sent>, story: &Story, ledger: &Ledger) -> bool {
    let Some(sent) = sent else {
        // Of what was never passed on, nothing else can be said.
        return matches!(claim.what, Told::NotTaken | Told::MayBeTaken | Told::Unknown);
    };
    let was_taken = sent.taken_at.is_some() || !matches!(sent.ending, None | Some(Ending::Unrecorded));
    let is_unrecorded = sent.ending == Some(Ending::Unrecorded);
    let is_forgotten = ledger.forgot(sent.server, sent.epoch, claim.epoch);
    match claim.what {
        Told::NotTaken => !was_taken,
        Told::Refused => story.work.kind == Kind::Refused && !was_taken,
        Told::MayBeTaken | Told::GivenUp => true,
        Told::Unknown => {
            let was_there = sent.taken_at.is_some_and(|taken_at| taken_at < claim.asked_at);
            let was_removed = story.cancelled && is_unrecorded;
            let was_dropped = is_unrecorded && claim.epoch > sent.epoch;
            !was_there || is_forgotten || was_dropped || was_removed
        }
        Told::TakenOut | Told::Removed => story.cancelled && is_unrecorded,
        Told::Finished => sent.ending == Some(Ending::Success),
        Told::Failed => sent.ending == Some(Ending::Error) && story.work.kind == Kind::Fails,
        Told::Interrupted => sent.ending == Some(Ending::Interrupted) && story.cancelled,
        // Where cancelling failed halfway, nobody knows which of the two it was, and the error names both.
        Told::Lost if story.cancelled && is_unrecorded => true,
        Told::Lost => claim.epoch > sent.epoch && (is_unrecorded || is_forgotten),
    }
}
