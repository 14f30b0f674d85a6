//! The commands, one file per verb.

pub(crate) mod assignment;
pub(crate) mod run;
#[cfg(feature = "sim")]
pub(crate) mod serve;

/// Waits for Ctrl-C, or for the signal with which services are stopped.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
