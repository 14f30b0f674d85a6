//! Classes that went out of use, and what the server puts in their place when a prompt still has them.

use std::sync::LazyLock;

use comfy_protocol::json;
use comfy_workflow::validate::Replacements;
use serde_json::Value as Json;

use crate::version::ServerVersion;

/// The table as `GET /node_replacements` has it: by the class that is replaced.
static TABLE: LazyLock<Json> = LazyLock::new(|| {
    json::from_str(include_str!("../schemas/node_replacements.0.30.0.json")).unwrap_or_default()
});

static REPLACEMENTS: LazyLock<Replacements> = LazyLock::new(|| Replacements::from_value(&TABLE));

/// The table of a version; `None` where there are no replacements yet.
pub(crate) fn table(version: ServerVersion) -> Option<&'static Json> {
    (version >= ServerVersion::V0_30_0).then(|| &*TABLE)
}

/// What a version does to prompts; `None` where there are no replacements yet.
pub(crate) fn replacements(version: ServerVersion) -> Option<&'static Replacements> {
    (version >= ServerVersion::V0_30_0).then(|| &*REPLACEMENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_replaces_classes_and_older_ones_do_not() {
        let table = table(ServerVersion::V0_30_0).expect("a table");
        assert_eq!(table["ImageBatch"][0]["new_node_id"], "BatchImagesNode");
        assert!(replacements(ServerVersion::V0_30_0).is_some());
        assert!(replacements(ServerVersion::V0_8_0).is_none());
    }
}
