use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use comfy_protocol::json::exact;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::builder::Builder;
use crate::clock::Ticking;
use crate::error::{Error, ErrorKind};
use crate::faults::{Fault, FaultId, Faults};
use crate::files::Files;
use crate::history::History;
use crate::lives::{Lives, Parts};
use crate::requests::Requests;
use crate::state::Lasting;

mod listen;

/// How long the end of a connection may take beyond its goodbye.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running simulator. It listens on a port of 127.0.0.1 and stops when it is dropped.
///
/// Its connections are served by threads of its own, which all simulators of the process share; its nodes are run by a
/// thread that is started with the first prompt. So it can be used from any runtime, and from tests that stop the clock of
/// theirs.
#[derive(Debug)]
pub struct Sim {
    address: SocketAddr,
    lives: Arc<Lives>,
    /// Closed when the last connection has ended.
    ended: Option<mpsc::Receiver<()>>,
    /// Kept for its end, which removes the folder.
    _base: Option<TempDir>,
}

/// The records of the prompts that a simulator has run: its history, also after it was stopped.
#[derive(Debug, Clone)]
pub struct Records(Arc<Lives>);

impl Records {
    /// The record of a prompt that has ended, as `GET /history/{prompt_id}` has it under the prompt's id; `None` where
    /// there is none. Numbers that are not finite are null.
    #[must_use]
    pub fn record(&self, prompt_id: &str) -> Option<serde_json::Value> {
        let entry = self.0.current().state.history().get(prompt_id)?;
        serde_json::to_value(&*entry).ok().map(exact::without_stand_ins)
    }

    fn to_history(&self) -> History {
        self.0.current().state.history().clone()
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
        let wanted = builder.base_dir.clone();
        let folder = |error| {
            let text = match &wanted {
                Some(path) => format!("cannot keep the simulator's files in {}", path.display()),
                None => "no temporary folder for the simulator's files".to_owned(),
            };
            Error::new(ErrorKind::Folder, text, error)
        };
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
        let nodes = builder.options.registry(&files).map_err(|error| {
            Error::new(
                ErrorKind::Nodes,
                format!("the description of the nodes cannot be read: {error}"),
                None,
            )
        })?;
        let history = builder.records.as_ref().map(Records::to_history).unwrap_or_default();
        let lasting = Lasting {
            clock: Ticking::new(builder.options.clock, builder.options.seed),
            faults: Faults::default(),
            requests: Requests::default(),
        };
        let parts = Parts {
            address,
            files,
            nodes: Arc::new(nodes),
            options: builder.options,
            lasting: Arc::new(lasting),
        };
        let runtime = listen::runtime()
            .map_err(|error| Error::new(ErrorKind::Resources, "no threads for the simulator", error))?;
        let (lives, pauses) = Lives::new(parts, history, runtime.handle().clone());
        let entered = runtime.enter();
        let listener = TcpListener::from_std(listener).map_err(listen)?;
        drop(entered);
        let (alive, ended) = mpsc::channel();
        let sim = Self { address, lives: Arc::clone(&lives), ended: Some(ended), _base: base };
        for fault in builder.faults {
            sim.fault(fault);
        }
        runtime.spawn(async move {
            listen::serve(listener, lives, pauses).await;
            drop(alive);
        });
        Ok(sim)
    }

    /// Sets a fault. One that strikes at once, such as a restart, has done so when this returns.
    pub fn fault(&self, fault: Fault) -> FaultId {
        self.lives.current().state.fault(fault)
    }

    /// Takes a fault back. Says whether it was still set.
    pub fn remove_fault(&self, id: FaultId) -> bool {
        self.lives.current().state.lasting.faults.remove(id)
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.lives.current().state.lasting.faults.clear();
    }

    /// The requests that it has received.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.lives.current().state.lasting.requests.clone()
    }

    /// Moves its clock on, when that is a [virtual one](crate::Clock::Virtual). Says whether it is.
    pub fn advance(&self, time: Duration) -> bool {
        self.lives.current().state.lasting.clock.advance(time)
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
        Records(Arc::clone(&self.lives))
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
        let workers = self.lives.stop();
        if let Some(ended) = self.ended.take() {
            // Nothing is ever sent: it ends when the sender is dropped.
            let _ = ended.recv_timeout(PATIENCE);
        }
        for worker in workers {
            if worker.join().is_err() {
                tracing::error!("a thread of the simulator panicked");
            }
        }
    }
}

/// Takes the port at once, so that the caller hears of a failure.
pub(crate) fn bind(port: u16) -> std::io::Result<std::net::TcpListener> {
    // The standard library lets the port of a listener that was just closed be taken again, except on Windows, where
    // that needs no asking.
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
