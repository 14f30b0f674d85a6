//! A simulator of the ComfyUI server: the same routes, the same messages in the same order, and real pictures, without
//! Python, models or a GPU.
//!
//! ```no_run
//! # async fn example() -> Result<(), comfy_sim::Error> {
//! let sim = comfy_sim::Sim::start().await?;
//! println!("listening on {}", sim.url());
//! // … let a client talk to it …
//! sim.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! It behaves as ComfyUI 0.30.0 started with `PYTHONHASHSEED=0` does. Nodes that need no models are computed; all others are
//! simulated from their descriptions: values flow with their types and sizes, samplers take steps, and decoders give pictures
//! that follow from seeds, texts and sizes. What is not simulated is absent, so that a client finds out: an unknown node class
//! is refused, an unknown route is not found.

mod builder;
mod clock;
mod error;
mod executor;
mod faults;
mod files;
mod history;
mod jobs;
mod lives;
mod logs;
mod models;
mod nodes;
mod options;
mod python;
mod queue;
mod replacements;
mod requests;
mod routes;
mod server;
mod sockets;
mod state;
mod tensor_text;
mod users;
mod value;
mod version;
mod wire;

pub use builder::Builder;
pub use clock::Clock;
pub use error::{Error, ErrorKind};
pub use faults::{Fault, FaultError, FaultId, Kept};
pub use options::{Assets, CachePolicy, PreviewMethod};
pub use requests::{ReceivedRequest, Requests};
pub use server::{Records, Sim};
pub use version::{ServerVersion, UnknownVersion};
