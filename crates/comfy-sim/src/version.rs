//! Which server a simulator behaves as.

use std::fmt;
use std::str::FromStr;

use comfy_protocol::Version;
use comfy_workflow::validate::Profile;

/// A version of ComfyUI whose behaviour is known from recordings.
///
/// They are ordered by age, so that `version >= ServerVersion::V0_8_0` asks for what came with 0.8.0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ServerVersion {
    /// 0.3.64, of October 2025: no jobs routes, prompt ids of any form.
    V0_3_64,
    /// 0.8.0, of January 2026: jobs, global subgraphs, dynamic inputs.
    V0_8_0,
    /// 0.30.0, of August 2026: cancelling by job, node replacements, assets. What a simulator is unless told otherwise.
    #[default]
    V0_30_0,
}

impl ServerVersion {
    /// All of them, the oldest first.
    pub const ALL: [Self; 3] = [Self::V0_3_64, Self::V0_8_0, Self::V0_30_0];

    /// The numbers of the version.
    #[must_use]
    pub fn version(self) -> Version {
        match self {
            Self::V0_3_64 => Version::V0_3_64,
            Self::V0_8_0 => Version::V0_8_0,
            Self::V0_30_0 => Version::V0_30_0,
        }
    }
}

impl ServerVersion {
    /// How it checks prompts.
    pub(crate) fn profile(self) -> Profile {
        match self {
            Self::V0_3_64 => Profile::V0_3_64,
            Self::V0_8_0 => Profile::V0_8_0,
            Self::V0_30_0 => Profile::V0_30_0,
        }
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.version().fmt(f)
    }
}

/// A text names no version that the simulator knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the simulator cannot behave as `{0}`, only as 0.3.64, 0.8.0 and 0.30.0")]
pub struct UnknownVersion(String);

impl FromStr for ServerVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = text
            .parse()
            .ok()
            .and_then(|wanted| Self::ALL.into_iter().find(|known| known.version() == wanted));
        known.ok_or_else(|| UnknownVersion(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_they_are_written_and_ordered_by_age() {
        for version in ServerVersion::ALL {
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        assert!(ServerVersion::ALL.is_sorted());
        assert_eq!("v0.8".parse(), Ok(ServerVersion::V0_8_0));
        let error = "0.9.0".parse::<ServerVersion>().expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "the simulator cannot behave as `0.9.0`, only as 0.3.64, 0.8.0 and 0.30.0"
        );
    }
}
