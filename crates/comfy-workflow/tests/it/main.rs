//! Tests against what real servers answered.

// Clippy makes these exceptions for test functions, but not for the other functions of a test crate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod builder;
mod case;
mod conversion;
mod corpus;
mod fixtures;
mod generate;
mod hostile_metadata;
mod metadata;
mod object_info;
mod probes;
mod properties;
mod templates;
mod templating;
mod validation;
