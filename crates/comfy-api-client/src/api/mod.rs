//! The server's routes, one file per area.

mod history;
mod nodes;
mod queue;
mod system;
