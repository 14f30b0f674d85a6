//! `GET /system_stats`, `GET /features`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use super::answer;
use crate::options::{Assets, MAX_UPLOAD_MEGABYTES, Options};
use crate::state;
use crate::version::ServerVersion;

/// What the simulated machine has: the simulator looks at no real one.
const MEMORY: u64 = 16 << 30;

pub(super) async fn features(State(state): State<Arc<state::State>>) -> Response {
    answer::json(&state.features())
}

pub(super) async fn stats(State(state): State<Arc<state::State>>) -> Response {
    let version = state.options.version;
    // What each version asks for and, in the recordings, has.
    let (front_end, templates) = match version {
        ServerVersion::V0_3_64 => ("1.27.10", "0.1.95"),
        ServerVersion::V0_8_0 => ("1.35.9", "0.7.67"),
        ServerVersion::V0_30_0 => ("1.48.7", "0.11.34"),
    };
    let mut system = Map::new();
    let mut add = |name: &str, value: Json| system.insert(name.to_owned(), value);
    add("os", if version >= ServerVersion::V0_8_0 { "linux" } else { "posix" }.into());
    add("ram_total", MEMORY.into());
    add("ram_free", (MEMORY / 2).into());
    add("comfyui_version", version.to_string().into());
    add("required_frontend_version", front_end.into());
    add("installed_templates_version", templates.into());
    add("required_templates_version", templates.into());
    if version >= ServerVersion::V0_30_0 {
        let packages = [
            ("comfyui-frontend-package", front_end),
            ("comfyui-workflow-templates", templates),
            ("comfyui-embedded-docs", "0.5.9"),
            ("comfy-kitchen", "0.2.27"),
            ("comfy-aimdo", "0.4.13"),
        ];
        let package = |(name, version)| json!({"name": name, "installed": version, "required": version});
        add("comfy_package_versions", packages.into_iter().map(package).collect());
    }
    add("python_version", "3.11.7 (simulated)".into());
    add("pytorch_version", "2.11.0+cpu".into());
    add("embedded_python", false.into());
    if version >= ServerVersion::V0_30_0 {
        add("deploy_environment", "local-git".into());
    }
    add("argv", arguments(&state.options).into());
    answer::json(&json!({
        "system": system,
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

/// The command line of a server with these options.
fn arguments(options: &Options) -> Vec<String> {
    let mut arguments = vec!["main.py".to_owned(), "--cpu".to_owned()];
    if options.multi_user {
        arguments.push("--multi-user".into());
    }
    if let Some(origin) = &options.cors_origin {
        arguments.extend(["--enable-cors-header".into(), origin.clone()]);
    }
    if options.compress {
        arguments.push("--enable-compress-response-body".into());
    }
    if options.max_upload_megabytes != MAX_UPLOAD_MEGABYTES {
        arguments.extend(["--max-upload-size".into(), options.max_upload_megabytes.to_string()]);
    }
    match options.assets {
        Assets::Off => {}
        Assets::On => arguments.push("--enable-assets".into()),
        Assets::Hashed => arguments.extend(["--enable-assets".into(), "--enable-asset-hashing".into()]),
    }
    if options.disable_api_nodes {
        arguments.push("--disable-api-nodes".into());
    }
    for (name, value) in &options.feature_flags {
        arguments.extend(["--feature-flag".into(), format!("{name}={value}")]);
    }
    arguments
}
