use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use postbell_server::serve;
use postbell_server::serve::options::ServeOptions;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::support::{Certificates, Server, options, read_until, rest_of, soon};

/// Longer than any test waits: only the graceful way ends in time.
const NEVER: Duration = Duration::from_secs(3600);
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// A handler that tells that it runs, and ends when it may.
#[derive(Clone)]
struct Gate {
    entered: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

impl Gate {
    fn new() -> Self {
        Self {
            entered: Arc::new(Semaphore::new(0)),
            released: Arc::new(Semaphore::new(0)),
        }
    }

    fn router(&self) -> Router {
        let gate = self.clone();
        let handler = move || async move {
            gate.entered.add_permits(1);
            gate.released.acquire().await.unwrap().forget();
            "finished"
        };
        Router::new()
            .route("/", get(handler))
            .route("/quick", get(|| async { "quick" }))
    }

    async fn entered(&self) {
        soon("the request", self.entered.acquire())
            .await
            .unwrap()
            .forget();
    }
}

fn graceful_only(options: &mut ServeOptions) {
    options.stop_timeout = NEVER;
}

/// The listening socket is gone.
async fn refuses_connections(server: &Server) {
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    soon("the end of accepting", refused).await;
}

#[tokio::test]
async fn a_request_in_flight_is_finished_and_then_the_server_returns() {
    let gate = Gate::new();
    let server = Server::start(gate.router(), graceful_only).await;
    let mut socket = server.connect().await;
    socket.write_all(GET).await.unwrap();
    gate.entered().await;

    server.shutdown.cancel();
    refuses_connections(&server).await;
    assert!(!server.running.is_finished());
    gate.released.add_permits(1);
    let answer = rest_of(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("finished"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn http2_requests_in_flight_are_finished_and_then_the_server_returns() {
    let certificates = Certificates::new();
    let gate = Gate::new();
    let server = Server::start_tls(gate.router(), &certificates.tls(), graceful_only).await;
    let client = certificates.client().build().unwrap();
    let request = client.get(server.https_url("/")).send();
    let answer = tokio::spawn(async move { request.await.unwrap().text().await.unwrap() });
    gate.entered().await;

    server.shutdown.cancel();
    refuses_connections(&server).await;
    assert!(!server.running.is_finished());
    gate.released.add_permits(1);
    assert_eq!(soon("the answer", answer).await.unwrap(), "finished");
    server.stop().await;
}

#[tokio::test]
async fn idle_and_silent_connections_do_not_hold_the_stop() {
    let certificates = Certificates::new();
    let plain = Server::start(Gate::new().router(), graceful_only).await;
    let tls = Server::start_tls(Gate::new().router(), &certificates.tls(), graceful_only).await;
    let _silent = (plain.connect().await, tls.connect().await);
    let _handshaken = certificates.connect(&tls, &["h2"]).await;
    let mut idle = plain.connect().await;
    idle.write_all(b"GET /quick HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut idle, "quick").await;
    plain.stop().await;
    tls.stop().await;
}

#[tokio::test]
async fn what_is_not_finished_in_time_is_closed() {
    let certificates = Certificates::new();
    let hurried = |options: &mut ServeOptions| options.stop_timeout = Duration::from_millis(100);
    let gate = Gate::new();

    let server = Server::start(gate.router(), hurried).await;
    let mut socket = server.connect().await;
    socket.write_all(GET).await.unwrap();
    gate.entered().await;
    server.stop().await;
    assert_eq!(rest_of(&mut socket).await, "");

    let server = Server::start_tls(gate.router(), &certificates.tls(), hurried).await;
    let client = certificates.client().build().unwrap();
    let request = tokio::spawn(client.get(server.https_url("/")).send());
    gate.entered().await;
    server.stop().await;
    assert!(soon("the error", request).await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_without_listeners_is_an_error() {
    let outcome = serve::run(vec![], Router::new(), options(), CancellationToken::new()).await;
    assert!(matches!(outcome, Err(serve::Error::NoListener)));
}
