//! Being stopped: by Ctrl-C, or by the signal with which services are stopped.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC, ctrl_c};

/// Hears of every Ctrl-C from its making on, also of those that come while nobody waits.
#[derive(Debug)]
pub(crate) struct Stop {
    #[cfg(unix)]
    signals: Option<(Signal, Signal)>,
    #[cfg(windows)]
    signals: Option<CtrlC>,
}

impl Stop {
    /// From now on Ctrl-C does not end the process any more.
    pub(crate) fn listen() -> Self {
        #[cfg(unix)]
        let signals = signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok());
        #[cfg(windows)]
        let signals = ctrl_c().ok();
        Self {
            #[cfg(any(unix, windows))]
            signals,
        }
    }

    /// Waits for the next one.
    pub(crate) async fn wait(&mut self) {
        #[cfg(unix)]
        if let Some((interrupt, terminate)) = &mut self.signals {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        #[cfg(windows)]
        if let Some(interrupt) = &mut self.signals {
            interrupt.recv().await;
            return;
        }
        // Without a listener the system ends the process itself.
        std::future::pending().await
    }
}
