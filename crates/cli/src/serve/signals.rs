use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals so close together are one wish: Ctrl-C reaches a whole process group, and a script or `timeout`
/// in front passes its own on as well.
const SAME_WISH: Duration = Duration::from_millis(500);

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

    /// As [`Self::stop`], but what comes right after the first signal is no second one.
    pub async fn stop_again(&mut self) -> &'static str {
        let first = Instant::now();
        loop {
            let signal = self.stop().await;
            if first.elapsed() >= SAME_WISH {
                return signal;
            }
        }
    }
}
