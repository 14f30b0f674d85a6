//! What clients see of the simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod http;
mod interrupts;
mod lifecycle;
mod messages;
mod models;
mod queue;
mod received;
mod replay;
mod rules;
mod sockets;
mod support;
mod users;
