//! ComfyUI workflows without a server: the API format as a model, its links, selectors that address inputs, the node
//! schemas that servers publish, the checking of a workflow against them, and workflows with parameters.
//!
//! ```
//! use comfy_workflow::Workflow;
//!
//! let text = r#"{"3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "model": ["4", 0]}}}"#;
//! let mut workflow: Workflow = text.parse()?;
//! workflow.set("KSampler.seed", 18446744073709551615_u64)?;
//! let error = workflow.set("KSampler.sed", 1).unwrap_err();
//! assert_eq!(error.to_string(), "node 3 (KSampler) has no input `sed`; did you mean `seed`?");
//! # Ok::<(), comfy_workflow::Error>(())
//! ```
//!
//! The crate is pure: no I/O, no clock, no randomness.

mod assign;
pub mod builder;
pub mod convert;
pub mod diagram;
mod diff;
pub mod document;
pub mod editor;
mod error;
mod graph;
mod id;
pub mod json;
pub mod metadata;
mod outline;
pub mod schema;
mod seeds;
mod select;
pub mod template;
pub mod validate;
mod workflow;

pub use builder::WorkflowBuilder;
pub use diff::{Change, ChangeKind, Difference, Given};
pub use document::{Document, Format};
pub use error::{Error, ErrorKind};
pub use graph::{Cycle, Link};
pub use id::NodeId;
pub use json::JsonError;
pub use seeds::{NoiseSeed, SeedChange};
pub use select::Target;
pub use template::Template;
pub use workflow::{Node, Workflow};

/// Runs the snippets of the page.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/templates.md")]
struct Templates;
