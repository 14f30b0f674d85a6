//! The journal of a batch: where it is, and whether there is one to go on with.

use std::path::{Path, PathBuf};

use comfy_api_client::batch::{Journal, RowState};

use super::plan::Plan;
use crate::args::{Batch, Run};
use crate::failure::{Failure, one_line};

/// Where the journal is.
pub(super) fn path(args: &Run, name: &str) -> PathBuf {
    args.batch.journal.clone().unwrap_or_else(|| args.save.output.join(name))
}

/// The journal that is there, if it is to be gone on with or can be begun anew.
pub(super) fn look(path: &Path, args: &Batch) -> Result<Option<Journal>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let journal = Journal::open(path).map_err(|error| Failure::from(error).into_usage())?;
    if journal.is_new() || args.resume || args.watch_dir.is_some() && !args.restart {
        return Ok(Some(journal));
    }
    let states = [RowState::Open, RowState::Done, RowState::Failed];
    let is_empty = states.into_iter().all(|state| journal.count(state) == 0);
    if args.restart || is_empty || journal.is_ended() {
        journal.clear()?;
        return Ok(Some(journal));
    }
    let shown = one_line(&path.display().to_string());
    let done = journal.count(RowState::Done);
    Err(Failure::usage(
        "unfinished",
        format!("{shown} has a batch that was interrupted, {done} of its rows are done"),
    )
    .with_hint("`--resume` goes on with it, `--restart` starts anew, `--journal FILE` leaves it alone"))
}

/// Begins the batch, or goes on with it.
pub(super) fn begin(found: Option<Journal>, path: &Path, plan: Plan, args: &Run) -> Result<Journal, Failure> {
    let journal = match found {
        Some(journal) => journal,
        None => Journal::open(path).map_err(|error| Failure::from(error).into_usage())?,
    };
    journal.begin(plan.asked, plan.notes).map_err(|error| {
        let failure = Failure::from(error).into_usage();
        match &args.batch.watch_dir {
            Some(_) => failure.with_hint("watch as before, or give another journal with `--journal FILE`"),
            None => failure.with_hint(
                "run it as before, start anew with `--restart`, or leave it alone with `--journal FILE`",
            ),
        }
    })?;
    Ok(journal)
}
