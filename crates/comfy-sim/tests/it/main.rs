//! What clients see of the simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod http;
mod interrupts;
mod lifecycle;
mod messages;
mod queue;
mod replay;
mod simulated;
mod sockets;
mod support;
