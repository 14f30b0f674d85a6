/// The server version to validate as. Versions between two profiles behave as the older one, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// 0.3.64 (October 2025).
    V0_3_64,
    /// 0.8.0 (January 2026): dynamic inputs; newer combos are checked.
    V0_8_0,
    /// 0.30.0 (August 2026): node replacement, cycles are named, multi-selections are checked value by value.
    #[default]
    V0_30_0,
}

impl Profile {
    /// The profile for a version such as `0.8.0`; the newest one for what is not a version.
    #[must_use]
    pub fn for_version(version: &str) -> Self {
        let mut parts = version.trim_start_matches('v').split(['.', '-', '+']).map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(0)), Some(Ok(minor))) if minor < 8 => Self::V0_3_64,
            (Some(Ok(0)), Some(Ok(minor))) if minor < 30 => Self::V0_8_0,
            _ => Self::V0_30_0,
        }
    }

    /// How many nodes deep a chain may be before Python's limit on recursion ends its check. (Counted with simple nodes;
    /// the real limit moves by a few with what else the server is doing.)
    pub(super) fn depth(self) -> usize {
        match self {
            Self::V0_3_64 => 980,
            Self::V0_8_0 => 979,
            Self::V0_30_0 => 972,
        }
    }

    /// Replacement of nodes, reports of missing classes with particulars, and of cycles.
    pub(super) fn is_modern(self) -> bool {
        self >= Self::V0_30_0
    }

    /// Match types, outputs of any type, and lists that feed newer combos.
    pub(super) fn has_open_types(self) -> bool {
        self >= Self::V0_8_0
    }

    /// Whether the newer combos are checked, besides classic ones.
    pub(super) fn checks_new_combos(self) -> bool {
        self >= Self::V0_8_0
    }

    /// Whether the first elements of a growing row are demanded.
    pub(super) fn demands_grown(self) -> bool {
        self.is_modern()
    }
}
