//! The simulator that a scenario is played on, started as the real server was for the recording.

use comfy_sim::{Assets, Builder, CachePolicy, ServerVersion, Sim};

use super::corpus::Corpus;

/// A simulator of this version with the small nodes for tests.
///
/// # Errors
/// The corpus does not say which node classes that version has.
pub(crate) fn plain(corpus: &Corpus, version: ServerVersion) -> anyhow::Result<Builder> {
    let object_info = corpus.object_info(&version.to_string())?;
    Ok(Sim::builder().version(version).object_info(object_info).test_nodes(true))
}

/// The same with the options of a scenario, which follow from its name.
///
/// # Errors
/// As [`plain`].
pub(crate) fn of_scenario(
    corpus: &Corpus,
    version: ServerVersion,
    scenario: &str,
) -> anyhow::Result<Builder> {
    let plain = plain(corpus, version)?;
    let on_the_other_server = scenario.starts_with("alt_")
        || scenario == "zx_worker_death_no_inputs" && version == ServerVersion::V0_3_64;
    Ok(match scenario {
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
        _ if scenario.starts_with("x_cache_ram") => plain.cache(CachePolicy::Memory),
        _ if scenario.starts_with("x_assets") => plain.assets(Assets::On),
        _ if scenario.starts_with("x_hashing") => plain.assets(Assets::Hashed),
        _ => plain,
    })
}
