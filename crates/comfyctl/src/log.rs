//! The log.

use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

/// Log lines on stderr with `-v`, or as COMFYCTL_LOG says.
pub(crate) fn start(settings: &Settings) {
    let filter = match (&settings.log, settings.verbose) {
        (Some(filter), _) => filter.as_str(),
        (None, 0) => return,
        (None, 1) => "comfy_api_client=debug,comfy_sim=info,comfyctl=debug",
        (None, _) => "comfy_api_client=trace,comfy_sim=debug,comfyctl=trace",
    };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(settings.color_on_stderr())
        .try_init();
}
