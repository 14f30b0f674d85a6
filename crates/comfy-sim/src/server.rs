use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::ServiceExt;
use axum::extract::Request;
use axum::serve::ListenerExt as _;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio_util::task::TaskTracker;

use crate::builder::Builder;
use crate::error::{Error, ErrorKind};
use crate::files::Files;
use crate::history::History;
use crate::state::State;
use crate::{assets, executor, routes};

/// How long connections may take to say goodbye when the simulator stops.
const GOODBYE: Duration = Duration::from_millis(250);

/// A running simulator. It listens on a port of 127.0.0.1 and stops when it is dropped.
///
/// It has two threads of its own, one for the connections and one that runs the nodes. So it can be used from any
/// runtime, and from tests that stop the clock of theirs.
#[derive(Debug)]
pub struct Sim {
    address: SocketAddr,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
    /// Kept for its end, which removes the folder.
    _base: Option<TempDir>,
}

/// The records of the prompts that a simulator has run: its history, also after it was stopped.
#[derive(Debug, Clone)]
pub struct Records(Arc<State>);

impl Records {
    /// The record of a prompt that has ended, as `GET /history/{prompt_id}` has it under the prompt's id; `None` where
    /// there is none.
    #[must_use]
    pub fn record(&self, prompt_id: &str) -> Option<serde_json::Value> {
        let entry = self.0.history().get(prompt_id)?;
        serde_json::to_value(&*entry).ok()
    }

    fn to_history(&self) -> History {
        self.0.history().clone()
    }
}

impl Sim {
    /// Starts a simulator on a free port, with empty folders of its own.
    ///
    /// # Errors
    /// The machine has no port, no folder or no thread for it.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// A simulator with other options.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts what a builder describes.
    pub(crate) fn launch(builder: Builder) -> Result<Self, Error> {
        let listen = |error| {
            Error::new(ErrorKind::Listen, format!("cannot listen on 127.0.0.1:{}", builder.port), error)
        };
        let listener = bind(builder.port).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let folder = |error| Error::new(ErrorKind::Folder, "no folder for the simulator's files", error);
        let (base, path) = match builder.base_dir {
            Some(path) => (None, path),
            None => {
                let base = tempfile::Builder::new().prefix("comfy-sim-").tempdir().map_err(folder)?;
                let path = base.path().to_owned();
                (Some(base), path)
            }
        };
        let files = Files::new(path);
        files.prepare().map_err(folder)?;
        let nodes = builder.options.registry().map_err(|error| {
            Error::new(
                ErrorKind::Nodes,
                format!("the description of the nodes cannot be read: {error}"),
                None,
            )
        })?;
        let history = builder.records.as_ref().map(Records::to_history).unwrap_or_default();
        let state = Arc::new(State::new(files, nodes, builder.options, history));
        let mut sim = Sim { address, state, threads: Vec::new(), _base: base };

        let resources =
            |error| Error::new(ErrorKind::Resources, "no resources for the simulator's threads", error);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(resources)?;
        let state = Arc::clone(&sim.state);
        // The end of the runtime waits for the files that are being written: later the folder may be gone.
        let connections = move || runtime.block_on(serve(listener, state));
        sim.threads
            .push(thread::Builder::new().name("comfy-sim".into()).spawn(connections).map_err(resources)?);
        let state = Arc::clone(&sim.state);
        let worker = move || executor::work(&state);
        sim.threads
            .push(thread::Builder::new().name("comfy-sim-worker".into()).spawn(worker).map_err(resources)?);
        Ok(sim)
    }

    /// Where it listens, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its records, which stay readable when it has stopped.
    #[must_use]
    pub fn records(&self) -> Records {
        Records(Arc::clone(&self.state))
    }

    /// Stops: closes all sockets, lets the running node come to its end, and frees port, threads and temporary folders.
    /// Dropping the simulator does the same, but keeps the dropping thread waiting meanwhile.
    pub async fn shutdown(self) {
        let (done, wait) = tokio::sync::oneshot::channel();
        // Without a thread the closure is dropped here, and the simulator with it.
        let _ = thread::Builder::new().name("comfy-sim-stop".into()).spawn(move || {
            drop(self);
            // Nobody waits when the future was dropped.
            let _ = done.send(());
        });
        let _ = wait.await;
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.state.stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the simulator panicked");
            }
        }
    }
}

/// Takes the port at once, so that the caller hears of a failure.
fn bind(port: u16) -> std::io::Result<std::net::TcpListener> {
    // The standard library lets the port of a listener that was just closed be taken again, except on Windows, where
    // that needs no asking.
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers connections until the simulator stops, and then waits a moment for them.
async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the simulator cannot listen");
            return;
        }
    };
    // Small frames are not to wait for each other.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let stop = state.stop.clone();
    let sockets = TaskTracker::new();
    let house = assets::keep_house(Arc::clone(&state));
    let app = routes::app(state, sockets.clone());
    let server = axum::serve(listener, ServiceExt::<Request>::into_make_service(app))
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let goodbye = async {
        stop.cancelled().await;
        tokio::time::sleep(GOODBYE).await;
    };
    let all = async {
        let _ = server.await;
        sockets.close();
        sockets.wait().await;
    };
    let house = async {
        house.await;
        // Without assets there is nothing to do.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = all => {}
        () = house => {}
        () = goodbye => tracing::debug!("connections are cut off"),
    }
}
