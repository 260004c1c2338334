use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get};
use http::Version;
use tokio::io::AsyncWriteExt;

use super::support::{Certificates, Server, exchange, read_until};

/// Answers what the request came as.
fn echo() -> Router {
    let answer = |request: Request| async move { format!("{} {:?}", request.method(), request.version()) };
    Router::new().route("/echo", any(answer))
}

#[tokio::test]
async fn http1_is_served_and_kept_alive() {
    let server = Server::start(echo(), |_| {}).await;
    let mut socket = server.connect().await;
    for _ in 0..2 {
        socket
            .write_all(b"GET /echo HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let answer = read_until(&mut socket, "GET HTTP/1.1").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    drop(socket);
    server.stop().await;
}

#[tokio::test]
async fn a_request_line_that_begins_as_the_http2_preface_and_comes_in_pieces_is_http1() {
    let server = Server::start(echo(), |_| {}).await;
    for method in ["POST", "PRI", "PRIX"] {
        let mut socket = server.connect().await;
        socket.set_nodelay(true).unwrap();
        let request = format!("{method} /echo HTTP/1.1\r\nhost: x\r\n\r\n");
        for byte in request.as_bytes() {
            socket.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let answer = read_until(&mut socket, &format!("{method} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn http2_is_served_over_plain_tcp_by_prior_knowledge() {
    let server = Server::start(echo(), |_| {}).await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let answer = client.get(server.url("/echo")).send().await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "GET HTTP/2.0");
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn http2_and_http1_are_served_over_tls_as_agreed_by_alpn() {
    let certificates = Certificates::new();
    let server = Server::start_tls(echo(), &certificates.tls(), |_| {}).await;

    let client = certificates.client().build().unwrap();
    let answer = client.get(server.https_url("/echo")).send().await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "GET HTTP/2.0");

    let client = certificates.client().http1_only().build().unwrap();
    let answer = client.get(server.https_url("/echo")).send().await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_11);
    assert_eq!(answer.text().await.unwrap(), "GET HTTP/1.1");
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_tls_client_without_alpn_gets_http1() {
    let certificates = Certificates::new();
    let server = Server::start_tls(echo(), &certificates.tls(), |_| {}).await;
    let mut socket = certificates.connect(&server, &[]).await;
    socket
        .write_all(b"GET /echo HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut socket, "GET HTTP/1.1").await;
    drop(socket);
    server.stop().await;
}

#[tokio::test]
async fn large_bodies_pass_whole_in_both_directions_and_protocols() {
    let back = |body: axum::body::Bytes| async move { body };
    let router = Router::new().route("/back", any(back));
    let certificates = Certificates::new();
    let server = Server::start_tls(router, &certificates.tls(), |_| {}).await;
    let body: Vec<u8> = (0..1_500_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for client in [
        certificates.client().build().unwrap(),
        certificates.client().http1_only().build().unwrap(),
    ] {
        let request = client.post(server.https_url("/back")).body(body.clone());
        let answer = request.send().await.unwrap().bytes().await.unwrap();
        assert!(answer == body, "{} bytes came back", answer.len());
    }
    server.stop().await;
}

#[tokio::test]
async fn many_listeners_serve_one_router() {
    let certificates = Certificates::new();
    let plain = Server::start(echo(), |_| {}).await;
    let tls = Server::start_tls(echo(), &certificates.tls(), |_| {}).await;
    let answer = exchange(&plain, "GET /echo HTTP/1.0\r\n\r\n").await;
    assert!(answer.ends_with("GET HTTP/1.0"), "{answer}");
    let client = certificates.client().http1_only().build().unwrap();
    let answer = client.get(tls.https_url("/echo")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "GET HTTP/1.1");
    // An address with TLS takes plain HTTP too, where HTTPS is not required.
    let answer = exchange(&tls, "GET /echo HTTP/1.0\r\n\r\n").await;
    assert!(answer.ends_with("GET HTTP/1.0"), "{answer}");
    drop(client);
    plain.stop().await;
    tls.stop().await;
}

#[tokio::test]
async fn head_has_no_body() {
    let router = Router::new().route("/echo", get(|| async { "body" }));
    let server = Server::start(router, |_| {}).await;
    let answer = exchange(
        &server,
        "HEAD /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.contains("content-length: 4\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    server.stop().await;
}
