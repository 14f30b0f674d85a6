//! What the routes and the worker share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use comfy_protocol::routes::history::StatusMessage;
use comfy_protocol::routes::system::Features;
use comfy_protocol::{Message, Status};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::assets::Assets;
use crate::clock::Ticking;
use crate::executor;
use crate::faults::{Fault, FaultId, Faults, Kept, Restart, Struck};
use crate::files::Files;
use crate::history::{Entry, History};
use crate::jobs::Snapshot;
use crate::lives::Lives;
use crate::logs::{Level, Logs};
use crate::models::Models;
use crate::nodes::{Registry, Sleep};
use crate::options::Options;
use crate::queue::{Client, Queue, SharedItem, Tie};
use crate::replacements::NodeReplacements;
use crate::requests::Requests;
use crate::sockets::{Sockets, Target};
use crate::users::Users;
use crate::version::ServerVersion;

/// What a worker has for its calls, in bytes: nodes walk over what users have nested.
const STACK: usize = 16 << 20;

/// What a simulator keeps through the restarts of its server.
#[derive(Debug)]
pub(crate) struct Lasting {
    pub(crate) clock: Ticking,
    pub(crate) faults: Faults,
    pub(crate) requests: Requests,
}

/// Everything that a running server holds.
///
/// Locks are taken in the order queue, history, logs, sockets, and never held while a node runs or a task waits.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) files: Files,
    pub(crate) users: Users,
    pub(crate) models: Models,
    pub(crate) nodes: Arc<Registry>,
    pub(crate) options: Options,
    /// The assets, where the server has them. Their lock is held by itself and never for long.
    pub(crate) assets: Option<Assets>,
    /// What is put in the place of old nodes, where the version does so.
    pub(crate) replacements: Option<NodeReplacements>,
    pub(crate) lasting: Arc<Lasting>,
    /// Ends the connections.
    pub(crate) stop: CancellationToken,
    /// Whether the end comes without a goodbye.
    died: AtomicBool,
    lives: Weak<Lives>,
    worker: Mutex<Worker>,
    work: Mutex<Work>,
    wake: Condvar,
    signals: Mutex<Signals>,
    signalled: Condvar,
    history: Mutex<History>,
    logs: Mutex<Logs>,
    sockets: Mutex<Sockets>,
}

#[derive(Debug, Default)]
struct Work {
    queue: Queue,
    /// When the prompt that ran last began.
    started: Option<Instant>,
    free_memory: bool,
    stopping: bool,
}

/// The thread that runs the prompts. There is none before the first prompt.
#[derive(Debug, Default)]
enum Worker {
    #[default]
    Unneeded,
    Started(JoinHandle<()>),
    Ended,
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
    pub(crate) fn new(
        files: Files,
        nodes: Arc<Registry>,
        options: Options,
        history: History,
        lasting: Arc<Lasting>,
        lives: Weak<Lives>,
    ) -> Self {
        let users = Users::new(files.base(), options.version, options.multi_user);
        let models = Models::new(options.version, options.models.clone(), files.base());
        let logs = Logs::new(options.version >= ServerVersion::V0_30_0);
        let assets = Assets::new(&options, Arc::clone(&lasting));
        let replacements = NodeReplacements::new(&options);
        Self {
            files,
            users,
            models,
            nodes,
            options,
            assets,
            replacements,
            lasting,
            stop: CancellationToken::new(),
            died: AtomicBool::new(false),
            lives,
            worker: Mutex::default(),
            work: Mutex::default(),
            wake: Condvar::new(),
            signals: Mutex::default(),
            signalled: Condvar::new(),
            history: Mutex::new(history),
            logs: Mutex::new(logs),
            sockets: Mutex::default(),
        }
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.lasting.clock.now().as_millis()).unwrap_or(u64::MAX)
    }

    /// An id that nobody has yet.
    pub(crate) fn new_id(&self) -> Uuid {
        self.lasting.clock.id()
    }

    /// Sets a fault; `None` when there are too many. One that strikes at once has done so when this returns.
    pub(crate) fn fault(self: &Arc<Self>, fault: Fault) -> FaultId {
        let id = self.lasting.faults.add(fault.clone());
        match fault {
            Fault::Restart { at: None, history, down } => {
                self.lasting.faults.remove(id);
                let down = Duration::try_from_secs_f64(down).unwrap_or_default();
                self.restart(Restart { history, down });
            }
            Fault::QueueFull { jobs, .. } => self.lasting.faults.fill_queue(self, jobs),
            _ => {}
        }
        id
    }

    /// A node is about to run: what faults do to it. A restart has happened when this returns.
    pub(crate) fn at_node(&self, prompt_id: &str, class_type: &str) -> Struck {
        let mut struck = self.lasting.faults.at_node(prompt_id, class_type);
        if let Some(restart) = struck.restart.take() {
            self.restart(restart);
            struck.error = Some(crate::nodes::NodeError::stopping());
        }
        struck
    }

    fn restart(&self, restart: Restart) {
        if let Some(lives) = self.lives.upgrade() {
            lives.restart(restart.history == Kept::Kept, restart.down);
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

    pub(crate) fn logs(&self) -> MutexGuard<'_, Logs> {
        lock(&self.logs)
    }

    /// Writes a line into the server's log.
    pub(crate) fn log(&self, level: Level, text: &str) {
        self.tell_listeners(|logs| logs.line(level, text));
    }

    /// Writes pieces of text into the server's log as they are: what `print` writes word by word.
    pub(crate) fn print(&self, pieces: &[&str]) {
        self.tell_listeners(|logs| logs.push(pieces));
    }

    fn tell_listeners(&self, write: impl FnOnce(&mut Logs) -> serde_json::Value) {
        let mut logs = lock(&self.logs);
        let data = write(&mut logs);
        let sockets = lock(&self.sockets);
        for id in logs.listeners(|id| sockets.is_open(id)) {
            let message = || Message::Other { kind: "logs".into(), data: data.clone() };
            sockets.send(Target::Client(Client(Some(id))), message);
        }
    }

    /// All prompts as they are at this moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let work = lock(&self.work);
        let history = lock(&self.history).list(None, -1);
        Snapshot { running: work.queue.running(), pending: work.queue.pending(), history }
    }

    /// Prompts that wait or run.
    pub(crate) fn remaining(&self) -> u64 {
        self.queue(|queue| queue.remaining())
    }

    /// Adds a prompt. It is in the queue even when it cannot be ordered.
    pub(crate) fn enqueue(self: &Arc<Self>, item: SharedItem) -> Result<(), Tie> {
        let mut work = lock(&self.work);
        work.queue.push(item)?;
        self.tell_remaining(&work.queue);
        drop(work);
        self.start_worker();
        self.wake.notify_one();
        Ok(())
    }

    /// Starts the thread that runs the prompts, when there is none yet.
    fn start_worker(self: &Arc<Self>) {
        let mut worker = lock(&self.worker);
        if !matches!(*worker, Worker::Unneeded) {
            return;
        }
        let state = Arc::clone(self);
        let work = move || executor::work(&state);
        match thread::Builder::new().name("comfy-sim-worker".into()).stack_size(STACK).spawn(work) {
            Ok(thread) => *worker = Worker::Started(thread),
            // The next prompt tries again.
            Err(error) => tracing::error!(%error, "no thread to run prompts"),
        }
    }

    /// The thread that runs the prompts, to be waited for; none starts any more.
    pub(crate) fn take_worker(&self) -> Option<JoinHandle<()>> {
        match std::mem::replace(&mut *lock(&self.worker), Worker::Ended) {
            Worker::Started(thread) => Some(thread),
            Worker::Unneeded | Worker::Ended => None,
        }
    }

    /// Removes all waiting prompts.
    pub(crate) fn clear_queue(&self) {
        let mut work = lock(&self.work);
        work.queue.clear();
        self.tell_remaining(&work.queue);
    }

    /// Removes a waiting prompt.
    pub(crate) fn delete_pending(&self, prompt_id: &str) -> Result<(), Tie> {
        self.delete(&mut lock(&self.work), prompt_id).map(|_| ())
    }

    /// Cancels prompts: asks the running one to stop if it is among them, and removes those that wait. Says whether there was
    /// anything to do. In one step, so that no other prompt is hit, and none of these begins to run meanwhile.
    pub(crate) fn cancel<'a>(&self, prompt_ids: impl IntoIterator<Item = &'a str>) -> Result<bool, Tie> {
        let mut work = lock(&self.work);
        let mut cancelled = false;
        for prompt_id in prompt_ids {
            if work.queue.is_running(prompt_id) {
                self.interrupt();
                cancelled = true;
            } else {
                cancelled |= self.delete(&mut work, prompt_id)?;
            }
        }
        Ok(cancelled)
    }

    /// Removes a waiting prompt and tells about it. Says whether there was one.
    fn delete(&self, work: &mut Work, prompt_id: &str) -> Result<bool, Tie> {
        let messages = work.queue.delete(prompt_id)?;
        for _ in 0..messages {
            self.tell_remaining(&work.queue);
        }
        Ok(messages > 0)
    }

    /// Waits for something to do; `None` when the worker has to end.
    pub(crate) fn next_job(&self) -> Option<Job> {
        let mut work = lock(&self.work);
        if let Some(started) = work.started.take() {
            self.log_duration(started.elapsed());
        }
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
                    if item.0.ends_the_server() {
                        tracing::warn!(
                            "a client_id is a list or an object: the simulator ends, as the server does"
                        );
                        drop(work);
                        self.stop();
                        return None;
                    }
                    work.started = Some(Instant::now());
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
    pub(crate) fn finish(&self, prompt_id: &str, mut entry: Entry) {
        self.log_ending(&entry);
        entry.prompt = entry.prompt.without_secrets();
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
        let is_running = work.queue.is_running(prompt_id);
        if is_running {
            self.interrupt();
        }
        drop(work);
        let text = match is_running {
            true => format!("Interrupting prompt {prompt_id}"),
            false => format!("Prompt {prompt_id} is not currently running, skipping interrupt"),
        };
        self.log(Level::Info, &text);
    }

    /// Waits inside a node, no longer than until `is_over` says that nobody waits for the node any more.
    pub(crate) fn pause(&self, time: Duration, sleep: Sleep, is_over: impl Fn() -> bool) -> Pause {
        let time = if self.lasting.clock.advance(time) { Duration::ZERO } else { time };
        let signals = lock(&self.signals);
        let light = sleep == Sleep::Light;
        let stops = |signals: &Signals| signals.stopping || is_over();
        let quiet = |signals: &mut Signals| !(stops(signals) || signals.interrupted && light);
        let (mut signals, _) =
            self.signalled.wait_timeout_while(signals, time, quiet).unwrap_or_else(PoisonError::into_inner);
        if stops(&signals) {
            Pause::Stopping
        } else if light && std::mem::take(&mut signals.interrupted) {
            Pause::Interrupted
        } else {
            Pause::Over
        }
    }

    /// Makes those that pause look whether they are over.
    pub(crate) fn wake_sleepers(&self) {
        drop(lock(&self.signals));
        self.signalled.notify_all();
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

    /// Ends everything that waits, as a process that is killed.
    pub(crate) fn die(&self) {
        self.died.store(true, Ordering::Release);
        self.stop();
    }

    /// Whether it was killed.
    pub(crate) fn has_died(&self) -> bool {
        self.died.load(Ordering::Acquire)
    }

    /// What the server says it can do: what its version has, and the flags that it was started with.
    pub(crate) fn features(&self) -> Features {
        let options = &self.options;
        let mut features = Map::new();
        let mut add = |name: &str, value: Value| features.insert(name.to_owned(), value);
        let is_newest = options.version >= ServerVersion::V0_30_0;
        add("supports_preview_metadata", true.into());
        if is_newest {
            add("supports_model_type_tags", true.into());
        }
        add("max_upload_size", options.max_upload_size_shown());
        if options.version >= ServerVersion::V0_8_0 {
            add("extension", json!({"manager": {"supports_v4": true}}));
        }
        if is_newest {
            add("node_replacements", true.into());
            add("assets", self.assets.is_some().into());
            for (name, value) in &options.feature_flags {
                features.entry(name.as_str()).or_insert_with(|| flag(name, value));
            }
        }
        Features(features)
    }

    /// Writes how a prompt ended.
    fn log_ending(&self, entry: &Entry) {
        let messages = entry.status.iter().flat_map(|status| &status.messages);
        for StatusMessage(kind, data) in messages {
            match kind.as_str() {
                "execution_interrupted" => self.log(Level::Info, "Processing interrupted"),
                "execution_error" => {
                    let message = data.get("exception_message").and_then(Value::as_str).unwrap_or_default();
                    let text = format!("!!! Exception during processing !!! {}", message.trim_end());
                    self.log(Level::Error, &text);
                    let frames = data.get("traceback").and_then(Value::as_array).into_iter().flatten();
                    let frames: String = frames.filter_map(Value::as_str).collect();
                    let kind = data.get("exception_type").and_then(Value::as_str).unwrap_or_default();
                    let text = format!("Traceback (most recent call last):\n{frames}{kind}: {message}");
                    self.log(Level::Error, &text);
                }
                _ => {}
            }
        }
    }

    fn log_duration(&self, time: Duration) {
        let text = format!("Prompt executed in {:.2} seconds", time.as_secs_f64());
        self.tell_listeners(|logs| {
            let text = logs.green(text);
            logs.line(Level::Info, &text)
        });
    }

    fn tell_remaining(&self, queue: &Queue) {
        let message = Message::Status(Status::new(queue.remaining(), None));
        lock(&self.sockets).send(Target::Everyone, || message);
    }
}

/// The value of a flag that the server was started with: a text, unless it is one of those that are known to be on or off.
fn flag(name: &str, value: &str) -> Value {
    match (name, value.to_ascii_lowercase().as_str()) {
        ("show_signin_button" | "enable_telemetry", "true" | "1" | "yes") => true.into(),
        ("show_signin_button" | "enable_telemetry", _) => false.into(),
        _ => value.into(),
    }
}

/// Takes a lock. A panic while it was held left nothing half done that matters here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
