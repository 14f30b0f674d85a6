//! What people see: tables, lines that live, pictures, and sheets and pages of them.

mod block;
mod estimate;
mod fitting;
pub(crate) mod gallery;
pub(crate) mod job_line;
pub(crate) mod live;
pub(crate) mod picture;
mod screen;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod transfer;
