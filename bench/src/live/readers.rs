use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use hdrhistogram::Histogram;
use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Run;
use super::target::{Kind, Target};
use crate::http1;

/// What stands before the time in a payload.
const MARK: &[u8] = b"\"sent\":";
/// What one read takes at most.
const READ: usize = 256 * 1024;
/// What a message may leave of itself in one read for the next.
const CARRIED: usize = 64;

thread_local! {
    /// Shared by all readers of a thread: thousands of buffers would be memory of the load's own.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CARRIED + READ]);
}

/// How readers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Transport {
    Sse,
    #[value(name = "websocket")]
    WebSocket,
}

impl Transport {
    pub const ALL: [Self; 2] = [Self::Sse, Self::WebSocket];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sse => "SSE",
            Self::WebSocket => "WebSocket",
        }
    }

    /// Subscribes a new connection; what has come behind the handshake.
    pub async fn open(self, target: &Target, channel: usize) -> anyhow::Result<(TcpStream, Vec<u8>)> {
        let connection = http1::Connection::open(target.server.address).await?;
        match self {
            Self::Sse => {
                let path = match target.kind {
                    Kind::Postbell => format!("/api/messaging/live{channel}/events"),
                    Kind::Nchan => format!("/events/live{channel}"),
                };
                let headers = format!("accept: text/event-stream\r\n{}", target.credentials()?);
                connection.stream(&http1::get(&path, &headers)).await
            }
            Self::WebSocket => websocket(target, channel, connection).await,
        }
    }
}

/// Pings go unanswered: no run takes as long as a server waits for that.
async fn websocket(
    target: &Target,
    channel: usize,
    connection: http1::Connection,
) -> anyhow::Result<(TcpStream, Vec<u8>)> {
    let path = match target.kind {
        Kind::Postbell => "/api/realtime".to_owned(),
        Kind::Nchan => format!("/websocket/live{channel}"),
    };
    let headers = format!(
        "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}",
        target.credentials()?
    );
    let (mut stream, mut rest) = connection.stream(&http1::get(&path, &headers)).await?;
    if target.kind == Kind::Postbell {
        let subscribe = format!(r#"{{"op":"subscribe","id":"1","channel":"live{channel}"}}"#);
        stream.write_all(&masked(subscribe.as_bytes())).await?;
        while memmem::find(&rest, br#""ready""#).is_none() {
            ensure!(
                stream.read_buf(&mut rest).await? > 0,
                "closed before the subscription was ready"
            );
        }
    }
    Ok((stream, rest))
}

/// A text frame of at most 125 bytes, masked with zeros.
fn masked(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text);
    frame
}

/// What all readers have received.
pub struct Counted {
    /// The times in messages count from here.
    pub start: Instant,
    messages: AtomicU64,
    latency: Mutex<Histogram<u64>>,
}

impl Counted {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            start: Instant::now(),
            messages: AtomicU64::new(0),
            latency: Mutex::new(Histogram::new(3)?),
        })
    }

    /// Waits until so many deliveries came.
    pub async fn wait_for(&self, expected: u64) -> anyhow::Result<()> {
        let end = Instant::now() + Duration::from_secs(120);
        while self.messages.load(Ordering::Relaxed) < expected {
            if Instant::now() > end {
                bail!(
                    "{} of {expected} deliveries came",
                    self.messages.load(Ordering::Relaxed)
                );
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// What a run of so many deliveries came to; `cpu` is the server's processor time in seconds.
    pub fn run(&self, deliveries: u64, took: Duration, cpu: f64) -> Run {
        let latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
        Run {
            rate: deliveries as f64 / took.as_secs_f64(),
            p50: millis(0.5),
            p99: millis(0.99),
            cpu: cpu * 1e6 / deliveries as f64,
        }
    }

    /// Counts the messages in these bytes by their times; how many bytes at the end are to be seen again
    /// with those that follow.
    fn count(&self, bytes: &[u8]) -> anyhow::Result<usize> {
        let now = self.start.elapsed().as_micros() as u64;
        let (mut found, mut seen) = (Vec::new(), 0);
        for mark in memmem::find_iter(bytes, MARK) {
            let digits = &bytes[mark + MARK.len()..];
            let Some(length) = digits.iter().position(|byte| !byte.is_ascii_digit()) else {
                return self.record(&found).map(|()| bytes.len() - mark);
            };
            let number = |number, digit: &u8| number * 10 + u64::from(digit - b'0');
            found.push(now.saturating_sub(digits[..length].iter().fold(0, number)));
            seen = mark + MARK.len();
        }
        self.record(&found)?;
        Ok((bytes.len() - seen).min(MARK.len() - 1))
    }

    fn record(&self, latencies: &[u64]) -> anyhow::Result<()> {
        if latencies.is_empty() {
            return Ok(());
        }
        let mut latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        for value in latencies {
            latency.record(*value)?;
        }
        drop(latency);
        self.messages.fetch_add(latencies.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// Readers that end with the value.
pub struct Readers(Vec<tokio::task::JoinHandle<()>>);

impl Drop for Readers {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Readers {
    /// Opens so many readers on each of so many channels.
    pub async fn open(
        target: &Target,
        transport: Transport,
        channels: usize,
        each: usize,
        counted: &Arc<Counted>,
    ) -> anyhow::Result<Self> {
        let mut readers = Self(Vec::with_capacity(channels * each));
        for number in 0..channels * each {
            let (stream, rest) = transport.open(target, number % channels).await?;
            let counted = Arc::clone(counted);
            readers.0.push(tokio::spawn(async move {
                // A reader that fails is missed by the count of deliveries.
                if let Err(error) = read(&stream, rest, &counted).await {
                    eprintln!("a reader failed: {error}");
                }
            }));
        }
        // Some servers have a reader only a moment after they have answered it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(readers)
    }
}

async fn read(stream: &TcpStream, mut carried: Vec<u8>, counted: &Counted) -> anyhow::Result<()> {
    counted.count(&carried)?;
    carried.clear();
    loop {
        stream.readable().await?;
        let ended = BUFFER.with_borrow_mut(|buffer| {
            let start = carried.len();
            buffer[..start].copy_from_slice(&carried);
            match stream.try_read(&mut buffer[start..]) {
                Ok(0) => Ok(true),
                Ok(read) => {
                    let bytes = &buffer[..start + read];
                    let again = counted.count(bytes)?;
                    carried.clear();
                    carried.extend_from_slice(&bytes[bytes.len() - again..]);
                    Ok(false)
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
                Err(error) => Err(anyhow::Error::from(error)),
            }
        })?;
        if ended {
            return Ok(());
        }
    }
}
