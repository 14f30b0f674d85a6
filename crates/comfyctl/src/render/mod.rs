//! What people see: tables, and lines that live.

mod estimate;
mod fitting;
pub(crate) mod live;
pub(crate) mod table;
