//! Times of files as the server counts them.

use std::fs::Metadata;
use std::time::{Duration, UNIX_EPOCH};

/// A time of a file, since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileTime(Duration);

impl FileTime {
    /// When the content was changed.
    pub(crate) fn modified(data: &Metadata) -> Self {
        let time = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self(time.unwrap_or_default())
    }

    /// When the file was made, or what the system says for it: on Unix the last change of anything about it.
    pub(crate) fn created(data: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let seconds = u64::try_from(data.ctime()).unwrap_or_default();
            Self(Duration::new(seconds, u32::try_from(data.ctime_nsec()).unwrap_or_default()))
        }
        #[cfg(not(unix))]
        {
            let time = data.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            Self(time.unwrap_or_default())
        }
    }

    /// As a number of seconds.
    pub(crate) fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// As a whole number of milliseconds.
    pub(crate) fn milliseconds(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}
