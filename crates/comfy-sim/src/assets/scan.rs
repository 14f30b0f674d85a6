//! Scans of the folders: which files there are, and what is in them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use comfy_protocol::Message;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use super::facts;
use super::roots::{self, Root};
use super::store::Tally;
use crate::sockets::Target;
use crate::state::State;

/// A scan begins its work so long after it was asked for: the server too does not begin at once, so that a second
/// request meets the first one.
const SETTLING: Duration = Duration::from_millis(25);

/// The server tidies its memory up no more often than this, and looks at new outputs then.
const BETWEEN_TIDYING: Duration = Duration::from_secs(10);

/// How long tidying up takes.
const TIDYING: Duration = Duration::from_millis(300);

/// How much of the work a scan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The whole, at once: when the server starts.
    First,
    /// Looks for files, and then into them.
    Full,
    /// Looks into files that are known already.
    Enrich,
}

/// The scan that runs, if any.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    course: Mutex<Course>,
    changed: Condvar,
    prompt_ended: Notify,
    memory_freed: Notify,
}

#[derive(Debug, Default)]
struct Course {
    is_running: bool,
    is_cancelled: bool,
    tally: Tally,
}

impl Scan {
    fn course<T>(&self, look: impl FnOnce(&mut Course) -> T) -> T {
        look(&mut self.course.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn is_running(&self) -> bool {
        self.course(|course| course.is_running)
    }

    /// Asks the running scan to stop. Says whether there is one.
    pub(crate) fn cancel(&self) -> bool {
        let is_running = self.course(|course| {
            course.is_cancelled = course.is_running;
            course.is_running
        });
        self.changed.notify_all();
        is_running
    }

    /// How far the last scan came, as it is answered.
    pub(crate) fn progress(&self) -> Json {
        let tally = self.course(|course| course.tally);
        json!({
            "scanned": tally.total - tally.skipped,
            "total": tally.total,
            "created": tally.created,
            "skipped": tally.skipped,
        })
    }

    /// What the scan is doing, in the server's words.
    pub(crate) fn state(&self) -> &'static str {
        self.course(|course| match (course.is_running, course.is_cancelled) {
            (false, _) => "IDLE",
            (true, false) => "RUNNING",
            (true, true) => "CANCELLING",
        })
    }

    /// Waits until no scan runs, but no longer than this.
    pub(crate) fn wait(&self, longest: Duration) {
        let course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(course, longest, |course| course.is_running));
    }

    /// A prompt has ended: there may be new outputs.
    pub(crate) fn prompt_ended(&self) {
        self.prompt_ended.notify_one();
    }

    /// The server was asked to free its memory.
    pub(crate) fn memory_freed(&self) {
        self.memory_freed.notify_one();
    }

    /// Waits a little for a wish to cancel. Says whether there was one.
    fn is_cancelled_within(&self, time: Duration) -> bool {
        let course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let course = self.changed.wait_timeout_while(course, time, |course| !course.is_cancelled);
        course.unwrap_or_else(PoisonError::into_inner).0.is_cancelled
    }
}

/// Starts a scan in a thread of its own. Says whether it could: there is one at a time.
pub(crate) fn start(state: &Arc<State>, roots: Vec<Root>, phase: Phase) -> bool {
    let Some(assets) = &state.assets else { return false };
    let is_first = assets.scan.course(|course| {
        let is_first = !course.is_running;
        if is_first {
            *course = Course { is_running: true, ..Course::default() };
        }
        is_first
    });
    if !is_first {
        return false;
    }
    let worker = Arc::clone(state);
    let started = thread::Builder::new().name("comfy-sim-scan".into()).spawn(move || {
        run(&worker, &roots, phase);
        if let Some(assets) = &worker.assets {
            assets.scan.course(|course| course.is_running = false);
            assets.scan.changed.notify_all();
        }
    });
    if started.is_err() {
        assets.scan.course(|course| course.is_running = false);
    }
    started.is_ok()
}

fn run(state: &State, roots: &[Root], phase: Phase) {
    let Some(assets) = &state.assets else { return };
    let began = Instant::now();
    let names: Vec<_> = roots.iter().map(|root| root.as_str()).collect();
    let tell = |event: &str, data: Json| {
        let kind = format!("assets.seed.{event}");
        state.sockets().send(Target::Everyone, || Message::Other { kind, data });
    };
    let cancelled = |tally: Tally| {
        tell(
            "cancelled",
            json!({"scanned": tally.total - tally.skipped, "total": tally.total, "created": tally.created}),
        );
    };
    let mut tally = Tally::default();
    if phase != Phase::Enrich {
        let settling = if phase == Phase::Full { SETTLING } else { Duration::ZERO };
        if assets.scan.is_cancelled_within(settling) {
            return cancelled(tally);
        }
        let files: Vec<_> =
            roots.iter().flat_map(|root| roots::files_in(*root, &state.files, &state.models)).collect();
        tell("started", json!({"roots": names, "total": files.len(), "phase": "fast"}));
        tally = assets.store().take_in(roots, files, assets.now());
        assets.scan.course(|course| course.tally = tally);
        let (created, skipped, total) = (tally.created, tally.skipped, tally.total);
        tell(
            "fast_complete",
            json!({"roots": names, "created": created, "skipped": skipped, "total": total}),
        );
    }
    tell("started", json!({"roots": names, "phase": "enrich"}));
    let unread = assets.store().unread(roots);
    let mut enriched = 0;
    for (id, path, relative) in unread {
        if assets.scan.is_cancelled_within(Duration::ZERO) || state.stop.is_cancelled() {
            return cancelled(tally);
        }
        let hash = if assets.hashing { facts::hash_of_file(&path).ok() } else { None };
        let size = path.metadata().map_or(0, |data| data.len());
        let found = facts::scanned(&path, &relative, size);
        assets.store().found_out(&id, found, hash, assets.now());
        enriched += 1;
    }
    tell("enrich_complete", json!({"roots": names, "enriched": enriched}));
    let elapsed = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let phase = if phase == Phase::Enrich { "enrich" } else { "full" };
    let completed = json!({
        "phase": phase,
        "total": tally.total,
        "created": tally.created,
        "enriched": enriched,
        "skipped": tally.skipped,
        "elapsed": elapsed,
    });
    tell("completed", completed);
}

/// Looks at new outputs whenever the server would tidy up: after prompts, but not all the time, and when it was asked to
/// free its memory. It begins as a server that was just asked so, which is how the
/// recordings of real servers begin.
/// It ends with the server.
pub(crate) async fn keep_house(state: Arc<State>) {
    let Some(assets) = &state.assets else { return };
    loop {
        tokio::time::sleep(TIDYING).await;
        start(&state, vec![Root::Output], Phase::Enrich);
        let soonest = tokio::time::Instant::now() + BETWEEN_TIDYING;
        let after_prompt = async {
            assets.scan.prompt_ended.notified().await;
            tokio::time::sleep_until(soonest).await;
        };
        tokio::select! {
            () = after_prompt => {}
            () = assets.scan.memory_freed.notified() => {}
        }
    }
}
