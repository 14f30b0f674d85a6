//! `GET /system_stats`, `GET /features`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Answer of `GET /features`: an open map; some known keys have accessors.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Features(pub Map<String, Value>);

impl Features {
    /// The largest body that the server takes, in bytes.
    #[must_use]
    pub fn max_upload_size(&self) -> Option<u64> {
        let size = self.0.get("max_upload_size")?;
        // A fractional limit in megabytes gives a float.
        size.as_u64().or_else(|| size.as_f64().filter(|size| *size >= 0.0).map(|size| size as u64))
    }

    /// Whether pictures under way can come with the node they are of.
    #[must_use]
    pub fn supports_preview_metadata(&self) -> bool {
        self.is_on("supports_preview_metadata")
    }

    /// Whether the server has its asset system on; `None` before 0.30.0, which has no assets.
    #[must_use]
    pub fn assets(&self) -> Option<bool> {
        self.0.get("assets")?.as_bool()
    }

    /// Whether the server replaces nodes of classes that are gone (since 0.30.0).
    #[must_use]
    pub fn node_replacements(&self) -> bool {
        self.is_on("node_replacements")
    }

    /// Whether assets that are models have tags such as `model_type:loras` (since 0.30.0).
    #[must_use]
    pub fn supports_model_type_tags(&self) -> bool {
        self.is_on("supports_model_type_tags")
    }

    /// Whether the server can do with version 4 of the manager (since 0.8.0).
    #[must_use]
    pub fn supports_manager_v4(&self) -> bool {
        let manager = self.0.get("extension").and_then(|extension| extension.get("manager"));
        manager.and_then(|manager| manager.get("supports_v4")).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether editors should show a button to sign in; set with `--feature-flag` (since 0.30.0).
    #[must_use]
    pub fn show_signin_button(&self) -> bool {
        self.is_on("show_signin_button")
    }

    /// Whether editors may send telemetry; set with `--feature-flag` (since 0.30.0).
    #[must_use]
    pub fn enable_telemetry(&self) -> bool {
        self.is_on("enable_telemetry")
    }

    /// Any of them, as the server says it. Those set with `--feature-flag` are texts unless the server knows them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn is_on(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }
}

/// Answer of `GET /system_stats`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SystemStats {
    /// The machine and the server.
    pub system: System,
    /// Its devices, the one in use first.
    #[serde(default)]
    pub devices: Vec<Device>,
}

/// The machine and the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct System {
    /// `linux`, `win32`, `darwin`; on 0.3.64 `posix` or `nt`.
    #[serde(default)]
    pub os: String,
    /// Memory in bytes.
    #[serde(default)]
    pub ram_total: u64,
    /// Free memory in bytes.
    #[serde(default)]
    pub ram_free: u64,
    /// Version of the server.
    #[serde(default)]
    pub comfyui_version: String,
    /// Version of Python.
    #[serde(default)]
    pub python_version: String,
    /// Version of PyTorch.
    #[serde(default)]
    pub pytorch_version: String,
    /// Whether the server runs in a Python of its own, as the portable edition does.
    #[serde(default)]
    pub embedded_python: bool,
    /// The server's command line; it can hold paths.
    #[serde(default)]
    pub argv: Vec<String>,
    /// Version of the editor that the server wants.
    #[serde(default)]
    pub required_frontend_version: Option<String>,
    /// Fields not known here, such as `comfy_package_versions` and `deploy_environment`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A device that computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Device {
    /// Its name.
    pub name: String,
    /// `cpu`, `cuda`, `mps`, `xpu`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its number; `None` for the CPU.
    #[serde(default)]
    pub index: Option<i64>,
    /// Memory in bytes.
    #[serde(default)]
    pub vram_total: u64,
    /// Free memory in bytes.
    #[serde(default)]
    pub vram_free: u64,
    /// Fields not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_a_server_does_not_name_are_off() {
        let none = Features::default();
        assert_eq!((none.assets(), none.max_upload_size()), (None, None));
        assert!(
            !none.supports_preview_metadata() && !none.node_replacements() && !none.supports_manager_v4()
        );
        let text = r#"{"assets": false, "max_upload_size": 1572864.0, "enable_telemetry": true, "mine": "1",
            "extension": {"manager": {"supports_v4": true}}}"#;
        let some: Features = serde_json::from_str(text).unwrap();
        assert_eq!((some.assets(), some.max_upload_size()), (Some(false), Some(1_572_864)));
        assert!(some.supports_manager_v4() && some.enable_telemetry() && !some.show_signin_button());
        assert_eq!(some.get("mine"), Some(&Value::from("1")));
    }
}
