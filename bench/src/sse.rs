use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use futures_util::StreamExt as _;
use hdrhistogram::Histogram;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::http1;
use crate::report::Report;
use crate::server::Server;

const READERS: usize = 1_000;

/// Deliveries to 1,000 readers of one channel, and what an idle reader costs.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    at_fixed_rates(report).await?;
    burst(report).await?;
    idle_memory(report).await
}

/// Open loop: messages leave at their times whatever the server does.
async fn at_fixed_rates(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "SSE, 1,000 readers of one channel, fixed rate",
        "Open loop over 10 s: from the time a publish was due to its receipt by each reader, all on the same cores.",
        &["messages/s", "deliveries/s", "p50 ms", "p99 ms", "server CPU µs a delivery"],
    );
    for rate in [5_u32, 10, 20] {
        let server = Server::postbell("").await?;
        let counted = Arc::new(Counted::new()?);
        let readers = open_readers(&server, READERS, &counted).await?;
        let start = counted.start;
        let interval = Duration::from_secs(1) / rate;
        let messages = rate * 10;
        let mut publisher = http1::Connection::open(server.address).await?;
        let cpu = server.cpu()?;
        let began = Instant::now();
        for number in 0..messages {
            let due = began + interval * number;
            tokio::time::sleep_until(due.into()).await;
            publish(&server, &mut publisher, (due - start).as_micros()).await?;
        }
        let expected = u64::from(messages) * READERS as u64;
        counted.wait_for(expected).await?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu = (server.cpu()? - cpu) * 1e6 / expected as f64;
        let latency = counted.latency.lock().await;
        report.row(vec![
            rate.to_string(),
            format!("{:.0}", expected as f64 / seconds),
            format!("{:.1}", latency.value_at_quantile(0.5) as f64 / 1e3),
            format!("{:.1}", latency.value_at_quantile(0.99) as f64 / 1e3),
            format!("{cpu:.1}"),
        ]);
        drop(readers);
    }
    Ok(())
}

/// As fast as it goes.
async fn burst(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "SSE, 1,000 readers of one channel, burst",
        "2,000 messages published by 16 connections at once; until the last reader has the last message.",
        &["deliveries", "deliveries/s", "server CPU µs a delivery"],
    );
    let server = Server::postbell("").await?;
    let counted = Arc::new(Counted::new()?);
    let readers = open_readers(&server, READERS, &counted).await?;
    let cpu = server.cpu()?;
    let began = Instant::now();
    let publishers = (0..16).map(|_| async {
        let mut publisher = http1::Connection::open(server.address).await?;
        for _ in 0..125 {
            publish(&server, &mut publisher, counted.start.elapsed().as_micros()).await?;
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(publishers).await?;
    let expected = 2_000 * READERS as u64;
    counted.wait_for(expected).await?;
    let seconds = began.elapsed().as_secs_f64();
    report.row(vec![
        expected.to_string(),
        format!("{:.0}", expected as f64 / seconds),
        format!("{:.2}", (server.cpu()? - cpu) * 1e6 / expected as f64),
    ]);
    drop(readers);
    Ok(())
}

/// Resident memory of the server before and after readers that only wait.
async fn idle_memory(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "SSE, memory of an idle reader",
        "Growth of the server's resident memory, divided by the readers; all on one channel.",
        &["transport", "readers", "KiB a reader"],
    );
    let server = Server::postbell("").await?;
    let counted = Arc::new(Counted::new()?);
    // What the server allocates once is there before the count begins.
    let warm = open_readers(&server, 100, &counted).await?;
    let before = server.rss()?;
    let readers = open_readers(&server, 4_000, &counted).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let each = (server.rss()? - before) / 4_000.0;
    report.row(vec!["HTTP/1.1".into(), "4,000".into(), format!("{each:.1}")]);
    drop((readers, warm, server));

    let folder = tempfile::tempdir_in(".")?;
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, certified.cert.pem())?;
    std::fs::write(&key, certified.signing_key.serialize_pem())?;
    for (name, http2) in [
        ("HTTP/1.1 over TLS", false),
        ("HTTP/2 over TLS, a connection each", true),
    ] {
        let server = Server::postbell_tls(&cert, &key).await?;
        let warm = tls_readers(&server, &certified.cert.pem(), 20, http2).await?;
        let before = server.rss()?;
        let readers = tls_readers(&server, &certified.cert.pem(), 500, http2).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let each = (server.rss()? - before) / 500.0;
        report.row(vec![name.into(), "500".into(), format!("{each:.1}")]);
        drop((readers, warm));
    }
    Ok(())
}

/// What all readers have received.
struct Counted {
    start: Instant,
    messages: AtomicU64,
    latency: Mutex<Histogram<u64>>,
}

impl Counted {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            start: Instant::now(),
            messages: AtomicU64::new(0),
            latency: Mutex::new(Histogram::new(3)?),
        })
    }

    async fn wait_for(&self, expected: u64) -> anyhow::Result<()> {
        let end = Instant::now() + Duration::from_secs(60);
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
}

/// Readers that end with the value.
struct Readers(Vec<tokio::task::JoinHandle<()>>);

impl Drop for Readers {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

async fn open_readers(server: &Server, count: usize, counted: &Arc<Counted>) -> anyhow::Result<Readers> {
    let request = http1::get(
        "/api/messaging/live/events",
        &format!("x-api-key: {}\r\n", server.dev()?.keys.app),
    );
    let mut readers = Vec::with_capacity(count);
    for _ in 0..count {
        let (stream, rest) = http1::Connection::open(server.address)
            .await?
            .stream(&request)
            .await?;
        let counted = Arc::clone(counted);
        readers.push(tokio::spawn(async move {
            // A reader that fails is missed by the count of deliveries.
            let _ = read(stream, rest, &counted).await;
        }));
    }
    Ok(Readers(readers))
}

/// Counts messages by their event line and takes the time that stands in the payload.
async fn read(mut stream: TcpStream, mut buffer: Vec<u8>, counted: &Counted) -> anyhow::Result<()> {
    const MARK: &[u8] = b"\"sent\":";
    loop {
        let mut at = 0;
        let mut latencies = Vec::new();
        while let Some(end) = buffer[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|length| at + length)
        {
            let line = &buffer[at..end];
            if line.starts_with(b"data:")
                && let Some(mark) = http1::find(line, MARK)
            {
                let digits = line[mark + MARK.len()..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit());
                let sent = digits.fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
                latencies.push((counted.start.elapsed().as_micros() as u64).saturating_sub(sent));
            }
            at = end + 1;
        }
        buffer.drain(..at);
        if !latencies.is_empty() {
            let mut latency = counted.latency.lock().await;
            for value in &latencies {
                latency.record(*value)?;
            }
            drop(latency);
            counted
                .messages
                .fetch_add(latencies.len() as u64, Ordering::Relaxed);
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

async fn publish(server: &Server, publisher: &mut http1::Connection, sent: u128) -> anyhow::Result<()> {
    let body = format!(r#"{{"message":{{"sent":{sent},"text":"{}"}}}}"#, "x".repeat(120));
    let headers = format!(
        "content-type: application/json\r\nx-api-key: {}\r\n",
        server.dev()?.keys.app
    );
    let (status, body) = publisher
        .call(&http1::post("/api/messaging/live", &headers, body.as_bytes()))
        .await?;
    match status {
        200 => Ok(()),
        status => bail!("publish: status {status}: {}", String::from_utf8_lossy(body)),
    }
}

/// Readers over TLS, each with a client and so a connection of its own.
async fn tls_readers(
    server: &Server,
    certificate: &str,
    count: usize,
    http2: bool,
) -> anyhow::Result<Vec<tokio::task::JoinHandle<()>>> {
    let url = format!(
        "https://localhost:{}/api/messaging/live/events",
        server.address.port()
    );
    let key = server.dev()?.keys.app.clone();
    let mut readers = Vec::new();
    for _ in 0..count {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes())?;
        let builder = reqwest::Client::builder()
            .tls_certs_only([certificate])
            .resolve("localhost", server.address);
        let client = if http2 {
            builder.http2_prior_knowledge()
        } else {
            builder.http1_only()
        }
        .build()?;
        let answer = client
            .get(&url)
            .header("x-api-key", &key)
            .send()
            .await?
            .error_for_status()?;
        readers.push(tokio::spawn(async move {
            let mut stream = answer.bytes_stream();
            while let Some(Ok(_)) = stream.next().await {}
            drop(client);
        }));
    }
    Ok(readers)
}
