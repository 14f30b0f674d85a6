//! The client against servers: the simulator, a real one where `COMFYUI_TEST_URL` names it, recorded ones, and broken
//! ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod answers;
mod batches;
mod behaviour;
#[cfg(feature = "blocking")]
mod blocking;
mod configuration;
mod cuts;
mod documents;
mod downloads;
mod error_texts;
mod failures;
mod faults;
mod following;
mod killers;
mod lifetimes;
mod logging;
mod lost_answers;
mod many;
mod monitoring;
mod on_demand;
mod recorded;
mod replay;
mod routes;
mod server_log;
mod support;
mod tls;
mod transfers;
mod uploads;
mod written;
