//! The bodies of the server's routes, one file per area.

pub mod assets;
pub mod frontend;
pub mod history;
pub mod jobs;
pub mod models;
pub mod prompt;
pub mod queue;
pub mod system;
pub mod upload;
pub mod users;
