//! What clients see of the simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod assets;
mod conformance;
mod faults;
mod front_end;
mod http;
mod interrupts;
mod jobs;
mod lifecycle;
mod limits;
mod logs;
mod messages;
mod models;
mod prompts;
mod queue;
mod received;
mod replay;
mod rules;
mod simulated;
mod sockets;
mod support;
mod users;
mod validation;
