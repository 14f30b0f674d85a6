//! An async client for [ComfyUI](https://www.comfy.org) servers: submit workflows, follow the jobs, get what they make.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sim = comfy_sim::Sim::start().await?;
//! # let folder = tempfile::tempdir()?;
//! # let (address, out) = (sim.url(), folder.path());
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello.json");
//! use comfy_api_client::Client;
//!
//! let client = Client::connect(address).await?; // such as "localhost:8188"
//! let mut workflow = client.open_workflow(file).await?;
//! workflow.set("EmptyImage.color", 0x3366ff)?;
//! let outputs = client.submit(&workflow).await?.await?;
//! outputs.save_all(out).await?;
//! # Ok(()) }
//! ```
//!
//! A job always ends: with its outputs, or with an [`Error`] that says what happened and what to do. The client follows
//! it over one WebSocket and, whenever that breaks or is silent, asks the server for its record.

mod address;
mod api;
mod client;
mod config;
mod error;
mod events;
mod files;
mod http;
mod job;
mod outputs;
mod submit;
mod text;

pub use crate::client::Client;
pub use crate::config::{ClientBuilder, Tracking};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::events::{Event, Events, Preview, Progress};
pub use crate::files::{
    Channel, Download, DownloadRequest, DownloadedFile, Downloads, FileInfo, PictureFormat, Upload,
};
pub use crate::http::RetryPolicy;
pub use crate::job::Job;
pub use crate::outputs::{OutputFile, Outputs, SavedFile};
pub use crate::submit::Submit;

pub use comfy_protocol as protocol;
pub use comfy_workflow as workflow;
pub use comfy_workflow::Workflow;
