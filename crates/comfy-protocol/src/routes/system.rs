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
    /// Fields not known here.
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
