//! What clients see of the simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod http;
mod interrupts;
mod jobs;
mod lifecycle;
mod logs;
mod messages;
mod prompts;
mod queue;
mod replay;
mod sockets;
mod support;
mod validation;
