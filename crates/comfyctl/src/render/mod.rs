//! What people see: tables, lines that live, pictures, and sheets and pages of them.

mod estimate;
mod fitting;
pub(crate) mod gallery;
pub(crate) mod live;
pub(crate) mod picture;
pub(crate) mod table;
