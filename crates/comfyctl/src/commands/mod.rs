//! The commands, one file per verb, and what several of them need.

pub(crate) mod assignment;
pub(crate) mod connect;
pub(crate) mod run;
#[cfg(feature = "sim")]
pub(crate) mod serve;
pub(crate) mod stop;
pub(crate) mod validate;
pub(crate) mod workflow_file;
