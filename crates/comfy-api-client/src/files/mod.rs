//! Files: uploads, downloads, and their names on this side.

mod download;
mod name;
mod upload;

pub use download::Download;
pub use upload::Upload;
pub(crate) use upload::{PIECE, Source, while_it_moves};
