//! ComfyUI workflows without a server: whatever file a workflow is in, what of it runs, whether a server takes it; and
//! workflows with parameters, or written in code.
//!
//! | to … | there is |
//! |---|---|
//! | read any file: the API format, what the editor saves, a picture, video or sound that ComfyUI made | [`Workflow::read`], [`metadata`] |
//! | make what a server runs of what the editor saves | [`convert`], [`editor`] |
//! | know what the nodes of a server take | [`schema`] |
//! | read and set inputs, and seeds | [`Workflow::set`], [`Workflow::set_text`], [`Workflow::randomize_noise_seeds`] |
//! | know all that is wrong with a workflow, and what would stop a server for ever | [`validate`] |
//! | give a workflow parameters, and make many of one | [`template`] |
//! | write a workflow in code | [`WorkflowBuilder`] |
//! | see a workflow, or what differs between two | [`diagram`], [`Difference`] |
//!
//! # From a file to what runs
//!
//! What a file is, is told from its content. The editor's format does not name the values of nodes: it takes the node schemas,
//! which a server gives at `/object_info`. Workflows in the API format, and pictures that carry one, need none.
//!
//! ```
//! # let file = include_bytes!("../../../examples/hello-editor.json");
//! # let object_info = br#"{
//! #     "EmptyImage": {"input": {"required": {"width": ["INT", {"max": 16384}], "height": ["INT"], "batch_size": ["INT"], "color": ["INT"]}},
//! #         "output": ["IMAGE"], "name": "EmptyImage"},
//! #     "ImageInvert": {"input": {"required": {"image": ["IMAGE"]}}, "output": ["IMAGE"], "name": "ImageInvert"},
//! #     "ImageBlend": {"input": {"required": {"image1": ["IMAGE"], "image2": ["IMAGE"], "blend_factor": ["FLOAT"],
//! #         "blend_mode": [["normal", "multiply"]]}}, "output": ["IMAGE"], "name": "ImageBlend"},
//! #     "SaveImage": {"input": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING"]}}, "output": [],
//! #         "output_node": true, "name": "SaveImage"}
//! # }"#;
//! use comfy_workflow::Workflow;
//! use comfy_workflow::convert::ConvertOptions;
//! use comfy_workflow::schema::Schemas;
//! use comfy_workflow::validate::{Options, inspect};
//!
//! let schemas = Schemas::from_slice(object_info)?;
//! let document = Workflow::read(file)?;
//! let conversion = document.into_workflow(&schemas, &ConvertOptions::new())?;
//! assert!(conversion.problems.is_empty(), "nothing was lost");
//!
//! let mut workflow = conversion.workflow;
//! workflow.set("EmptyImage.width", 0x10000)?;
//! workflow.set("ImageBlend.blend_mode", "multiplied")?;
//! let findings = inspect(&workflow.to_value(), &Options::new(&schemas));
//! assert_eq!(findings.to_string(), "\
//! node 1 \"Orange\" (EmptyImage): input width: value 65536 is bigger than the maximum 16384
//! node 4 \"Blend\" (ImageBlend): input blend_mode: \"multiplied\" is not one of \"normal\", \"multiply\"; did you mean \"multiply\"?");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With schemas at hand, [`Workflow::set_checked`] and [`Workflow::set_text`] refuse such values at once.
//!
//! # Selectors
//!
//! Inputs are named by the id, the class or the title of their node ([`Workflow::select`]):
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
//! # Many of one
//!
//! A [`Template`] has parameters, which are checked before anything runs; a [`Sweep`](template::Sweep) makes a workflow for every
//! combination of values, or for every row of a table.
//!
//! ```
//! use comfy_workflow::schema::Schemas;
//! use comfy_workflow::template::{Parameter, Sweep};
//! use comfy_workflow::{Template, WorkflowBuilder};
//!
//! let schemas = Schemas::new();
//! let graph = WorkflowBuilder::new();
//! let image = graph.add("EmptyImage").set("width", 64).set("height", 64).set("color", 0);
//! graph.add("SaveImage").set("images", image.output(0)).set("filename_prefix", "{{name}}");
//! let workflow = graph.build()?;
//!
//! let parameters = [Parameter::new("name"), Parameter::new("color").with_input("EmptyImage.color").with_default(255)];
//! let template = Template::new(workflow, parameters, &schemas)?;
//! assert_eq!(template.fill([("name", "blue")])?.get("SaveImage.filename_prefix")?, "blue");
//!
//! let sweep = Sweep::parse("color=255,65280")?;
//! let labels = sweep.variants_of(&template, [("name", "a")], &schemas)?.map(|variant| variant.label);
//! assert_eq!(labels.collect::<Vec<_>>(), ["color=255", "color=65280"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate is pure: no I/O but reading what it is given, no clock, no randomness. Seeds and times are parameters.

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
mod random;
pub mod schema;
mod seeds;
mod select;
mod severity;
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
pub use select::{Target, split_assignment};
pub use severity::Severity;
pub use template::Template;
pub use workflow::{Node, Workflow};

/// Runs the snippets of the page.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/templates.md")]
struct Templates;
