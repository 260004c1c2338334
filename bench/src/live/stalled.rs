use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use hdrhistogram::Histogram;
use memchr::memmem;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::target::{Kind, Target};
use crate::http1;
use crate::report::Report;

const STALLED: usize = 1_000;
const MESSAGES: usize = 100_000;
/// Connections that publish.
const PUBLISHERS: usize = 64;
/// Readers that are looked at whole in the end, of those that read on and of those that resume.
const CHECKED: usize = 10;
/// A connection that takes no bytes for so long is closed (api.md 3.8), and a moment more.
const CLOSED_AFTER: Duration = Duration::from_secs(33);

/// What readers that stop reading do to the server and to others, and what they get in the end.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "Readers that stop reading",
        "100,000 messages are published by 64 connections as fast as it goes, beside one SSE reader that reads; once alone, once beside 1,000 that have stopped reading. \
         Then some of these read on, the others are closed after 30 s and some come back with their last position: each has to get all messages in order. Memory is the server's anonymous memory.",
        &["stopped readers", "publishes/s", "p99 ms of the one that reads", "memory before, MiB", "highest, MiB", "after, MiB", "all messages to those that read on", "and to those that resumed"],
    );
    for stalled in [0, STALLED] {
        let row = run(stalled).await?;
        report.row(row);
    }
    Ok(())
}

async fn run(stalled: usize) -> anyhow::Result<Vec<String>> {
    let target = Target::start(Kind::Postbell).await?;
    // What the server allocates once is there before the count begins.
    publish(&target, 2_000).await?;
    let mut readers = Vec::with_capacity(stalled);
    for _ in 0..stalled {
        readers.push(Reader::open(&target, None).await?);
    }
    let live = Reader::open(&target, None).await?;
    let start = Instant::now();
    let live = tokio::spawn(live.read_timed(start, MESSAGES));
    let before = target.server.anonymous()?;
    let began = Instant::now();
    let mut highest = before;
    {
        let mut publishing = std::pin::pin!(publish_timed(&target, start));
        while timeout(Duration::from_millis(50), &mut publishing)
            .await
            .map_err(|_| ())
            .map_or(Ok(true), |done: anyhow::Result<()>| done.map(|()| false))?
        {
            highest = highest.max(target.server.anonymous()?);
        }
    }
    let ended = Instant::now();
    let rate = MESSAGES as f64 / (ended - began).as_secs_f64();
    let latency = live.await.context("the live reader panicked")??;
    highest = highest.max(target.server.anonymous()?);

    let (mut read_on, mut resumed) = (0, 0);
    if stalled > 0 {
        let mut rest = readers.split_off(CHECKED);
        let reading = readers.iter_mut().map(|reader| reader.read_up_to(MESSAGES));
        read_on = futures_util::future::try_join_all(reading).await?.len();
        tokio::time::sleep_until((ended + CLOSED_AFTER).into()).await;
        rest.truncate(CHECKED);
        for reader in &mut rest {
            reader.read_to_end().await?;
            ensure!(reader.seq < MESSAGES, "a reader that stopped was not closed");
            reader.resume(&target).await?;
        }
        let reading = rest.iter_mut().map(|reader| reader.read_up_to(MESSAGES));
        resumed = futures_util::future::try_join_all(reading).await?.len();
    }
    let after = target.server.anonymous()?;
    let mebibytes = |kibibytes: f64| format!("{:.0}", kibibytes / 1024.0);
    Ok(vec![
        stalled.to_string(),
        format!("{rate:.0}"),
        format!("{:.1}", latency.value_at_quantile(0.99) as f64 / 1e3),
        mebibytes(before),
        mebibytes(highest),
        mebibytes(after),
        format!("{read_on} of {}", CHECKED.min(stalled)),
        format!("{resumed} of {}", CHECKED.min(stalled)),
    ])
}

async fn publish(target: &Target, count: usize) -> anyhow::Result<()> {
    let mut connection = http1::Connection::open(target.server.address).await?;
    for _ in 0..count {
        target.publish(&mut connection, 1, Duration::ZERO).await?;
    }
    Ok(())
}

async fn publish_timed(target: &Target, start: Instant) -> anyhow::Result<()> {
    let publishers = (0..PUBLISHERS).map(|publisher| async move {
        let mut connection = http1::Connection::open(target.server.address).await?;
        for _ in (publisher..MESSAGES).step_by(PUBLISHERS) {
            target.publish(&mut connection, 0, start.elapsed()).await?;
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(publishers).await.map(|_| ())
}

/// A reader that checks that it gets every message once and in order.
struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The last message.
    seq: usize,
    /// The last position.
    id: String,
}

impl Reader {
    async fn open(target: &Target, since: Option<&str>) -> anyhow::Result<Self> {
        let since = since.map(|since| format!("?since={since}")).unwrap_or_default();
        let path = format!("/api/messaging/live0/events{since}");
        let request = http1::get(&path, &target.credentials()?);
        let (stream, buffer) = http1::Connection::open(target.server.address)
            .await?
            .stream(&request)
            .await?;
        Ok(Self {
            stream,
            buffer,
            seq: 0,
            id: "0".into(),
        })
    }

    async fn resume(&mut self, target: &Target) -> anyhow::Result<()> {
        let opened = Self::open(target, Some(&self.id)).await?;
        self.stream = opened.stream;
        self.buffer = opened.buffer;
        Ok(())
    }

    async fn read_timed(mut self, start: Instant, last: usize) -> anyhow::Result<Histogram<u64>> {
        let mut latency = Histogram::new(3)?;
        while self.seq < last {
            let now = start.elapsed().as_micros() as u64;
            self.take(|line| {
                if let Some(sent) = number(line, b"\"sent\":") {
                    latency.saturating_record(now.saturating_sub(sent as u64));
                }
            })?;
            ensure!(self.fill().await?, "the live reader was closed");
        }
        Ok(latency)
    }

    async fn read_up_to(&mut self, last: usize) -> anyhow::Result<()> {
        self.take(|_| {})?;
        while self.seq < last {
            ensure!(self.fill().await?, "closed after message {}", self.seq);
            self.take(|_| {})?;
        }
        Ok(())
    }

    /// Reads what still comes from a server that has closed.
    async fn read_to_end(&mut self) -> anyhow::Result<()> {
        while matches!(self.fill().await, Ok(true)) {
            self.take(|_| {})?;
        }
        Ok(())
    }

    async fn fill(&mut self) -> anyhow::Result<bool> {
        self.buffer.reserve(64 * 1024);
        let read = self.stream.read_buf(&mut self.buffer);
        let read = timeout(Duration::from_secs(20), read)
            .await
            .context("nothing came for 20 s")??;
        Ok(read > 0)
    }

    /// Takes the whole events that are there.
    fn take(&mut self, mut see: impl FnMut(&[u8])) -> anyhow::Result<()> {
        let mut at = 0;
        while let Some(length) = memmem::find(&self.buffer[at..], b"\n\n") {
            let event = &self.buffer[at..at + length];
            at += length + 2;
            if let Some(id) = memmem::find(event, b"id: ") {
                let id = event[id + 4..]
                    .split(|byte| *byte == b'\n')
                    .next()
                    .unwrap_or_default();
                self.id = String::from_utf8_lossy(id).into_owned();
            }
            if memmem::find(event, b"event: gap").is_some() || memmem::find(event, b"event: end").is_some() {
                bail!("unexpected: {}", String::from_utf8_lossy(event));
            }
            if let Some(seq) = number(event, b"\"seq\":") {
                ensure!(seq == self.seq + 1, "message {seq} came after {}", self.seq);
                self.seq = seq;
                see(event);
            }
        }
        self.buffer.drain(..at);
        Ok(())
    }
}

/// The number behind a mark.
fn number(text: &[u8], mark: &[u8]) -> Option<usize> {
    let digits = &text[memmem::find(text, mark)? + mark.len()..];
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
}
