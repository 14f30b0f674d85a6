//! The worker: a thread that runs one prompt after the other.

use std::sync::Arc;

use crate::state::{Job, State};

mod cache;
mod call;
mod frames;
mod graph;
mod merge;
mod messages;
mod order;
mod report;
mod run;
mod signature;

/// Runs prompts until the simulator stops, or until a prompt comes that ends the worker of a real server too. Then
/// the queue fills up while everything else goes on working.
pub(crate) fn work(state: &Arc<State>) {
    let mut cache = cache::Cache::new(state.options.cache);
    while let Some(job) = state.next_job() {
        match job {
            Job::ForgetResults => cache.clear(),
            Job::Run(item) => match run::run(state, &item, &mut cache) {
                Ok(()) => {}
                Err(run::Abort::Fatal) => {
                    tracing::warn!(
                        prompt_id = item.0.prompt_id,
                        "this prompt ends the worker, as on the server"
                    );
                    return;
                }
                Err(run::Abort::Stopping) => return,
            },
        }
    }
}
