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
//!
//! | to … | there is |
//! |---|---|
//! | see what happens to a job | [`Job::events`] |
//! | follow a prompt of somebody else, or of a process that is gone | [`Client::job`], [`Client::fetch`] |
//! | stop prompts | [`Client::cancel`], [`Job::cancel`] |
//! | keep an eye on a server: its queue, its jobs, its memory | [`Client::monitor`] |
//! | hear all that a server says, and read its log as it goes on | [`Client::events`], [`Client::follow_logs`] |
//! | choose how jobs are followed, and set credentials, certificates, proxies and limits | [`Client::builder`], [`Tracking`] |
//! | open any file with a workflow, and convert what the editor saves | [`Client::open_workflow`], [`Client::convert`] |
//! | run many workflows, and go on where a crash has ended them | [`batch`] |
//! | have workflows with parameters, make many of one, or write them in code | [`Client::open_template`], [`workflow`] |
//! | know what is wrong with a workflow before it is sent | [`Client::validate`] |
//! | send and get files | [`Client::upload`], [`Client::download`], [`Outputs::save_all`] |
//! | ask for anything else | a method for every route, and [`Client::request`] for the rest |
//! | do without async | the module `blocking` (feature `blocking`) |
//!
//! Servers from 0.3.64 on are supported. What an older one does not have is an error of
//! [`ErrorKind::Unsupported`], which says what it needs.

mod address;
mod api;
pub mod batch;
#[cfg(feature = "blocking")]
pub mod blocking;
mod cancel;
mod check;
mod client;
mod config;
mod convert;
mod error;
mod events;
mod fetch;
mod files;
mod http;
mod job;
mod logs;
mod monitor;
mod outputs;
mod raw;
mod schemas;
mod seed;
mod submit;
mod text;

pub use crate::api::{
    AssetTagCounts, Assets, CreateAsset, CreateAssetFromHash, Free, Histories, Jobs, MoveUserFile,
    ScanAssets, StoreUserFile, Tags, UpdateAsset, UserFiles,
};
pub use crate::cancel::Cancellation;
pub use crate::client::Client;
pub use crate::config::{ClientBuilder, Tracking};
pub use crate::convert::{Convert, Source, convert_options, local_time};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::events::{
    ConnectionStatus, Event, Events, Place, Preview, Progress, Queued, ServerEvent, ServerEvents,
    SocketImage, Stall,
};
pub use crate::fetch::JobState;
pub use crate::files::{
    Channel, Download, DownloadRequest, DownloadedFile, Downloads, FileInfo, PictureFormat, Upload,
};
pub use crate::http::RetryPolicy;
pub use crate::job::Job;
pub use crate::logs::{LogEvent, LogEvents, LogLine, LogLines};
pub use crate::monitor::{
    EndedJob, LogSteps, Monitor, Reach, RunningJob, ServerChange, ServerView, WatchedJob, WatchedProgress,
};
pub use crate::outputs::{OutputFile, Outputs, SavedFile};
pub use crate::raw::{Request, Response};
pub use crate::seed::random_seed;
pub use crate::submit::Submit;

pub use comfy_protocol as protocol;
pub use comfy_workflow as workflow;
pub use comfy_workflow::Workflow;

/// Compiles the snippets of the page.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/from-python.md")]
struct FromPython;
