use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::counted::Counted;
use super::ordered::Ordered;
use super::readers::Readers;
use super::runs::{Run, Runs};
use super::target::{Kind, Load, Target};
use super::transport::Transport;
use crate::report::{Report, spread};
use crate::server::Server;

const STALLED: usize = 1_000;
const LOAD: Load = Load {
    channels: 1,
    messages: 100_000,
    connections: 64,
    interval: None,
};
/// Goes before, untimed: the kernel takes some megabytes for each reader before the server sees that it
/// has stopped.
const FILL: Load = Load {
    messages: 10_000,
    ..LOAD
};
/// A connection that takes no bytes for 30 s is closed (api.md 3.8), and the kernel may take some more while
/// others read on.
const CLOSED_AFTER: Duration = Duration::from_secs(120);
/// How long it may take until all readers have all.
const PATIENCE: Duration = Duration::from_secs(900);

/// What readers that stop reading do to the server and to others, and what they get in the end.
pub async fn measure(report: &mut Report, rounds: usize) {
    report.section(
        "Beside readers that stop reading",
        "100,000 messages are published by 64 connections as fast as it goes, beside one SSE reader that reads and 1,000 that have stopped, and without these, in turn. 10,000 go before, until the sockets of the stopped are full. Memory is the server's anonymous memory. Medians of the rounds (lowest–highest), ratios of the same round.",
        &["stopped readers", "publishes/s", "of those without", "p99 ms of the one that reads", "memory before, MiB", "highest, MiB"],
    );
    let (mut alone, mut beside, mut last) = (Ok(Beside::default()), Ok(Beside::default()), None);
    for _ in 0..rounds {
        for (count, all) in [(0, &mut alone), (STALLED, &mut beside)] {
            // The server of the run before ends first.
            drop(last.take());
            let Ok(so_far) = all else { continue };
            match so_far.run(count).await {
                Ok(stopped) => last = Some(stopped),
                Err(error) => *all = Err(error),
            }
        }
    }
    let without = alone.as_ref().ok();
    for (count, all, without) in [(0, &alone, None), (STALLED, &beside, without)] {
        let figures = all.as_ref().map(|all| all.figures(without));
        report.measured(&[count.to_string()], figures);
    }
    if let Some(stopped) = last.filter(|stopped| !stopped.readers.is_empty()) {
        stopped.check(report).await;
    }
}

/// Runs beside so many readers that have stopped.
#[derive(Default)]
struct Beside {
    runs: Runs,
    /// MiB.
    before: Vec<f64>,
    highest: Vec<f64>,
}

/// Readers that stopped, and a server that has all for them.
struct Stopped {
    readers: Vec<Ordered>,
    target: Arc<Target>,
    /// That the server had open before it had these readers.
    files: usize,
}

impl Beside {
    async fn run(&mut self, count: usize) -> anyhow::Result<Stopped> {
        let target = Target::start(Kind::Postbell).await?;
        // What the server allocates once is there before the count begins.
        let warm = Load {
            messages: 2_000,
            ..LOAD
        };
        target.publish_all(warm, Instant::now()).await?;
        let files = target.server.open_files()?;
        let mut readers = Vec::with_capacity(count);
        for _ in 0..count {
            readers.push(Ordered::open(&target, warm.messages).await?);
        }
        target.publish_all(FILL, Instant::now()).await?;
        let counted = Counted::new()?;
        let live = Readers::open(&target, Transport::Sse, 1, 1, &counted).await?;
        let before = mebibytes(&target.server)?;
        let (cpu, kernel) = (target.server.cpu()?, target.server.kernel()?);
        let began = Instant::now();
        let publishing = async {
            target.publish_all(LOAD, counted.start).await?;
            let since = Instant::now();
            counted.wait_for(LOAD.messages as u64).await?;
            anyhow::Ok(since)
        };
        let (since, highest) = highest_while(&target.server, publishing).await?;
        let since = since?;
        let spent = (target.server.cpu()? - cpu, target.server.kernel()? - kernel);
        drop(live);
        let run = counted.run(LOAD.messages as u64, since - began, spent);
        self.runs.0.push(run);
        self.before.push(before);
        self.highest.push(highest);
        Ok(Stopped {
            readers,
            target: Arc::new(target),
            files,
        })
    }

    fn figures(&self, without: Option<&Self>) -> Vec<String> {
        let rate = |run: &Run| run.rate;
        let ratio = without.map(|without| self.runs.ratio(&without.runs, rate));
        vec![
            self.runs.spread(rate, 0),
            ratio.unwrap_or_else(|| "–".into()),
            self.runs.spread(|run| run.p99, 1),
            spread(&self.before, 0),
            spread(&self.highest, 0),
        ]
    }
}

impl Stopped {
    /// Half of them read on at once, the others when they have been closed: each has to get all.
    async fn check(self, report: &mut Report) {
        report.section(
            "What readers that had stopped get in the end",
            "The readers of the last round: half of them read on before the server gives them up, then the others, closed after 30 s, come back with their last position. Each has to get all 110,000 messages once and in order.",
            &["readers", "have all", "after having been closed", "seconds", "memory highest, MiB", "after, MiB"],
        );
        let mut readers = self.readers;
        let others = readers.split_off(STALLED / 2);
        let check = |readers| complete(Arc::clone(&self.target), readers);
        report.measured(&["read on".into()], check(readers).await);
        let closed = wait_for_close(&self.target.server, self.files).await;
        let resumed = match closed {
            Ok(()) => check(others).await,
            Err(error) => Err(error),
        };
        report.measured(&["closed, then resumed".into()], resumed);
    }
}

/// Waits until the server has hardly more files open than without readers.
async fn wait_for_close(server: &Server, files: usize) -> anyhow::Result<()> {
    let end = Instant::now() + CLOSED_AFTER;
    loop {
        let open = server.open_files()?.saturating_sub(files);
        if open < 10 {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the server still has {open} connections");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Lets all read at once until each has all, and looks at the server's memory.
async fn complete(target: Arc<Target>, readers: Vec<Ordered>) -> anyhow::Result<Vec<String>> {
    let (count, began) = (readers.len(), Instant::now());
    let mut reading = JoinSet::new();
    for mut reader in readers {
        let target = Arc::clone(&target);
        reading.spawn(async move {
            let read = timeout(PATIENCE, reader.read_all(&target, FILL.messages + LOAD.messages)).await;
            read.map_err(anyhow::Error::from)
                .flatten()
                .with_context(|| format!("after message {}", reader.seq()))
        });
    }
    let (all, highest) = highest_while(&target.server, reading.join_all()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let (mut have_all, mut resumed, mut first) = (0, 0, None);
    for read in all {
        match read {
            Ok(times) => {
                have_all += 1;
                resumed += usize::from(times > 0);
            }
            Err(error) => first = first.or(Some(error)),
        }
    }
    match first {
        Some(error) => Err(anyhow!("{have_all} of {count} have all; one has not: {error:#}")),
        None => Ok(vec![
            format!("{have_all} of {count}"),
            resumed.to_string(),
            format!("{seconds:.0}"),
            format!("{highest:.0}"),
            format!("{:.0}", mebibytes(&target.server)?),
        ]),
    }
}

/// The server's anonymous memory at its highest while something goes on.
async fn highest_while<T>(server: &Server, work: impl Future<Output = T>) -> anyhow::Result<(T, f64)> {
    let mut work = std::pin::pin!(work);
    let mut highest = mebibytes(server)?;
    loop {
        let done = timeout(Duration::from_millis(50), &mut work).await;
        highest = highest.max(mebibytes(server)?);
        if let Ok(done) = done {
            return Ok((done, highest));
        }
    }
}

fn mebibytes(server: &Server) -> anyhow::Result<f64> {
    Ok(server.anonymous()? / 1024.0)
}
