//! What clients see of the simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assets;
mod front_end;
mod http;
mod interrupts;
mod lifecycle;
mod messages;
mod queue;
mod replay;
mod sockets;
mod support;
