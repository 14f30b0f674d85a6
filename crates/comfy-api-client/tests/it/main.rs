//! The client against servers: the simulator, a real one where `COMFYUI_TEST_URL` names it, recorded ones, and broken
//! ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod answers;
mod behaviour;
mod cuts;
mod failures;
mod faults;
mod following;
mod lifetimes;
mod lost_answers;
mod many;
mod recorded;
mod replay;
mod support;
mod transfers;
