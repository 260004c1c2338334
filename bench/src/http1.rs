use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a whole request and reads its answer; the status and the body.
    pub async fn call(&mut self, request: &[u8]) -> anyhow::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some((status, body)) = whole(&self.buffer) {
                return Ok((status, &self.buffer[body..]));
            }
        }
    }

    /// Sends a request of which only the head is to be read, 200 or 101; the stream behind it.
    pub async fn stream(mut self, request: &[u8]) -> anyhow::Result<(TcpStream, Vec<u8>)> {
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                let fine = [&b"HTTP/1.1 200"[..], b"HTTP/1.1 101"];
                if !fine.iter().any(|start| self.buffer.starts_with(start)) {
                    bail!("refused: {}", String::from_utf8_lossy(&self.buffer));
                }
                let rest = self.buffer.split_off(head + 4);
                return Ok((self.stream, rest));
            }
        }
    }
}

/// Status and start of the body, once all of the answer is there.
fn whole(answer: &[u8]) -> Option<(u16, usize)> {
    let head = find(answer, b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    (answer.len() >= head + 4 + length.unwrap_or(0)).then_some((status, head + 4))
}

/// Where `needle` first stands.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A POST with a body.
pub fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// A GET.
pub fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n{headers}\r\n").into_bytes()
}

/// What a closed loop came to.
pub struct Load {
    /// Requests a second.
    pub rate: f64,
    /// Microseconds from request to answer.
    pub latency: Histogram<u64>,
}

impl Load {
    /// A quantile in milliseconds.
    pub fn millis(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e3
    }
}

/// `connections` clients send one request after the other for `duration`; each begins at another of the
/// requests. Every answer has to be 200.
pub async fn closed_loop(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    requests: std::sync::Arc<Vec<Vec<u8>>>,
) -> anyhow::Result<Load> {
    let mut clients = Vec::new();
    for number in 0..connections {
        let mut connection = Connection::open(address).await?;
        let requests = std::sync::Arc::clone(&requests);
        clients.push(tokio::spawn(async move {
            let mut latency = Histogram::<u64>::new(3)?;
            // Primes keep the clients apart.
            let mut at = number * 7919 % requests.len();
            let end = Instant::now() + duration;
            let mut sent = Instant::now();
            while sent < end {
                let (status, body) = connection.call(&requests[at]).await?;
                if status != 200 {
                    bail!("status {status}: {}", String::from_utf8_lossy(body));
                }
                let now = Instant::now();
                latency.record((now - sent).as_micros() as u64)?;
                sent = now;
                at = (at + 1) % requests.len();
            }
            anyhow::Ok(latency)
        }));
    }
    let mut latency = Histogram::<u64>::new(3)?;
    for client in clients {
        latency.add(client.await.context("a client panicked")??)?;
    }
    Ok(Load {
        rate: latency.len() as f64 / duration.as_secs_f64(),
        latency,
    })
}
