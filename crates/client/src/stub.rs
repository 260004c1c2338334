use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that the stub got.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and target, e.g. `GET /messages?limit=1`.
    pub line: String,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
}

impl Request {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// An answer to play.
#[derive(Debug, Clone)]
pub struct Answer {
    bytes: Vec<u8>,
    hold: Duration,
}

impl Answer {
    /// A whole answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::json_with(status, "", body)
    }

    /// The same with further header lines, each ending in `\r\n`.
    #[must_use]
    pub fn json_with(status: u16, headers: &str, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}"
        );
        Self {
            bytes: format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes(),
            hold: Duration::ZERO,
        }
    }

    /// An event stream that the server ends in order.
    #[must_use]
    pub fn stream(text: &str) -> Self {
        let mut answer = Self::cut_stream(text);
        answer.bytes.extend_from_slice(b"0\r\n\r\n");
        answer
    }

    /// An event stream whose connection breaks after the text.
    #[must_use]
    pub fn cut_stream(text: &str) -> Self {
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let body = if text.is_empty() {
            String::new()
        } else {
            format!("{:x}\r\n{text}\r\n", text.len())
        };
        Self {
            bytes: format!("{head}{body}").into_bytes(),
            hold: Duration::ZERO,
        }
    }

    /// No answer at all: the connection is closed.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            bytes: Vec::new(),
            hold: Duration::ZERO,
        }
    }

    /// Keeps the connection open for this long after the bytes.
    #[must_use]
    pub fn hold(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }
}

/// A server on a free loopback port that plays answers in order, one a connection; it ends when dropped.
/// After the last answer it refuses with a 418, which no caller takes for temporary.
#[derive(Debug)]
pub struct Stub {
    /// Base URL.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Stub {
    /// Starts to play.
    ///
    /// # Panics
    /// Where no loopback port can be bound.
    pub async fn play(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free loopback port");
        let url = format!("http://{}", listener.local_addr().expect("a bound address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((mut socket, _)) = listener.accept().await {
                let Some(request) = read(&mut socket).await else {
                    continue;
                };
                lock(&seen).push(request);
                let answer = answers
                    .next()
                    .unwrap_or_else(|| Answer::json(418, r#"{"message":"no more answers","code":0}"#));
                // The client may have gone already; the next one is served all the same.
                let _ = socket.write_all(&answer.bytes).await;
                tokio::time::sleep(answer.hold).await;
                let _ = socket.shutdown().await;
            }
        });
        Self { url, requests, task }
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(requests: &Mutex<Vec<Request>>) -> MutexGuard<'_, Vec<Request>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(socket: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break end;
        }
        more(socket, &mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    bytes.drain(..head_end + 4);
    let mut lines = head.split("\r\n");
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request {
        line,
        headers,
        body: Vec::new(),
    };
    if request
        .header("transfer-encoding")
        .is_some_and(|coding| coding == "chunked")
    {
        while memchr::memmem::find(&bytes, b"0\r\n\r\n").is_none_or(|end| end + 5 != bytes.len()) {
            more(socket, &mut bytes).await?;
        }
        request.body = unchunk(&bytes)?;
    } else {
        let length = request
            .header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        while bytes.len() < length {
            more(socket, &mut bytes).await?;
        }
        request.body = bytes;
    }
    Some(request)
}

async fn more(socket: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    (socket.read_buf(bytes).await.ok()? > 0).then_some(())
}

fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = memchr::memmem::find(bytes, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}
