use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use comfy_workflow::schema::Schemas;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::{Error, ErrorKind};
use crate::files::Files;
use crate::nodes::object_info;
use crate::state::{Options, State};
use crate::{executor, routes};

/// How long connections may take to say goodbye when the simulator stops.
const GOODBYE: Duration = Duration::from_millis(250);

/// A running simulator. It listens on a port of 127.0.0.1 and stops when it is dropped.
///
/// It has two threads of its own, one for the connections and one that runs the nodes. So it can be used from any
/// runtime or from none, and from tests that stop the clock of theirs.
#[derive(Debug)]
pub struct Sim {
    address: SocketAddr,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
    /// Kept for its end, which removes the folder.
    _base: Option<TempDir>,
}

/// How a [`Sim`] is to be.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    port: u16,
    base_dir: Option<PathBuf>,
    options: Options,
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

    /// Stops: closes all sockets, lets running requests and the running node come to their end, and frees port, threads
    /// and folders. Dropping the simulator does the same, but keeps its thread waiting meanwhile.
    pub async fn shutdown(mut self) {
        self.state.stop();
        let threads = std::mem::take(&mut self.threads);
        let (done, wait) = tokio::sync::oneshot::channel();
        let joiner = thread::Builder::new().name("comfy-sim-stop".into()).spawn(move || {
            join(threads);
            // Nobody waits when the future was dropped.
            let _ = done.send(());
        });
        if joiner.is_ok() {
            let _ = wait.await;
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.state.stop();
        join(std::mem::take(&mut self.threads));
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread of the simulator panicked");
        }
    }
}

impl Builder {
    /// Listens on this port of 127.0.0.1. The port of a simulator that was stopped can be used again at once.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Keeps the folders `input`, `output` and `temp` here, where they stay when the simulator stops. Without it they
    /// are in a temporary folder that is removed then.
    pub fn base_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.base_dir = Some(path.into());
        self
    }

    /// Makes every node that is run take at least this long, so that there is time to look at the queue, to interrupt
    /// or to lose the connection. Nodes whose results are known take no time. An interrupt ends the wait at once; the
    /// node is then not run and is the one that the server names.
    pub fn node_delay(mut self, delay: Duration) -> Self {
        self.options.node_delay = delay;
        self
    }

    /// Starts the simulator.
    ///
    /// # Errors
    /// The port is in use, the folder cannot be made, or the machine has no thread for it.
    pub async fn start(self) -> Result<Sim, Error> {
        self.start_blocking()
    }

    /// Starts the simulator, for programs without an asynchronous runtime.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_blocking(self) -> Result<Sim, Error> {
        let folder = |error| Error::new(ErrorKind::Folder, "no folder for the simulator's files", error);
        let (base, path) = match self.base_dir {
            Some(path) => (None, path),
            None => {
                let base = tempfile::Builder::new().prefix("comfy-sim-").tempdir().map_err(folder)?;
                let path = base.path().to_owned();
                (Some(base), path)
            }
        };
        let files = Files::new(path);
        files.clear_temp().map_err(folder)?;
        let listen =
            |error| Error::new(ErrorKind::Listen, format!("cannot listen on 127.0.0.1:{}", self.port), error);
        let listener = bind(self.port).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let info = object_info(&files);
        let schemas = Schemas::from_value(info.into())
            .map_err(|error| Error::new(ErrorKind::Resources, format!("the node schemas: {error}"), None))?;
        let state = Arc::new(State::new(files, schemas, self.options));
        let resources =
            |error| Error::new(ErrorKind::Resources, "no resources for the simulator's threads", error);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(resources)?;
        let mut sim = Sim { address, state, threads: Vec::new(), _base: base };
        let state = Arc::clone(&sim.state);
        let connections = thread::Builder::new()
            .name("comfy-sim".into())
            .spawn(move || {
                runtime.block_on(serve(listener, state));
                runtime.shutdown_background();
            })
            .map_err(resources)?;
        sim.threads.push(connections);
        let state = Arc::clone(&sim.state);
        let worker = thread::Builder::new()
            .name("comfy-sim-worker".into())
            .spawn(move || executor::work(&state))
            .map_err(resources)?;
        sim.threads.push(worker);
        Ok(sim)
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
    let tasks = TaskTracker::new();
    let stop = state.stop.clone();
    let app = routes::app(Arc::clone(&state), tasks.clone());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                // Small frames are not to wait for each other.
                let _ = stream.set_nodelay(true);
                tasks.spawn(connection(stream, app.clone(), stop.clone()));
            }
            Err(error) => tracing::warn!(%error, "a connection was not accepted"),
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(GOODBYE, tasks.wait()).await.is_err() {
        tracing::debug!("connections are cut off");
    }
}

async fn connection(stream: TcpStream, app: routes::App, stop: CancellationToken) {
    let service = TowerToHyperService::new(app);
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = match stop.run_until_cancelled(connection.as_mut()).await {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
