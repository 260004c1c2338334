//! Answers that go on: over plain HTTP/1.1 the edge writes them itself, elsewhere hyper does.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use postbell_server::serve::options::ServeOptions;
use postbell_server::serve::streaming::{Chunk, Chunks, answer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::support::{Certificates, Server, exchange, read_until, rest_of, soon};

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const SHORT: Duration = Duration::from_millis(100);

/// What a test sends; the stream ends when the test drops its end.
struct Given(mpsc::UnboundedReceiver<Vec<&'static str>>);

impl Chunks for Given {
    fn poll_chunks(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>> {
        let chunks = |batch: Vec<&str>| batch.iter().map(|data| chunk(data)).collect();
        self.0.poll_recv(cx).map(|batch| batch.map(chunks))
    }
}

/// A stream without end; the sender is dropped with it.
struct Endless(mpsc::Sender<()>);

impl Chunks for Endless {
    fn poll_chunks(&mut self, _: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>> {
        assert!(!self.0.is_closed());
        Poll::Ready(Some(vec![chunk(&"x".repeat(65_536))]))
    }
}

fn chunk(data: &str) -> Chunk {
    Chunk::new(data.len(), |out| out.extend_from_slice(data.as_bytes()))
}

/// A server whose one stream is fed by the sender; `/other` is an ordinary route.
async fn streaming(
    change: impl FnOnce(&mut ServeOptions),
) -> (Server, mpsc::UnboundedSender<Vec<&'static str>>) {
    let (feed, given) = mpsc::unbounded_channel();
    (Server::start(router(Given(given)), change).await, feed)
}

fn router(source: impl Chunks) -> Router {
    let source = Arc::new(Mutex::new(Some(source)));
    let stream = move || async move { answer(source.lock().unwrap().take().unwrap()) };
    Router::new()
        .route("/", get(stream))
        .route("/other", get(|| async { "other" }))
        .route("/empty", get(|| async {}))
}

/// The data of a chunked body, which must be nothing but well-formed chunks up to the last one.
fn unchunked(mut body: &str) -> String {
    let mut data = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").expect("a size line");
        assert!(
            !size.is_empty() && size.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{size}"
        );
        let size = usize::from_str_radix(size, 16).unwrap();
        data.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").expect("the end of a chunk");
        if size == 0 {
            assert_eq!(body, "", "something follows the last chunk");
            return data;
        }
    }
}

/// Head and data of an answer that went on until its last chunk.
fn whole(answer: &str) -> (&str, String) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\ntransfer-encoding: chunked"), "{head}");
    assert!(head.contains("\r\nx-request-id: "), "{head}");
    (head, unchunked(body))
}

/// Whether the edge writes the answer itself.
fn is_lean(head: &str) -> bool {
    head.contains("\r\nconnection: close")
}

#[tokio::test]
async fn a_stream_is_chunks_until_the_last_one_and_the_close() {
    let (server, feed) = streaming(|_| {}).await;
    let mut socket = server.connect().await;
    // Byte by byte, each in a segment of its own.
    socket.set_nodelay(true).unwrap();
    for byte in GET.as_bytes() {
        socket.write_all(&[*byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let head = read_until(&mut socket, "\r\n\r\n").await;
    feed.send(vec!["one"]).unwrap();
    let one = read_until(&mut socket, "one\r\n").await;
    // More pieces than one write takes.
    feed.send(vec!["two\n"; 1_000]).unwrap();
    drop(feed);
    let answer = head + &one + &rest_of(&mut socket).await;
    let (head, data) = whole(&answer);
    assert!(is_lean(head), "{head}");
    assert_eq!(data, format!("one{}", "two\n".repeat(1_000)));
    server.stop().await;
}

#[tokio::test]
async fn what_is_pipelined_before_a_stream_is_answered_and_what_comes_behind_is_not() {
    for before in ["/other", "/empty"] {
        let (server, feed) = streaming(|_| {}).await;
        let mut socket = server.connect().await;
        let first = format!("GET {before} HTTP/1.1\r\nhost: x\r\n\r\n");
        socket
            .write_all(format!("{first}{GET}{first}").as_bytes())
            .await
            .unwrap();
        let mut answer = read_until(&mut socket, "chunked").await;
        socket.write_all(first.as_bytes()).await.unwrap();
        feed.send(vec!["one"]).unwrap();
        answer += &read_until(&mut socket, "one\r\n").await;
        feed.send(vec!["two"]).unwrap();
        drop(feed);
        answer += &rest_of(&mut socket).await;
        let at = 1 + answer[1..].find("HTTP/1.1 ").expect("a second answer");
        let (head, data) = whole(&answer[at..]);
        assert!(is_lean(head), "{head}");
        assert!(!is_lean(&answer[..at]), "{answer}");
        assert_eq!(data, "onetwo");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_stream_is_the_same_where_hyper_writes_it() {
    let certificates = Certificates::new();
    for (version, connection) in [("1.0", "close"), ("1.1", "close"), ("1.1", "keep-alive")] {
        let (server, feed) = streaming(|_| {}).await;
        feed.send(vec!["one", "two"]).unwrap();
        drop(feed);
        let request = format!("GET / HTTP/{version}\r\nhost: x\r\nconnection: {connection}\r\n\r\n");
        let answer = exchange(&server, &request).await;
        if version == "1.0" {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(!head.contains("chunked"), "{head}");
            assert_eq!(body, "onetwo");
        } else {
            assert_eq!(whole(&answer).1, "onetwo");
        }
        server.stop().await;
    }
    let (feed, given) = mpsc::unbounded_channel();
    let server = Server::start_tls(router(Given(given)), &certificates.tls(), |_| {}).await;
    feed.send(vec!["one", "two"]).unwrap();
    drop(feed);
    let client = certificates.client().build().unwrap();
    let answer = client.get(server.https_url("/")).send().await.unwrap();
    assert!(!answer.headers().contains_key("connection"));
    assert_eq!(soon("the body", answer.text()).await.unwrap(), "onetwo");
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn head_ends_the_source_and_keeps_the_connection() {
    let (alive, mut ended) = mpsc::channel(1);
    let server = Server::start(router(Endless(alive)), |_| {}).await;
    let mut socket = server.connect().await;
    socket
        .write_all(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let head = read_until(&mut socket, "\r\n\r\n").await;
    assert!(!is_lean(&head), "{head}");
    soon("the end of the source", ended.recv()).await;
    socket
        .write_all(b"GET /other HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut socket, "other").await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_or_sends_on_and_on_ends_its_stream() {
    for sends_on in [false, true] {
        let (alive, mut ended) = mpsc::channel(1);
        let server = Server::start(router(Waiting(alive)), |_| {}).await;
        let mut socket = server.connect().await;
        socket.write_all(GET.as_bytes()).await.unwrap();
        read_until(&mut socket, "\r\n\r\n").await;
        if sends_on {
            while socket.write_all(&[b'x'; 4096]).await.is_ok() {}
        } else {
            socket.shutdown().await.unwrap();
        }
        soon("the end of the source", ended.recv()).await;
        server.stop().await;
    }
}

/// Nothing ever comes.
struct Waiting(mpsc::Sender<()>);

impl Chunks for Waiting {
    fn poll_chunks(&mut self, _: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>> {
        assert!(!self.0.is_closed());
        Poll::Pending
    }
}

#[tokio::test]
async fn only_a_reader_that_takes_no_bytes_is_closed() {
    let (alive, mut ended) = mpsc::channel(1);
    let server = Server::start(router(Endless(alive)), |options| {
        options.write_stall_timeout = 3 * SHORT
    })
    .await;
    let mut socket = server.connect().await;
    socket.write_all(GET.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 1 << 20];
    for _ in 0..10 {
        tokio::time::sleep(SHORT).await;
        soon("bytes", socket.read(&mut bytes)).await.unwrap();
        let still = ended.try_recv();
        assert_eq!(
            still,
            Err(mpsc::error::TryRecvError::Empty),
            "closed a slow reader"
        );
    }
    soon("the end of the source", ended.recv()).await;
    server.stop().await;
}

#[tokio::test]
async fn a_stream_keeps_its_place_among_the_connections() {
    let (server, feed) = streaming(|options| options.max_connections = 1).await;
    let mut holder = server.connect().await;
    holder.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut holder, "\r\n\r\n").await;
    let other = "GET /other HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(exchange(&server, other).await.starts_with("HTTP/1.1 503 "));
    drop(feed);
    rest_of(&mut holder).await;
    let served = async { while !exchange(&server, other).await.starts_with("HTTP/1.1 200") {} };
    soon("a free place", served).await;
    server.stop().await;
}

#[tokio::test]
async fn the_stop_waits_for_a_stream_to_end_but_not_for_ever() {
    let (server, feed) = streaming(|options| options.stop_timeout = Duration::from_secs(3_600)).await;
    let mut socket = server.connect().await;
    socket.write_all(GET.as_bytes()).await.unwrap();
    let mut answer = read_until(&mut socket, "\r\n\r\n").await;
    server.shutdown.cancel();
    feed.send(vec!["still"]).unwrap();
    answer += &read_until(&mut socket, "still\r\n").await;
    assert!(!server.running.is_finished());
    feed.send(vec!["the end"]).unwrap();
    drop(feed);
    answer += &rest_of(&mut socket).await;
    assert_eq!(whole(&answer).1, "stillthe end");
    server.stop().await;

    let (server, _feed) = streaming(|options| options.stop_timeout = SHORT).await;
    let mut socket = server.connect().await;
    socket.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut socket, "\r\n\r\n").await;
    server.stop().await;
    assert_eq!(rest_of(&mut socket).await, "");
}
