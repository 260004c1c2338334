use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use hdrhistogram::Histogram;
use memchr::memmem;

use super::readers::Sees;
use super::runs::Run;

/// What stands before the time in a payload.
const MARK: &[u8] = b"\"sent\":";
/// How long deliveries may take once all is published.
const PATIENCE: Duration = Duration::from_secs(120);

/// What all readers have received.
pub struct Counted {
    /// The times in messages count from here.
    pub start: Instant,
    messages: AtomicU64,
    latency: Mutex<Histogram<u64>>,
}

impl Counted {
    pub fn new() -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            start: Instant::now(),
            messages: AtomicU64::new(0),
            latency: Mutex::new(Histogram::new(3)?),
        }))
    }

    /// Waits until so many deliveries came.
    pub async fn wait_for(&self, expected: u64) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let came = self.messages.load(Ordering::Relaxed);
            ensure!(came <= expected, "{came} deliveries came, {expected} were due");
            if came == expected {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("{came} of {expected} deliveries came");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What a run of so many deliveries came to; `cpu` is the server's processor time in seconds,
    /// and the kernel's part of it.
    pub fn run(&self, deliveries: u64, took: Duration, (cpu, kernel): (f64, f64)) -> Run {
        let latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
        Run {
            rate: deliveries as f64 / took.as_secs_f64(),
            p50: millis(0.5),
            p99: millis(0.99),
            cpu: cpu * 1e6 / deliveries as f64,
            kernel: kernel * 1e6 / deliveries as f64,
        }
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

/// Counts messages by their times.
impl Sees for Arc<Counted> {
    fn see(&mut self, bytes: &[u8]) -> anyhow::Result<usize> {
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
}
