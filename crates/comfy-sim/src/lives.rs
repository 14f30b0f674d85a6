//! The lives of a simulated server: it can die and be started again, on the same port and with the same files.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::{self, Phase, Root};
use crate::files::Files;
use crate::history::History;
use crate::logs::Level;
use crate::nodes::Registry;
use crate::options::Options;
use crate::routes::{self, App};
use crate::state::{Lasting, State};

/// How long a simulator waits at its start for the first scan of assets. Mostly it is over before the first client comes.
const FIRST_SCAN: Duration = Duration::from_millis(250);

/// What a server is made from, again and again.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Where the simulator listens.
    pub(crate) address: SocketAddr,
    pub(crate) files: Files,
    pub(crate) nodes: Arc<Registry>,
    pub(crate) options: Options,
    pub(crate) lasting: Arc<Lasting>,
}

/// One life.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) state: Arc<State>,
    pub(crate) app: App,
}

impl Life {
    /// What goes on without being asked for begins, and ends with the life.
    fn begin(&self, lives: &Lives) {
        if self.state.assets.is_some() {
            assets::start(&self.state, Root::SCANNED.to_vec(), Phase::First);
            let (stop, house) = (self.state.stop.clone(), assets::keep_house(Arc::clone(&self.state)));
            lives.connections.spawn_on(stop.run_until_cancelled_owned(house), &lives.runtime);
        }
    }
}

#[derive(Debug)]
pub(crate) struct Lives {
    parts: Parts,
    current: Mutex<Life>,
    /// The connections and sockets of all lives, and what goes on beside them.
    pub(crate) connections: TaskTracker,
    /// Ends them, however far they are.
    pub(crate) severed: CancellationToken,
    /// Where they are served.
    runtime: Handle,
    /// Ends the listening, and the simulator.
    pub(crate) stop: CancellationToken,
    /// For how long the port is to be given up.
    pauses: UnboundedSender<Duration>,
    /// The workers of the lives before this one.
    old_workers: Mutex<Vec<JoinHandle<()>>>,
    this: Weak<Self>,
}

/// The pauses that the listening is to make.
pub(crate) type Pauses = tokio::sync::mpsc::UnboundedReceiver<Duration>;

impl Lives {
    /// The first life begins.
    pub(crate) fn new(parts: Parts, history: History, runtime: Handle) -> (Arc<Self>, Pauses) {
        let (pauses, receiver) = unbounded_channel();
        let lives = Arc::new_cyclic(|this| {
            let (connections, severed) = (TaskTracker::new(), CancellationToken::new());
            let current = life(&parts, history, this.clone(), &connections, &severed);
            Self {
                parts,
                current: Mutex::new(current),
                connections,
                severed,
                runtime,
                stop: CancellationToken::new(),
                pauses,
                old_workers: Mutex::default(),
                this: this.clone(),
            }
        });
        let first = lives.current();
        first.begin(&lives);
        if let Some(assets) = &first.state.assets {
            assets.scan.wait(FIRST_SCAN);
        }
        (lives, receiver)
    }

    pub(crate) fn current(&self) -> Life {
        lock(&self.current).clone()
    }

    /// This life ends without a goodbye, and the next begins. What comes in from now on meets that one.
    pub(crate) fn restart(&self, keep_history: bool, down: Duration) {
        let mut current = lock(&self.current);
        if self.stop.is_cancelled() {
            return;
        }
        let old = Arc::clone(&current.state);
        let history = if keep_history { old.history().clone() } else { History::default() };
        old.die();
        if let Err(error) = self.parts.files.prepare() {
            tracing::warn!(%error, "the temporary files cannot be removed");
        }
        *current = life(&self.parts, history, self.this.clone(), &self.connections, &self.severed);
        current.begin(self);
        drop(current);
        lock(&self.old_workers).extend(old.take_worker());
        if !down.is_zero() {
            // Nobody listens any more when the simulator is stopping.
            let _ = self.pauses.send(down);
        }
        tracing::info!("the server has died and was started again");
    }

    /// Ends everything. The workers are to be waited for.
    pub(crate) fn stop(&self) -> Vec<JoinHandle<()>> {
        let current = lock(&self.current);
        self.stop.cancel();
        current.state.stop();
        let mut workers = std::mem::take(&mut *lock(&self.old_workers));
        workers.extend(current.state.take_worker());
        workers
    }
}

fn life(
    parts: &Parts,
    history: History,
    lives: Weak<Lives>,
    connections: &TaskTracker,
    severed: &CancellationToken,
) -> Life {
    let state = Arc::new(State::new(
        parts.files.clone(),
        Arc::clone(&parts.nodes),
        parts.options.clone(),
        history,
        Arc::clone(&parts.lasting),
        lives,
    ));
    state.log(Level::Info, "Starting server\n");
    state.log(Level::Info, &format!("To see the GUI go to: http://{}", parts.address));
    let app = routes::app(Arc::clone(&state), connections.clone(), severed.clone());
    Life { state, app }
}

/// Takes a lock. A panic while it was held left nothing half done that matters here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
