//! What a ComfyUI server says and hears: the bodies of its routes, its WebSocket messages and its binary frames.
//!
//! Everything here is tolerant, because servers of many versions and the node packs in them write it: unknown messages,
//! frames and fields are kept, absent ones have defaults, and numbers that are no JSON (`NaN`) are read as `null`.
//! The facts were taken from servers 0.3.64, 0.8.0 and 0.30.0.
//!
//! The crate is pure: no I/O, no clock, no randomness.

mod event;
mod frame;
mod output;
pub mod routes;
mod version;

pub use comfy_workflow::json;
pub use event::{
    ExecInfo, Executed, Executing, ExecutionCached, ExecutionError, ExecutionInterrupted, ExecutionStart,
    Message, NodeProgress, NodeState, Progress, ProgressState, Status,
};
pub use frame::{Frame, FrameError, ImageFormat, PreviewMetadata};
pub use output::{FileRef, NodeOutput, OutputKind};
pub use version::{NoVersion, Route, Version, route};
