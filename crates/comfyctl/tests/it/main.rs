//! The command as a user meets it: its binary, run in an empty folder.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod bad_changes;
mod bad_outputs;
mod bad_servers;
mod bad_usage;
mod bad_workflows;
mod batches;
mod broken_batches;
mod changes;
mod converting;
mod downloading;
mod editor_files;
mod endings;
mod extracting;
mod histories;
mod json_lines;
#[cfg(unix)]
mod live_line;
mod look_around;
mod looking;
mod managing;
#[cfg(unix)]
mod pty;
mod runs;
mod saving;
mod seeds;
mod server_log;
mod servers;
mod serving;
mod settings;
mod shells;
mod steps;
mod support;
mod tour;
mod uploading;
mod userdata;
mod validation;
mod watched_folders;
mod watching;
mod watching_screen;
