//! Tests against what real servers answered.

// Clippy makes these exceptions for test functions, but not for the other functions of a test crate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod case;
mod corpus;
mod fixtures;
mod metadata;
mod object_info;
mod probes;
mod validation;
