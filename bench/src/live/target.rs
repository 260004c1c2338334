use std::time::{Duration, Instant};

use anyhow::bail;

use super::transport::Transport;
use crate::http1;
use crate::server::{self, Server};

/// Bursts fit into the history, so that a reader that is slow for a moment loses nothing; the same for
/// nchan's buffer.
const HISTORY: &str = "[apps.default.history]\ncount = 200000\n";

/// What serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postbell,
    Nchan,
    /// The least that a delivery can cost.
    Loop,
}

/// The servers to compare for a transport.
pub fn kinds(transport: Transport) -> Vec<Kind> {
    match transport {
        Transport::Sse | Transport::WebSocket if server::nginx().is_some() => {
            vec![Kind::Postbell, Kind::Nchan]
        }
        _ => vec![Kind::Postbell],
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Postbell => "Postbell",
            Self::Nchan => "nchan",
            Self::Loop => "a loop that only writes",
        }
    }
}

/// What is published.
#[derive(Clone, Copy)]
pub struct Load {
    /// In turn.
    pub channels: usize,
    pub messages: usize,
    /// That publish.
    pub connections: usize,
    /// Between the times at which messages are due; without, each goes out once one before is answered.
    pub interval: Option<Duration>,
}

/// A running server, and how it is spoken to.
pub struct Target {
    pub kind: Kind,
    pub server: Server,
}

impl Target {
    /// Starts it over a fresh folder.
    pub async fn start(kind: Kind) -> anyhow::Result<Self> {
        let server = match kind {
            Kind::Postbell => Server::postbell(HISTORY).await?,
            Kind::Nchan => Server::nchan().await?,
            Kind::Loop => Server::only_writes().await?,
        };
        Ok(Self { kind, server })
    }

    /// The headers that let a client in.
    pub fn credentials(&self) -> anyhow::Result<String> {
        Ok(match self.kind {
            Kind::Postbell => format!("x-api-key: {}\r\n", self.server.dev()?.keys.app),
            Kind::Nchan | Kind::Loop => String::new(),
        })
    }

    /// Publishes a load; times in messages count from `start`.
    pub async fn publish_all(&self, load: Load, start: Instant) -> anyhow::Result<()> {
        let began = Instant::now();
        let publishers = (0..load.connections).map(|publisher| async move {
            let mut connection = http1::Connection::open(self.server.address).await?;
            for number in (publisher..load.messages).step_by(load.connections) {
                let sent = match load.interval {
                    Some(interval) => {
                        let due = began + interval * number as u32;
                        tokio::time::sleep_until(due.into()).await;
                        due - start
                    }
                    None => start.elapsed(),
                };
                self.publish(&mut connection, number % load.channels, sent)
                    .await?;
            }
            anyhow::Ok(())
        });
        futures_util::future::try_join_all(publishers).await.map(|_| ())
    }

    /// Publishes a message that carries the time of its sending.
    async fn publish(
        &self,
        connection: &mut http1::Connection,
        channel: usize,
        sent: Duration,
    ) -> anyhow::Result<()> {
        let payload = format!(r#"{{"sent":{},"text":"{}"}}"#, sent.as_micros(), "x".repeat(120));
        let (path, body) = match self.kind {
            Kind::Postbell => (
                format!("/api/messaging/live{channel}"),
                format!(r#"{{"message":{payload}}}"#),
            ),
            Kind::Nchan | Kind::Loop => (format!("/publish/live{channel}"), payload),
        };
        let headers = format!("content-type: application/json\r\n{}", self.credentials()?);
        let (status, body) = connection
            .call(&http1::post(&path, &headers, body.as_bytes()))
            .await?;
        match status {
            200..300 => Ok(()),
            status => bail!("publish: status {status}: {}", String::from_utf8_lossy(body)),
        }
    }
}
