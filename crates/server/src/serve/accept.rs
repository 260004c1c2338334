//! From a listening socket to one task a connection. Nothing that happens here ends the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::connection::{self, Shared};
use super::{Listener, Phase};

/// For a client that is turned away: long enough to read the answer, short enough to be cheap.
const TURN_AWAY_TIMEOUT: Duration = Duration::from_secs(1);

const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 42\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    \r\n\
    The server has too many open connections.\n";

/// Runs until the phase leaves serving. Never ends by an error.
pub(super) async fn run(listener: Listener, shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let mut failures = 0_u32;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|phase| *phase != Phase::Serving) => return,
            accepted = listener.socket.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                failures = 0;
                admit(&listener, &shared, tcp, peer);
            }
            Err(error) if is_about_one_connection(&error) => {
                tracing::debug!(%error, "a connection was gone before it was accepted");
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let pause = pause_after(failures);
                if failures.is_power_of_two() {
                    tracing::warn!(
                        %error,
                        failures,
                        pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                        "accepting connections failed; trying again"
                    );
                }
                tokio::select! {
                    _ = stop.wait_for(|phase| *phase != Phase::Serving) => return,
                    () = sleep(pause) => {}
                }
            }
        }
    }
}

fn admit(listener: &Listener, shared: &Arc<Shared>, tcp: TcpStream, peer: SocketAddr) {
    match Arc::clone(&shared.places).try_acquire_owned() {
        Ok(place) => {
            let served = connection::serve(Arc::clone(shared), tcp, peer, listener.tls.clone(), place);
            shared.tracker.spawn(served);
        }
        // Over TLS an answer would cost a handshake, which is what there is no room for.
        Err(_) if listener.tls.is_some() => {
            tracing::debug!(peer.ip = %peer.ip(), "too many connections: closed");
        }
        Err(_) => {
            // Those turned away are few at once too; beyond, the socket is just closed.
            let Ok(place) = Arc::clone(&shared.turn_away_places).try_acquire_owned() else {
                return;
            };
            tracing::debug!(peer.ip = %peer.ip(), "too many connections: turned away");
            shared.tracker.spawn(async move {
                let _ = timeout(TURN_AWAY_TIMEOUT, turn_away(tcp)).await;
                drop(place);
            });
        }
    }
}

async fn turn_away(mut tcp: TcpStream) -> io::Result<()> {
    tcp.write_all(TOO_MANY_CONNECTIONS).await?;
    tcp.shutdown().await?;
    // Closing with unread bytes would reset the connection and take the answer away with it.
    let mut ignored = [0; 1024];
    while tcp.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// Errors that `accept` reports for a connection that is gone already, not for the listener.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// 10 ms, doubling to 1 s: too many open files are cured by connections that end.
fn pause_after(failures: u32) -> Duration {
    Duration::from_millis(10 << failures.saturating_sub(1).min(7)).min(Duration::from_secs(1))
}

#[cfg(test)]
mod tests;
