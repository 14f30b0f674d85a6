//! The command as a user meets it: its binary, run in an empty folder.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod bad_changes;
mod bad_outputs;
mod bad_servers;
mod bad_usage;
mod bad_workflows;
mod changes;
mod converting;
mod editor_files;
mod endings;
mod extracting;
mod json_lines;
mod look_around;
mod looking;
mod runs;
mod seeds;
mod server_log;
mod serving;
mod settings;
mod shells;
mod support;
mod userdata;
mod validation;
