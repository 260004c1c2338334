use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

/// An HTTP server on the loopback that answers every request with the same text and counts them.
pub(super) struct JwksStub {
    pub(super) url: String,
    shared: Arc<Shared>,
    _server: AbortOnDropHandle<()>,
}

struct Shared {
    answer: Mutex<Vec<u8>>,
    requests: AtomicUsize,
    /// A permit lets one request be answered.
    gate: Semaphore,
}

impl JwksStub {
    /// A server that answers at once, with these keys.
    pub(super) async fn start(keys: &[Value]) -> Self {
        let stub = Self::start_closed(keys).await;
        stub.open();
        stub
    }

    /// A server that answers nothing until it is opened.
    pub(super) async fn start_closed(keys: &[Value]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            answer: Mutex::default(),
            requests: AtomicUsize::new(0),
            gate: Semaphore::new(0),
        });
        let serving = shared.clone();
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, serving.clone()));
            }
        });
        let stub = Self {
            url,
            shared,
            _server: AbortOnDropHandle::new(server),
        };
        stub.set_keys(keys);
        stub
    }

    pub(super) fn open(&self) {
        self.shared.gate.add_permits(1_000);
    }

    pub(super) fn set_keys(&self, keys: &[Value]) {
        self.set_body(&json!({ "keys": keys }).to_string());
    }

    pub(super) fn set_body(&self, body: &str) {
        self.set_answer("200 OK", "", body);
    }

    /// `headers` are further lines, each ending in `\r\n`.
    pub(super) fn set_answer(&self, status: &str, headers: &str, body: &str) {
        *self.shared.answer.lock() = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes();
    }

    /// How many requests have come so far.
    pub(super) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    shared.requests.fetch_add(1, Ordering::SeqCst);
    shared.gate.acquire().await.unwrap().forget();
    let answer = shared.answer.lock().clone();
    // A client that has gone is no failure of the server's.
    if stream.write_all(&answer).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}
