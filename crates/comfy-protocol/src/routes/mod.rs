//! The bodies of the server's routes, one file per area.

pub mod history;
pub mod prompt;
pub mod queue;
pub mod system;
pub mod upload;
