//! The client for programs without async (feature `blocking`): the same calls, each of which waits for its answer.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # let sim = runtime.block_on(comfy_sim::Sim::start())?;
//! # let folder = tempfile::tempdir()?;
//! # let (address, out) = (sim.url(), folder.path());
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello.json");
//! use comfy_api_client::blocking::Client;
//!
//! let client = Client::connect(address)?; // such as "localhost:8188"
//! let mut workflow = client.open_workflow(file)?;
//! workflow.set("EmptyImage.color", 0x3366ff)?;
//! let outputs = client.submit(&workflow).send()?.wait()?;
//! outputs.save_all(out)?;
//! # Ok(()) }
//! ```
//!
//! Options hang on a call as in the async tree, and are set through [`Call::with`]:
//!
//! ```no_run
//! # fn example(client: comfy_api_client::blocking::Client, workflow: comfy_api_client::Workflow) -> comfy_api_client::Result<()> {
//! let job = client.submit(&workflow).with(|submit| submit.front(true)).send()?;
//! for event in job.events() {
//!     println!("{:?}", event?);
//! }
//! # Ok(()) }
//! ```
//!
//! # Runtimes
//!
//! Every [`Client`] has a runtime with one thread of its own, which follows its jobs; clones share it. So it works in
//! programs without a runtime, and jobs go on while nobody waits for them.
//!
//! Within a runtime, such as in a handler of a web server, it works too, but a call then blocks the thread that it is made
//! on, and with it every other task there: make such calls in `tokio::task::spawn_blocking`, or use the async
//! [`Client`](crate::Client).

mod call;
mod client;
mod files;
mod job;
mod monitor;
mod stream;

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::{Error, ErrorKind, Result};

pub use call::{Call, Face};
pub use client::Client;
pub use files::{Download, Response};
pub use job::{Job, Outputs};
pub use monitor::Monitor;
pub use stream::Iter;

/// The runtime of a client and its clones.
#[derive(Clone)]
pub(crate) struct Runtime {
    handle: Handle,
    _owned: Arc<Owned>,
}

struct Owned(Option<tokio::runtime::Runtime>);

impl Runtime {
    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("comfy-api-client")
            .enable_all()
            .build()
            .map_err(|error| Error::io("no thread for the client", error))?;
        Ok(Self { handle: runtime.handle().clone(), _owned: Arc::new(Owned(Some(runtime))) })
    }

    /// Waits for a future, on this thread or, within another runtime, where that is not allowed, on one beside it.
    fn wait<F>(&self, future: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send,
    {
        if Handle::try_current().is_err() {
            return self.handle.block_on(future);
        }
        std::thread::scope(|scope| match scope.spawn(|| self.handle.block_on(future)).join() {
            Ok(output) => output,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Runs something that needs to be within the runtime but does not wait.
    fn within<T>(&self, run: impl FnOnce() -> T) -> T {
        let _guard = self.handle.enter();
        run()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // An ordinary drop would wait, which is not allowed within another runtime.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// The error of a reader, for those who read through [`std::io::Read`].
fn io_error(error: Error) -> std::io::Error {
    let kind = match error.kind() {
        ErrorKind::Timeout => std::io::ErrorKind::TimedOut,
        ErrorKind::Disconnected => std::io::ErrorKind::ConnectionAborted,
        _ => std::io::ErrorKind::Other,
    };
    std::io::Error::new(kind, error)
}
