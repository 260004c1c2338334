use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that a server listens to, from [`Signals::listen`] on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Takes over SIGTERM, SIGINT and SIGHUP.
    ///
    /// # Errors
    ///
    /// The system does not allow it.
    pub fn listen() -> anyhow::Result<Self> {
        let take = |kind| signal(kind).context("cannot listen to signals");
        Ok(Self {
            terminate: take(SignalKind::terminate())?,
            interrupt: take(SignalKind::interrupt())?,
            hang_up: take(SignalKind::hangup())?,
        })
    }

    /// Returns the name of the next signal that asks to stop. Cancel safe.
    ///
    /// SIGHUP does not end the server: certificates are looked at by themselves
    /// (`server.tls_reload_interval`).
    pub async fn stop(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hang_up.recv() => {
                    tracing::info!("SIGHUP: certificates are looked at every server.tls_reload_interval by themselves");
                }
            }
        }
    }
}
