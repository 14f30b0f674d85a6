//! The commands, one file per verb, and what several of them need.

pub(crate) mod assignment;
pub(crate) mod connect;
pub(crate) mod convert;
pub(crate) mod diff;
pub(crate) mod extract;
pub(crate) mod graph;
pub(crate) mod look;
pub(crate) mod object_info;
pub(crate) mod output_file;
pub(crate) mod run;
pub(crate) mod seeds;
#[cfg(feature = "sim")]
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod stop;
pub(crate) mod workflow_file;
