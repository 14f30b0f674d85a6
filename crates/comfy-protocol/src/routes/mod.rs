//! The bodies of the server's routes, one file per area.

pub mod assets;
pub mod frontend;
pub mod history;
pub mod jobs;
pub mod models;
pub mod prompt;
pub mod queue;
pub mod system;
pub mod tasks;
pub mod upload;
pub mod users;

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SortOrder {
    /// The least one: the oldest, the smallest, the first of the alphabet.
    Ascending,
    /// The greatest one: the newest, the largest.
    #[default]
    Descending,
}

impl SortOrder {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}
