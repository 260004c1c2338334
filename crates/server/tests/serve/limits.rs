use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use hyper_util::rt::TokioIo;
use postbell_server::serve::options::ServeOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::interval;

use super::support::{Certificates, Server, exchange, read_until, rest_of, soon};

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const SHORT: Duration = Duration::from_millis(100);

fn router() -> Router {
    Router::new().route("/", get(|| async { "here" }))
}

#[tokio::test]
async fn a_client_that_says_nothing_is_cut() {
    let server = Server::start(router(), |options| options.first_byte_timeout = SHORT).await;
    assert_eq!(exchange(&server, "").await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_stops_within_the_http2_preface_is_cut() {
    let server = Server::start(router(), |options| options.first_byte_timeout = SHORT).await;
    assert_eq!(exchange(&server, "PRI * HTTP/2.0\r\n").await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_starts_no_tls_handshake_is_cut() {
    let tls = Certificates::new().tls();
    let server = Server::start_tls(router(), &tls, |options| {
        options.tls_handshake_timeout = SHORT;
    })
    .await;
    assert_eq!(exchange(&server, "").await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_is_silent_after_the_tls_handshake_is_cut() {
    let certificates = Certificates::new();
    let server = Server::start_tls(router(), &certificates.tls(), |options| {
        options.first_byte_timeout = SHORT;
    })
    .await;
    for alpn in ["h2", "http/1.1"] {
        let mut socket = certificates.connect(&server, &[alpn]).await;
        assert_eq!(rest_of(&mut socket).await, "", "{alpn}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_sends_its_head_slowly_is_cut() {
    let server = Server::start(router(), |options| {
        options.header_read_timeout = Duration::from_millis(200);
    })
    .await;
    let (mut read, mut write) = server.connect().await.into_split();
    let dripping = tokio::spawn(async move {
        let mut drops = interval(Duration::from_millis(20));
        write.write_all(b"GET / HTTP/1.1\r\nhost: ").await?;
        loop {
            drops.tick().await;
            write.write_all(b"x").await?;
        }
        #[expect(unreachable_code, reason = "names the error type of the block")]
        Ok::<(), std::io::Error>(())
    });
    rest_of(&mut read).await;
    dripping.abort();
    server.stop().await;
}

#[tokio::test]
async fn an_idle_http2_client_that_answers_no_ping_is_cut() {
    let server = Server::start(router(), |options| {
        options.http2_ping_interval = SHORT;
        options.http2_ping_timeout = SHORT;
    })
    .await;
    // The preface and empty SETTINGS; the server's own frames come back, then the end.
    let mut socket = server.connect().await;
    socket
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        .await
        .unwrap();
    assert_ne!(rest_of(&mut socket).await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_head_over_the_limit_is_answered_431() {
    let server = Server::start(router(), |options| options.max_header_bytes = 1024).await;
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "y".repeat(1024));
    let answer = exchange(&server, &request).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.stop().await;
}

/// Answers without a look at the body.
async fn refuse() -> StatusCode {
    StatusCode::UNAUTHORIZED
}

#[tokio::test]
async fn the_sender_of_a_large_body_that_nobody_reads_gets_the_answer_and_keeps_the_connection() {
    let router = router().route("/refuse", post(refuse));
    let server = Server::start(router, |_| {}).await;
    let mut socket = server.connect().await;
    let body = vec![b'x'; 8 * 1024 * 1024];
    let head = format!(
        "POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let sending = socket.write_all(&body);
    soon("the sending of the body", sending).await.unwrap();
    let answer = read_until(&mut socket, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    socket.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut socket, "here").await;
    server.stop().await;
}

#[tokio::test]
async fn a_body_without_end_that_nobody_reads_is_cut() {
    let router = Router::new().route("/", post(refuse));
    let server = Server::start(router, |options| options.body_drain_timeout = SHORT).await;
    let (mut read, mut write) = server.connect().await.into_split();
    let sending = tokio::spawn(async move {
        write
            .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n")
            .await?;
        while write.write_all(&[b'x'; 65_536]).await.is_ok() {}
        std::io::Result::Ok(())
    });
    let answer = rest_of(&mut read).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    soon("the end of sending", sending).await.unwrap().unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_was_not_called_for_is_not_called_for_after_the_answer() {
    let router = Router::new().route("/", post(refuse));
    let server = Server::start(router, |options| {
        // With it the connection would be held: nothing comes.
        options.body_drain_timeout = Duration::from_secs(3600);
    })
    .await;
    let request = "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n";
    let answer = exchange(&server, request).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(!answer.contains("100 Continue"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_pauses_too_long_fails_in_the_handler() {
    let router = Router::new().route("/", post(|body: Bytes| async move { body }));
    let server = Server::start(router, |options| options.body_idle_timeout = SHORT).await;
    let request = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    let answer = exchange(&server, request).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains("the request body paused for more than 0.1 s"),
        "{answer}"
    );
    server.stop().await;
}

/// A body without end; `alive` is dropped with it.
fn endless(alive: mpsc::Sender<()>) -> Body {
    let chunk = Bytes::from(vec![b'x'; 65_536]);
    Body::from_stream(stream::repeat(chunk).map(move |chunk| {
        let _alive = &alive;
        Ok::<_, std::convert::Infallible>(chunk)
    }))
}

#[tokio::test]
async fn a_connection_that_takes_no_bytes_is_closed() {
    for tls in [false, true] {
        let certificates = Certificates::new();
        let (alive, mut ended) = mpsc::channel::<()>(1);
        // The only sender, so that the channel ends with the one body that is made.
        let alive = Arc::new(Mutex::new(Some(alive)));
        let body = move || async move { endless(alive.lock().unwrap().take().unwrap()) };
        let router = Router::new().route("/", get(body));
        let change = |options: &mut ServeOptions| options.write_stall_timeout = SHORT;
        if tls {
            let server = Server::start_tls(router, &certificates.tls(), change).await;
            let mut socket = certificates.connect(&server, &[]).await;
            socket.write_all(GET.as_bytes()).await.unwrap();
            soon("the end of the body", ended.recv()).await;
        } else {
            let server = Server::start(router, change).await;
            let mut socket = server.connect().await;
            socket.write_all(GET.as_bytes()).await.unwrap();
            soon("the end of the body", ended.recv()).await;
        }
    }
}

/// One place only, taken by a request whose connection stays open.
async fn full_server(router: Router) -> (Server, tokio::net::TcpStream) {
    let server = Server::start(router, |options| options.max_connections = 1).await;
    let mut holder = server.connect().await;
    holder
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut holder, "\r\n\r\n").await;
    (server, holder)
}

/// Asks until there is a place again.
async fn served_again(server: &Server) {
    let served = async { while !exchange(server, GET).await.starts_with("HTTP/1.1 200") {} };
    soon("a free place", served).await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_a_place_is_free_again_after_a_close() {
    let (server, holder) = full_server(router()).await;
    let answer = exchange(&server, GET).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with("The server has too many open connections.\n"),
        "{answer}"
    );
    drop(holder);
    served_again(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn one_tls_connection_too_many_is_closed() {
    let certificates = Certificates::new();
    let server = Server::start_tls(router(), &certificates.tls(), |options| {
        options.max_connections = 1;
    })
    .await;
    let holder = certificates.connect(&server, &[]).await;
    assert_eq!(exchange(&server, "").await, "");
    drop(holder);
    server.stop().await;
}

/// Upgrades, then sends back what comes.
async fn upgrade(mut request: Request) -> Response {
    if !request.headers().contains_key("upgrade") {
        return "here".into_response();
    }
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgrading.await.unwrap());
        let (mut read, mut write) = tokio::io::split(&mut socket);
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let headers = [("connection", "upgrade"), ("upgrade", "echo")];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

#[tokio::test]
async fn an_upgraded_connection_keeps_its_place() {
    let server = Server::start(Router::new().route("/", get(upgrade)), |options| {
        options.max_connections = 1;
    })
    .await;
    let mut holder = server.connect().await;
    holder
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .await
        .unwrap();
    let answer = read_until(&mut holder, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    holder.write_all(b"ping").await.unwrap();
    let mut echoed = [0; 4];
    soon("the echo", holder.read_exact(&mut echoed)).await.unwrap();
    assert_eq!(&echoed, b"ping");

    let answer = exchange(&server, GET).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    drop(holder);
    served_again(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn an_upgraded_connection_is_waited_for_at_the_stop_but_not_for_ever() {
    let server = Server::start(Router::new().route("/", get(upgrade)), |options| {
        options.stop_timeout = SHORT;
    })
    .await;
    let mut holder = server.connect().await;
    holder
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut holder, "\r\n\r\n").await;
    let started = Instant::now();
    server.stop().await;
    assert!(started.elapsed() >= SHORT);
    drop(holder);
}
