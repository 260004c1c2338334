//! Imports whose client goes away, and imports that wait for each other.

use std::time::Duration;

use serde_json::json;
use testkit::server::Server;
use testkit::soon;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::*;

/// A server that runs one import at a time: where a second one is done, the first is over.
async fn start(wait: Duration) -> (Server, String) {
    let server = Server::builder().engine(move |options| {
        options.imports = 1;
        options.import_wait = wait;
    });
    let server = server.start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    (server, key)
}

/// The head of an import with this header about its body.
fn head(key: &str, of_body: &str) -> String {
    format!(
        "POST /messages/import HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n{of_body}\r\n\r\n"
    )
}

async fn send(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    soon("the sending", socket.write_all(bytes)).await.unwrap();
    socket
}

/// Waits for the import before this one.
async fn import_after(server: &Server, key: &str, id: &str) {
    imported(server, key, &[document(id, "after")]).await;
}

/// Sends this much of an import, then cuts the connection; nothing may be in.
async fn cut(of_body: &str, body: &str) {
    let (server, key) = start(Duration::from_secs(10)).await;
    // The head alone first, so that the import has its turn before the other one asks.
    let mut socket = send(
        &server,
        head(&key, &format!("{of_body}\r\nexpect: 100-continue")).as_bytes(),
    )
    .await;
    continued(&mut socket).await;
    soon("the sending", socket.write_all(body.as_bytes()))
        .await
        .unwrap();
    drop(socket);
    import_after(&server, &key, "after").await;
    assert_eq!(counted_away(&server, &key, "u").await, 0);
    server.stop().await;
}

/// Reads `100 Continue`: the body is asked for.
async fn continued(socket: &mut TcpStream) {
    let expected = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut read = [0; 25];
    soon("the call for the body", socket.read_exact(&mut read))
        .await
        .unwrap();
    assert_eq!(&read, expected);
}

#[tokio::test]
async fn a_chunked_body_that_is_cut_imports_nothing() {
    let body = documents(10, "u");
    cut(
        "transfer-encoding: chunked",
        &format!("{:x}\r\n{body}\r\n", body.len()),
    )
    .await;
}

#[tokio::test]
async fn a_body_shorter_than_its_length_imports_nothing() {
    let body = documents(10, "u");
    cut(&format!("content-length: {}", body.len() + 1), &body).await;
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_the_answer_leaves_all_or_nothing() {
    let (server, key) = start(Duration::from_secs(10)).await;
    let body = documents(3_000, "u");
    let head = head(
        &key,
        &format!("content-length: {}\r\nexpect: 100-continue", body.len()),
    );
    let mut socket = send(&server, head.as_bytes()).await;
    continued(&mut socket).await;
    soon("the sending", socket.write_all(body.as_bytes()))
        .await
        .unwrap();
    drop(socket);
    import_after(&server, &key, "after").await;
    let count = counted_away(&server, &key, "u").await;
    assert!(count == 0 || count == 3_000, "{count}");
    server.stop().await;
}

#[tokio::test]
async fn an_import_that_waits_too_long_for_its_turn_is_answered_503() {
    let (server, key) = start(Duration::from_millis(100)).await;
    let mut socket = send(
        &server,
        head(&key, "content-length: 1\r\nexpect: 100-continue").as_bytes(),
    )
    .await;
    continued(&mut socket).await;
    let response = import(&server, &key, document("a", "u").to_string())
        .response()
        .await;
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    let body: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(
        body["errors"][0]["detail"],
        "not now: too many imports are running; try again in some seconds"
    );
    // Who may not import is told so at once.
    let (status, _) = import(&server, "unknown-key", "").failure().await;
    assert_eq!(status, 401);
    soon("the sending", socket.write_all(b"\n")).await.unwrap();
    let mut answer = [0; 15];
    soon("the answer", socket.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    imported(&server, &key, &[document("a", "u")]).await;
    drop(socket);
    server.stop().await;
}

#[tokio::test]
async fn a_caller_who_may_not_import_is_refused_before_the_body_is_asked_for() {
    let (server, _) = start(Duration::from_secs(10)).await;
    let request = head("unknown-key", "content-length: 1\r\nexpect: 100-continue");
    let mut socket = send(&server, request.as_bytes()).await;
    let mut answer = [0; 12];
    soon("the answer", socket.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 401");
    server.stop().await;
}

#[tokio::test]
async fn messages_are_parsed_while_the_rest_is_still_on_its_way() {
    let (server, key) = start(Duration::from_secs(10)).await;
    // The rest never comes; the bad line in front is told all the same.
    let start = "{}\n";
    let mut socket = send(
        &server,
        format!("{}{start}", head(&key, "content-length: 1000000")).as_bytes(),
    )
    .await;
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.ends_with(b"}]}") {
        let count = soon("the answer", socket.read(&mut piece)).await.unwrap();
        assert_ne!(count, 0);
        answer.extend_from_slice(&piece[..count]);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("line 1: id: missing"), "{answer}");
    assert_eq!(import(&server, &key, "").data().await, json!({"imported": 0}));
    drop(socket);
    server.stop().await;
}

#[tokio::test]
async fn a_request_without_a_path_is_answered_too() {
    let (server, _) = start(Duration::from_secs(10)).await;
    for request in [
        "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let mut socket = send(&server, request.as_bytes()).await;
        let mut answer = [0; 10];
        soon("the answer", socket.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 4", "{request}");
    }
    server.stop().await;
}
