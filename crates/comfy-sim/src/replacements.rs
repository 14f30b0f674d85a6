//! Node classes that the server no longer has or no longer wants, and what it puts in their place (0.30.0).

use comfy_workflow::validate::Replacements;
use serde_json::Value as Json;

use crate::options::Options;
use crate::version::ServerVersion;

/// What 0.30.0 brings.
static BUNDLED: &str = include_str!("../schemas/node_replacements.0.30.0.json");

/// The replacements of a server.
#[derive(Debug)]
pub(crate) struct NodeReplacements {
    /// As they are answered.
    pub(crate) json: Json,
    pub(crate) rules: Replacements,
}

impl NodeReplacements {
    /// `None` where the version has none.
    pub(crate) fn new(options: &Options) -> Option<Self> {
        if options.version < ServerVersion::V0_30_0 {
            return None;
        }
        let bundled = || serde_json::from_str(BUNDLED).unwrap_or_default();
        let json = options.node_replacements.clone().unwrap_or_else(bundled);
        Some(Self { rules: Replacements::from_value(&json), json })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_replacements_can_be_read() {
        let replacements = NodeReplacements::new(&Options::default()).unwrap();
        assert_eq!(replacements.json["ImageBatch"][0]["new_node_id"], "BatchImagesNode");
        assert_eq!(replacements.json.as_object().map(serde_json::Map::len), Some(8));
    }
}
