//! `GET /system_stats`, `GET /features`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::answer;
use crate::state;

/// What the simulated machine has: the simulator looks at no real one.
const MEMORY: u64 = 16 << 30;

pub(super) async fn features(State(state): State<Arc<state::State>>) -> Response {
    answer::json(&state.features())
}

pub(super) async fn stats() -> Response {
    let package =
        |name: &str, version: &str| json!({"name": name, "installed": version, "required": version});
    answer::json(&json!({
        "system": {
            "os": "linux",
            "ram_total": MEMORY,
            "ram_free": MEMORY / 2,
            "comfyui_version": "0.30.0",
            "required_frontend_version": "1.48.7",
            "installed_templates_version": "0.11.34",
            "required_templates_version": "0.11.34",
            "comfy_package_versions": [
                package("comfyui-frontend-package", "1.48.7"),
                package("comfyui-workflow-templates", "0.11.34"),
            ],
            "python_version": "3.11.7 (simulated)",
            "pytorch_version": "2.11.0+cpu",
            "embedded_python": false,
            "deploy_environment": "local-git",
            "argv": ["main.py", "--cpu"],
        },
        "devices": [{
            "name": "cpu",
            "type": "cpu",
            "index": null,
            "vram_total": MEMORY,
            "vram_free": MEMORY / 2,
            "torch_vram_total": MEMORY,
            "torch_vram_free": MEMORY / 2,
        }],
    }))
}
