//! One connection: handshake, choice of protocol, hyper, and the stop.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Phase;
use super::client::Hop;
use super::edge::{Edge, EdgeOfHop};
use super::guard::GuardedTcp;
use super::handover::Handover;
use super::lean::Lean;
use super::options::ServeOptions;
use super::socket::{FirstBytes, Socket, Stream};
use super::stop::{phase, unless_stopped};
use super::tls::Tls;

/// Clients over the cap that are told so at once; beyond, they are just closed.
const TURN_AWAY_PLACES: usize = 64;
/// The first byte of a TLS connection: a record of the kind handshake (RFC 8446, 5.1). No HTTP request
/// begins with it.
const TLS_HANDSHAKE: u8 = 22;
/// Between the probes of a connection that does not answer them.
const KEEPALIVE_PROBE_INTERVAL: Duration = Duration::from_secs(15);

/// What all connections of a server share.
pub(super) struct Shared {
    edge: Arc<Edge>,
    http1: http1::Builder,
    http1_tls: http1::Builder,
    http2: http2::Builder<TrackedExecutor>,
    limits: Limits,
    /// The bound on open connections.
    pub(super) places: Arc<Semaphore>,
    max_connections: usize,
    pub(super) turn_away_places: Arc<Semaphore>,
    pub(super) tracker: TaskTracker,
    pub(super) stop: watch::Receiver<Phase>,
}

struct Limits {
    first_byte: Duration,
    tls_handshake: Duration,
    write_stall: Duration,
    tcp_keepalive: Duration,
}

impl Shared {
    pub(super) fn new(
        router: Router,
        options: ServeOptions,
        tracker: TaskTracker,
        stop: watch::Receiver<Phase>,
    ) -> Self {
        let max_connections = options.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            // While a request is answered hyper reads on, to see its client go, and for that gets another
            // buffer, since the request is still in the first: 8 KiB a request. Over plain TCP the socket
            // looks after that for nothing.
            http1: http1_builder(&options).half_close(true).clone(),
            http1_tls: http1_builder(&options),
            http2: http2_builder(
                &options,
                TrackedExecutor {
                    tracker: tracker.clone(),
                    stop: stop.clone(),
                },
            ),
            limits: Limits {
                first_byte: options.first_byte_timeout,
                tls_handshake: options.tls_handshake_timeout,
                write_stall: options.write_stall_timeout,
                tcp_keepalive: options.tcp_keepalive,
            },
            places: Arc::new(Semaphore::new(max_connections)),
            max_connections,
            turn_away_places: Arc::new(Semaphore::new(TURN_AWAY_PLACES)),
            edge: Arc::new(Edge::new(router, options, tracker.clone())),
            tracker,
            stop,
        }
    }

    pub(super) fn open_connections(&self) -> usize {
        self.max_connections - self.places.available_permits()
    }
}

fn http1_builder(options: &ServeOptions) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_read_timeout)
        .max_header_size(usize::try_from(options.max_header_bytes).unwrap_or(usize::MAX))
        .max_buf_size(options.http1_max_buffer_bytes);
    builder
}

fn http2_builder(options: &ServeOptions, executor: TrackedExecutor) -> http2::Builder<TrackedExecutor> {
    let mut builder = http2::Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.http2_max_streams)
        .initial_stream_window_size(options.http2_stream_window_bytes)
        .initial_connection_window_size(options.http2_stream_window_bytes.saturating_mul(4))
        .max_send_buf_size(options.http2_send_buffer_bytes)
        .max_header_list_size(options.max_header_bytes)
        .keep_alive_interval(options.http2_ping_interval)
        .keep_alive_timeout(options.http2_ping_timeout)
        // WebSocket over HTTP/2 (RFC 8441).
        .enable_connect_protocol();
    builder
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// Serves one connection to its end. Whatever goes wrong concerns this connection alone.
pub(super) async fn serve(
    shared: Arc<Shared>,
    tcp: TcpStream,
    peer: SocketAddr,
    tls: Option<Tls>,
    place: OwnedSemaphorePermit,
) {
    let mut stop = shared.stop.clone();
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    if let Err(error) = tune(&tcp, shared.limits.tcp_keepalive) {
        tracing::debug!(peer.ip = %peer.ip(), %error, "the socket options could not be set");
    }
    let tls = match tls {
        None => None,
        Some(tls) => {
            let looked = tokio::select! {
                biased;
                _ = stop.changed() => return,
                looked = speaks_tls(&shared.limits, &tcp) => looked,
            };
            match looked {
                Ok(speaks_tls) => speaks_tls.then_some(tls),
                Err(error) => {
                    tracing::debug!(peer.ip = %peer.ip(), %error, "a connection did not get as far as a request");
                    return;
                }
            }
        }
    };
    let hop = Hop {
        peer,
        tls: tls.is_some(),
    };
    let tcp = GuardedTcp::new(
        tcp,
        hop.peer,
        shared.limits.write_stall,
        place,
        shared.tracker.token(),
    );
    // Boxed, here and below: each stage gives its memory back before the next takes its own.
    let opened = tokio::select! {
        biased;
        _ = stop.changed() => return,
        opened = Box::pin(open(&shared.limits, tcp, tls)) => opened,
    };
    let (mut socket, protocol) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            tracing::debug!(peer.ip = %hop.peer.ip(), %error, "a connection did not get as far as a request");
            return;
        }
    };
    let handover = (protocol == Protocol::Http1 && !hop.tls).then(Arc::<Handover>::default);
    if let Some(handover) = &handover {
        socket.hand_over_to(Arc::clone(handover));
    }
    let service = EdgeOfHop {
        edge: Arc::clone(&shared.edge),
        hop,
        handover: handover.clone(),
    };
    let io = TokioIo::new(socket);
    let handover = handover.as_deref();
    let ended = match protocol {
        Protocol::Http1 => {
            let http1 = if hop.tls { &shared.http1_tls } else { &shared.http1 };
            let connection = http1.serve_connection(io, service).with_upgrades();
            until_stopped(Box::pin(connection), handover, stop).await
        }
        Protocol::Http2 => {
            let connection = shared.http2.serve_connection(io, service);
            until_stopped(Box::pin(connection), handover, stop).await
        }
    };
    match ended {
        Ended::Served(Ok(())) => {}
        Ended::Served(Err(error)) => {
            tracing::debug!(peer.ip = %hop.peer.ip(), %error, "a connection ended early");
        }
        // A task of its own: this one has grown by what came before.
        Ended::HandedOver(lean) => {
            shared.tracker.spawn(lean.run(shared.stop.clone()));
        }
    }
}

fn tune(tcp: &TcpStream, keepalive: Duration) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let probes = socket2::TcpKeepalive::new()
        .with_time(keepalive)
        .with_interval(KEEPALIVE_PROBE_INTERVAL);
    socket2::SockRef::from(tcp).set_tcp_keepalive(&probes)
}

/// Whether the client of an address with TLS speaks it. Plain HTTP is served too, so that it is told what
/// is wrong (403 where HTTPS is required) and `/healthz` and `/readyz` answer (api.md 5).
async fn speaks_tls(limits: &Limits, tcp: &TcpStream) -> Result<bool, NotOpened> {
    let mut first = [0];
    let seen = timeout(limits.tls_handshake, tcp.peek(&mut first))
        .await
        .map_err(|_| NotOpened::HandshakeTimeout)?
        .map_err(NotOpened::Read)?;
    if seen == 0 {
        return Err(NotOpened::Closed);
    }
    Ok(first[0] == TLS_HANDSHAKE)
}

/// The TLS handshake, if any, and the choice between HTTP/1 and HTTP/2: by ALPN, else by the first
/// bytes. Also after ALPN the first bytes are waited for: hyper sets no time-out for them.
async fn open(limits: &Limits, tcp: GuardedTcp, tls: Option<Tls>) -> Result<(Socket, Protocol), NotOpened> {
    let (stream, agreed) = match tls {
        None => (Stream::Plain(tcp), None),
        Some(tls) => {
            let accepted = timeout(limits.tls_handshake, tls.acceptor().accept(tcp))
                .await
                .map_err(|_| NotOpened::HandshakeTimeout)?
                .map_err(NotOpened::Handshake)?;
            let agreed = match accepted.get_ref().1.alpn_protocol() {
                Some(b"h2") => Some(Protocol::Http2),
                Some(_) => Some(Protocol::Http1),
                None => None,
            };
            (Stream::Tls(Box::new(accepted)), agreed)
        }
    };
    let mut socket = Socket::new(stream);
    let first = timeout(limits.first_byte, socket.look_at_first_bytes())
        .await
        .map_err(|_| NotOpened::Silent)?
        .map_err(NotOpened::Read)?;
    let seen = match first {
        FirstBytes::Nothing => return Err(NotOpened::Closed),
        FirstBytes::Http2Preface => Protocol::Http2,
        FirstBytes::Other => Protocol::Http1,
    };
    Ok((socket, agreed.unwrap_or(seen)))
}

/// Why a connection ended before hyper saw it.
#[derive(Debug, thiserror::Error)]
enum NotOpened {
    #[error("the TLS handshake took too long")]
    HandshakeTimeout,
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error("the client said nothing in time")]
    Silent,
    #[error("reading the first bytes failed: {0}")]
    Read(io::Error),
    #[error("the client closed it")]
    Closed,
}

/// A connection of either protocol.
trait Drain: Future<Output = hyper::Result<()>> {
    /// Ends it after the requests that are in flight.
    fn drain(self: Pin<&mut Self>);
}

type Http1Connection = http1::UpgradeableConnection<TokioIo<Socket>, EdgeOfHop>;
type Http2Connection = http2::Connection<TokioIo<Socket>, EdgeOfHop, TrackedExecutor>;

impl Drain for Http1Connection {
    fn drain(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl Drain for Http2Connection {
    fn drain(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// How a connection ended, as far as hyper is concerned.
enum Ended {
    Served(hyper::Result<()>),
    /// A streamed answer goes on without hyper.
    HandedOver(Lean),
}

async fn until_stopped<C: Drain>(
    mut connection: Pin<Box<C>>,
    handover: Option<&Handover>,
    mut stop: watch::Receiver<Phase>,
) -> Ended {
    loop {
        let work = |cx: &mut Context<'_>| poll_connection(connection.as_mut(), handover, cx);
        if let Some(ended) = unless_stopped(&mut stop, work).await {
            return ended;
        }
        match phase(&mut stop) {
            Phase::Serving => {}
            Phase::Draining => connection.as_mut().drain(),
            Phase::Closing => return Ended::Served(Ok(())),
        }
    }
}

/// Lets hyper go on, and sees whether it was relieved meanwhile.
fn poll_connection(
    connection: Pin<&mut impl Drain>,
    handover: Option<&Handover>,
    cx: &mut Context<'_>,
) -> Poll<Ended> {
    if let Poll::Ready(ended) = connection.poll(cx) {
        return Poll::Ready(Ended::Served(ended));
    }
    match handover.and_then(Handover::take) {
        Some((tcp, chunks)) => Poll::Ready(Ended::HandedOver(Lean::new(tcp, chunks))),
        None => Poll::Pending,
    }
}

/// Runs the streams of HTTP/2 connections as tracked tasks that the hard close ends too.
#[derive(Clone)]
struct TrackedExecutor {
    tracker: TaskTracker,
    stop: watch::Receiver<Phase>,
}

impl<F> Executor<F> for TrackedExecutor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        let mut stop = self.stop.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                biased;
                _ = future => {}
                _ = stop.wait_for(|phase| *phase == Phase::Closing) => {}
            }
        });
    }
}
