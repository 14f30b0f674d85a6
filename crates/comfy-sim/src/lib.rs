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
//! It behaves as ComfyUI 0.30.0 started with `PYTHONHASHSEED=0` does. What is not simulated is absent, so that a client
//! finds out: an unknown node class is refused, an unknown route is not found.

mod assets;
mod builder;
mod error;
mod executor;
mod files;
mod history;
mod json_error;
mod model_folders;
mod nodes;
mod options;
mod packs;
mod python;
mod queue;
mod replacements;
mod routes;
mod server;
mod sockets;
mod state;
mod tensor_text;
mod value;
mod version;
mod wire;

pub use builder::Builder;
pub use error::{Error, ErrorKind};
pub use options::{Assets, CachePolicy};
pub use server::{Records, Sim};
pub use version::{ServerVersion, UnknownVersion};
