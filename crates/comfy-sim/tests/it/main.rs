//! What clients see of the simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod http;
mod interrupts;
mod lifecycle;
mod messages;
mod models;
mod queue;
mod replay;
mod rules;
mod sockets;
mod support;
mod users;
