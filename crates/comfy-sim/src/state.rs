//! What the routes and the worker share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use comfy_protocol::routes::system::Features;
use comfy_protocol::{Message, Status};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::assets::Assets;
use crate::files::Files;
use crate::history::{Entry, History};
use crate::nodes::Registry;
use crate::options::Options;
use crate::queue::{Queue, SharedItem, Tie};
use crate::replacements::NodeReplacements;
use crate::sockets::{Sockets, Target};

/// Everything that a running simulator holds.
///
/// Locks are taken in the order queue, history, sockets, and never held while a node runs or a task waits.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) files: Files,
    pub(crate) nodes: Registry,
    pub(crate) options: Options,
    /// The assets, where the server has them. Their lock is held by itself and never for long.
    pub(crate) assets: Option<Assets>,
    /// What is put in the place of old nodes, where the version does so.
    pub(crate) replacements: Option<NodeReplacements>,
    /// Ends the connections and the accepting of new ones.
    pub(crate) stop: CancellationToken,
    work: Mutex<Work>,
    wake: Condvar,
    signals: Mutex<Signals>,
    signalled: Condvar,
    history: Mutex<History>,
    sockets: Mutex<Sockets>,
}

#[derive(Debug, Default)]
struct Work {
    queue: Queue,
    free_memory: bool,
    stopping: bool,
}

#[derive(Debug, Default)]
struct Signals {
    interrupted: bool,
    stopping: bool,
}

/// What the worker does next.
#[derive(Debug)]
pub(crate) enum Job {
    Run(SharedItem),
    ForgetResults,
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    Over,
    Interrupted,
    Stopping,
}

impl State {
    pub(crate) fn new(files: Files, nodes: Registry, options: Options, history: History) -> Self {
        let assets = Assets::new(&options, &files);
        let replacements = NodeReplacements::new(&options);
        Self {
            files,
            nodes,
            options,
            assets,
            replacements,
            stop: CancellationToken::new(),
            work: Mutex::default(),
            wake: Condvar::new(),
            signals: Mutex::default(),
            signalled: Condvar::new(),
            history: Mutex::new(history),
            sockets: Mutex::default(),
        }
    }

    /// Looks at the queue, or changes it without a word to anyone.
    pub(crate) fn queue<T>(&self, look: impl FnOnce(&mut Queue) -> T) -> T {
        look(&mut lock(&self.work).queue)
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }

    pub(crate) fn sockets(&self) -> MutexGuard<'_, Sockets> {
        lock(&self.sockets)
    }

    /// Prompts that wait or run.
    pub(crate) fn remaining(&self) -> u64 {
        self.queue(|queue| queue.remaining())
    }

    /// Adds a prompt. It is in the queue even when it cannot be ordered.
    pub(crate) fn enqueue(&self, item: SharedItem) -> Result<(), Tie> {
        let mut work = lock(&self.work);
        work.queue.push(item)?;
        self.tell_remaining(&work.queue);
        drop(work);
        self.wake.notify_one();
        Ok(())
    }

    /// Removes all waiting prompts.
    pub(crate) fn clear_queue(&self) {
        let mut work = lock(&self.work);
        work.queue.clear();
        self.tell_remaining(&work.queue);
    }

    /// Removes a waiting prompt.
    pub(crate) fn delete_pending(&self, prompt_id: &str) -> Result<(), Tie> {
        let mut work = lock(&self.work);
        for _ in 0..work.queue.delete(prompt_id)? {
            self.tell_remaining(&work.queue);
        }
        Ok(())
    }

    /// Waits for something to do; `None` when the worker has to end.
    pub(crate) fn next_job(&self) -> Option<Job> {
        let mut work = lock(&self.work);
        loop {
            if work.stopping {
                return None;
            }
            if std::mem::take(&mut work.free_memory) {
                return Some(Job::ForgetResults);
            }
            match work.queue.start_next() {
                Ok(Some(item)) => {
                    lock(&self.signals).interrupted = false;
                    self.tell_remaining(&work.queue);
                    return Some(Job::Run(item));
                }
                Ok(None) => work = self.wake.wait(work).unwrap_or_else(PoisonError::into_inner),
                Err(Tie) => {
                    tracing::warn!(
                        "two prompts with the same number and id: the worker ends, as on the server"
                    );
                    return None;
                }
            }
        }
    }

    /// The running prompt has ended: keeps its record and tells everyone.
    pub(crate) fn finish(&self, prompt_id: &str, entry: Entry) {
        let mut work = lock(&self.work);
        work.queue.finish();
        lock(&self.history).insert(prompt_id.to_owned(), Arc::new(entry));
        self.tell_remaining(&work.queue);
        if let Some(assets) = &self.assets {
            assets.scan.prompt_ended();
        }
    }

    /// Asks the running prompt to stop, whichever it is.
    pub(crate) fn interrupt(&self) {
        lock(&self.signals).interrupted = true;
        self.signalled.notify_all();
    }

    /// Asks the running prompt to stop if it is this one.
    pub(crate) fn interrupt_prompt(&self, prompt_id: &str) {
        let work = lock(&self.work);
        if work.queue.is_running(prompt_id) {
            self.interrupt();
        }
    }

    /// Waits inside a node.
    pub(crate) fn pause(&self, time: Duration) -> Pause {
        let signals = lock(&self.signals);
        let quiet = |signals: &mut Signals| !signals.interrupted && !signals.stopping;
        let (mut signals, _) =
            self.signalled.wait_timeout_while(signals, time, quiet).unwrap_or_else(PoisonError::into_inner);
        if signals.stopping {
            Pause::Stopping
        } else if std::mem::take(&mut signals.interrupted) {
            Pause::Interrupted
        } else {
            Pause::Over
        }
    }

    /// Makes the worker forget all results before the next prompt.
    pub(crate) fn free_memory(&self) {
        lock(&self.work).free_memory = true;
        self.wake.notify_one();
        if let Some(assets) = &self.assets {
            assets.scan.memory_freed();
        }
    }

    /// Ends everything that waits.
    pub(crate) fn stop(&self) {
        lock(&self.work).stopping = true;
        self.wake.notify_all();
        lock(&self.signals).stopping = true;
        self.signalled.notify_all();
        self.stop.cancel();
    }

    /// What the server says it can do.
    pub(crate) fn features(&self) -> Features {
        let json = json!({
            "supports_preview_metadata": true,
            "supports_model_type_tags": true,
            "max_upload_size": self.options.max_upload_size(),
            "extension": {"manager": {"supports_v4": true}},
            "node_replacements": true,
            "assets": self.assets.is_some(),
        });
        match json {
            serde_json::Value::Object(map) => Features(map),
            _ => Features::default(),
        }
    }

    fn tell_remaining(&self, queue: &Queue) {
        let message = Message::Status(Status::new(queue.remaining(), None));
        lock(&self.sockets).send(Target::Everyone, || message);
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Takes a lock. A panic while it was held left nothing half done that matters here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
