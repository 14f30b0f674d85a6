//! The simulator that a scenario is played on, started as the real server was for the recording.

use comfy_sim::{Assets, Builder, CachePolicy, ServerVersion, Sim};

use super::corpus::Corpus;
use super::scenario::Scenario;

/// A simulator of this version with the small nodes for tests.
///
/// # Errors
/// The corpus does not say which node classes that version has.
pub(crate) fn plain(corpus: &Corpus, version: ServerVersion) -> anyhow::Result<Builder> {
    let object_info = corpus.object_info(&version.to_string())?;
    Ok(Sim::builder().version(version).object_info(object_info).test_nodes(true))
}

/// The same with the options of a scenario, which follow from its name and from what was recorded.
///
/// # Errors
/// As [`plain`].
pub(crate) fn of_scenario(
    corpus: &Corpus,
    version: ServerVersion,
    name: &str,
    scenario: &Scenario,
) -> anyhow::Result<Builder> {
    let plain = plain(corpus, version)?;
    let on_the_other_server =
        name.starts_with("alt_") || name == "zx_worker_death_no_inputs" && version == ServerVersion::V0_3_64;
    Ok(match name {
        _ if on_the_other_server => plain
            .multi_user(true)
            .cors_origin("https://app.example")
            .compress_responses(true)
            .max_upload_megabytes(1.0)
            .cache(CachePolicy::None),
        "x_assets_tags" => plain.assets(Assets::Hashed),
        "x_cache_classic" => plain.cache(CachePolicy::Classic),
        "x_flags" => plain.feature_flag("show_signin_button", "true").feature_flag("foo", "bar"),
        "x_no_api_nodes" => plain.disable_api_nodes(true),
        "x_replacements" => {
            let plain = plain.assets(Assets::On);
            match replacements(scenario) {
                Some(replacements) => plain.node_replacements(replacements),
                None => plain,
            }
        }
        _ if name.starts_with("x_cache_ram") => plain.cache(CachePolicy::Memory),
        _ if name.starts_with("x_assets") => plain.assets(Assets::On),
        _ if name.starts_with("x_hashing") => plain.assets(Assets::Hashed),
        _ => plain,
    })
}

/// The node replacements that the recorded server told of: its node packs had some of their own.
fn replacements(scenario: &Scenario) -> Option<serde_json::Value> {
    scenario.steps.iter().find_map(|step| {
        let path = &step.request.as_ref()?.path;
        if path.strip_prefix("/api").unwrap_or(path) != "/node_replacements" {
            return None;
        }
        let body = step.response.as_ref()?.body.as_ref()?;
        serde_json::from_str(body.get("json")?.get()).ok()
    })
}
