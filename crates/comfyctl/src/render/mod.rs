//! What people see: tables, and lines that live.

pub(crate) mod live;
pub(crate) mod table;
pub(crate) mod text;
