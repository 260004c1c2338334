//! The listening edge: sockets, TLS, the choice of protocol, limits on connections, and what every
//! request gets before a route sees it (request id, client, CORS, HTTPS rule, span, caught panics).
//!
//! It serves a finished [`axum::Router`] and must never know a route or the engine: what depends on
//! them is asked through [`Hooks`](hooks::Hooks).
//!
//! # Layout
//!
//! - [`options`]: every limit, with unit and default.
//! - [`hooks`]: the questions that the edge asks its user.
//! - [`tls`], [`proxies`]: certificates that follow their files, and the proxies that are believed.
//! - [`client`], [`request_id`]: the request extensions that handlers read.
//! - `accept`, `connection`, `stop`, `socket`, `guard`, `body`: from the listening socket to hyper.
//! - `edge`, `cors`, `route`: one request, from hyper to the router and back.
//! - [`streaming`]: answers that go on; `handover`, `lean`: how the edge writes them without hyper.

/// Who sent a request, and how it came.
pub mod client;
/// What the edge asks its user.
pub mod hooks;
/// The limits and settings of the edge.
pub mod options;
/// Which proxies are believed.
pub mod proxies;
/// The id of a request.
pub mod request_id;
/// Answers that go on.
pub mod streaming;
/// TLS from PEM files, reloaded when they change.
pub mod tls;

mod accept;
mod body;
mod connection;
mod cors;
mod edge;
mod guard;
mod handover;
mod lean;
mod route;
mod socket;
mod stop;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::Shared;
use self::options::ServeOptions;
use self::tls::Tls;

/// After a hard close every task ends at its next poll; this bounds the wait for that.
const AFTER_HARD_CLOSE: Duration = Duration::from_secs(1);

/// A bound socket, and the certificate to show on it.
#[derive(Debug)]
pub struct Listener {
    /// Bound and listening; the caller knows its address.
    pub socket: TcpListener,
    /// Absent: plain HTTP.
    pub tls: Option<Tls>,
}

/// Why [`run`] ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There was nothing to listen on.
    #[error("no listener was given: at least one address to listen on is needed")]
    NoListener,
    /// An accept loop ended by itself, which only a defect makes it do.
    #[error("the accept loop of a listener ended unexpectedly")]
    AcceptLoopEnded(#[source] Option<tokio::task::JoinError>),
}

/// How far the stop has come; connections follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Accepting and answering.
    Serving,
    /// No new connections; requests in flight are finished (api.md 5).
    Draining,
    /// The time for draining is over: what is left is dropped.
    Closing,
}

/// Serves `router` on all `listeners` until `shutdown` is cancelled, then drains and returns.
///
/// On cancel it stops accepting at once, lets requests in flight finish for at most
/// [`ServeOptions::stop_timeout`], closes what is left, and returns when every connection is gone.
/// Long-lived streams are not ended here: whoever made them watches the same token.
///
/// # Errors
///
/// [`Error::NoListener`] at once; [`Error::AcceptLoopEnded`] after a defect. Failing accepts (too
/// many open files) never end the server.
pub async fn run(
    listeners: Vec<Listener>,
    router: axum::Router,
    options: ServeOptions,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    if listeners.is_empty() {
        return Err(Error::NoListener);
    }
    let stop_timeout = options.stop_timeout;
    let tls_reload_interval = options.tls_reload_interval;
    let tracker = TaskTracker::new();
    let (phase, stop) = watch::channel(Phase::Serving);
    let shared = Arc::new(Shared::new(router, options, tracker.clone(), stop.clone()));

    let mut acceptors = JoinSet::new();
    for listener in listeners {
        if let Some(tls) = &listener.tls {
            tracker.spawn(tls.clone().follow_files(tls_reload_interval, stop.clone()));
        }
        acceptors.spawn(accept::run(listener, Arc::clone(&shared)));
    }

    let outcome = tokio::select! {
        biased;
        () = shutdown.cancelled() => Ok(()),
        ended = acceptors.join_next() => Err(Error::AcceptLoopEnded(ended.and_then(Result::err))),
    };

    phase.send_replace(Phase::Draining);
    // Ends the accept loops, which closes the listening sockets.
    acceptors.shutdown().await;
    tracker.close();
    if timeout(stop_timeout, tracker.wait()).await.is_err() {
        tracing::warn!(
            connections.open = shared.open_connections(),
            "requests were still running at the end of the time for stopping: closing their connections"
        );
        phase.send_replace(Phase::Closing);
        if timeout(AFTER_HARD_CLOSE, tracker.wait()).await.is_err() {
            tracing::warn!(
                connections.open = shared.open_connections(),
                "some upgraded connections did not end"
            );
        }
    }
    outcome
}
