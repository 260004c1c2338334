use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::http1;
use crate::report::{Report, median, spread};

/// What an idle reader costs.
mod idle;
/// Subscriber programs, the same for all servers.
mod readers;
/// Readers that stop reading.
mod stalled;
/// The servers under test.
mod target;

use readers::{Counted, Readers, Transport};
use target::{Kind, Target};

const ROUNDS: usize = 3;
/// Connections that publish.
const PUBLISHERS: usize = 16;

/// So many channels with so many readers each.
#[derive(Clone, Copy)]
struct Crowd {
    channels: usize,
    each: usize,
    /// Messages a second in all, for the fixed rate.
    rate: u32,
    /// Messages of a burst.
    burst: usize,
}

const CROWDS: [Crowd; 4] = [
    Crowd {
        channels: 1,
        each: 1,
        rate: 1_000,
        burst: 5_000,
    },
    Crowd {
        channels: 1,
        each: 1_000,
        rate: 20,
        burst: 2_000,
    },
    Crowd {
        channels: 1,
        each: 5_000,
        rate: 4,
        burst: 400,
    },
    Crowd {
        channels: 1_000,
        each: 5,
        rate: 4_000,
        burst: 5_000,
    },
];

impl Crowd {
    fn name(&self) -> String {
        match self.channels {
            1 => format!("1 × {}", self.each),
            channels => format!("{channels} × {}", self.each),
        }
    }
}

/// Deliveries to live readers, beside nginx with nchan where that is installed.
pub async fn measure(report: &mut Report, choice: &Choice) -> anyhow::Result<()> {
    let has = |part| choice.part.is_none_or(|chosen| chosen == part);
    let transports = match choice.transport {
        Some(transport) => vec![transport],
        None => Transport::ALL.to_vec(),
    };
    let crowds: Vec<_> = CROWDS
        .into_iter()
        .filter(|crowd| {
            let readers = crowd.channels * crowd.each;
            choice.readers.is_none_or(|chosen| chosen == readers)
        })
        .collect();
    if has(Part::Rates) {
        at_fixed_rates(report, &transports, &crowds).await?;
    }
    if has(Part::Bursts) {
        bursts(report, &transports, &crowds).await?;
    }
    if has(Part::Idle) {
        idle::measure(report, &transports).await?;
    }
    if has(Part::Stalled) {
        stalled::measure(report).await?;
    }
    Ok(())
}

/// What of it is measured; without a word all.
#[derive(Debug, Default, clap::Args)]
pub struct Choice {
    /// One part only
    #[arg(long)]
    part: Option<Part>,
    /// One transport only
    #[arg(long)]
    transport: Option<Transport>,
    /// Crowds of so many readers only
    #[arg(long)]
    readers: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Rates,
    Bursts,
    Idle,
    Stalled,
}

/// What one run of one server came to.
#[derive(Clone, Copy)]
struct Run {
    rate: f64,
    p50: f64,
    p99: f64,
    /// Microseconds of the server's processor time a delivery.
    cpu: f64,
}

/// Medians of some runs, as cells.
struct Runs(Vec<Run>);

impl Runs {
    fn spread(&self, value: impl Fn(&Run) -> f64, digits: usize) -> String {
        spread(&self.0.iter().map(value).collect::<Vec<_>>(), digits)
    }

    fn median(&self, value: impl Fn(&Run) -> f64) -> f64 {
        median(self.0.iter().map(value).collect())
    }
}

/// Runs a measurement against each server in turn, several times over.
async fn alternately<F>(transport: Transport, measure: F) -> anyhow::Result<Vec<(Kind, Runs)>>
where
    F: AsyncFn(Target) -> anyhow::Result<Run>,
{
    let kinds = target::kinds(transport);
    let mut all: Vec<_> = kinds.into_iter().map(|kind| (kind, Runs(Vec::new()))).collect();
    for _ in 0..ROUNDS {
        for (kind, runs) in &mut all {
            runs.0.push(measure(Target::start(*kind).await?).await?);
        }
    }
    Ok(all)
}

async fn at_fixed_rates(
    report: &mut Report,
    transports: &[Transport],
    crowds: &[Crowd],
) -> anyhow::Result<()> {
    report.section(
        "Live delivery at a fixed rate",
        "Open loop over 4 s: from the time a publish was due to its receipt by each reader, all on the same cores. Medians of the rounds (lowest–highest).",
        &["transport", "channels × readers", "server", "deliveries/s", "p50 ms", "p99 ms", "server CPU µs a delivery"],
    );
    for &transport in transports {
        for &crowd in crowds {
            let all = alternately(transport, async |target| {
                at_fixed_rate(&target, transport, crowd).await
            });
            for (kind, runs) in all.await? {
                report.row(vec![
                    transport.name().into(),
                    crowd.name(),
                    kind.name().into(),
                    runs.spread(|run| run.rate, 0),
                    runs.spread(|run| run.p50, 1),
                    runs.spread(|run| run.p99, 1),
                    runs.spread(|run| run.cpu, 1),
                ]);
            }
        }
    }
    Ok(())
}

/// Messages leave at their times whatever the server does: one connection may be late, not all.
async fn at_fixed_rate(target: &Target, transport: Transport, crowd: Crowd) -> anyhow::Result<Run> {
    const SECONDS: u32 = 4;
    let counted = Arc::new(Counted::new()?);
    let readers = Readers::open(target, transport, crowd.channels, crowd.each, &counted).await?;
    let (interval, messages) = (Duration::from_secs(1) / crowd.rate, crowd.rate * SECONDS);
    let cpu = target.server.cpu()?;
    let began = Instant::now();
    let publishers = (0..PUBLISHERS).map(|publisher| {
        let counted = &counted;
        async move {
            let mut connection = http1::Connection::open(target.server.address).await?;
            for number in (publisher..messages as usize).step_by(PUBLISHERS) {
                let due = began + interval * number as u32;
                tokio::time::sleep_until(due.into()).await;
                let sent = due - counted.start;
                target
                    .publish(&mut connection, number % crowd.channels, sent)
                    .await?;
            }
            anyhow::Ok(())
        }
    });
    futures_util::future::try_join_all(publishers).await?;
    let expected = u64::from(messages) * crowd.each as u64;
    counted.wait_for(expected).await?;
    let run = counted.run(expected, began.elapsed(), target.server.cpu()? - cpu);
    drop(readers);
    Ok(run)
}

async fn bursts(report: &mut Report, transports: &[Transport], crowds: &[Crowd]) -> anyhow::Result<()> {
    report.section(
        "Live delivery in bursts",
        "Published by 16 connections at once, as fast as it goes; until the last reader has the last message. Postbell has every message on disk, nchan in memory. Medians of the rounds (lowest–highest).",
        &["transport", "channels × readers", "messages", "server", "deliveries/s", "of nchan's", "server CPU µs a delivery"],
    );
    for &transport in transports {
        for &crowd in crowds {
            let all = alternately(transport, async |target| burst(&target, transport, crowd).await).await?;
            let nchan = all.iter().find(|(kind, _)| *kind == Kind::Nchan);
            let nchan = nchan.map(|(_, runs)| runs.median(|run| run.rate));
            for (kind, runs) in &all {
                let ratio = nchan.map(|nchan| format!("{:.2}", runs.median(|run| run.rate) / nchan));
                report.row(vec![
                    transport.name().into(),
                    crowd.name(),
                    crowd.burst.to_string(),
                    kind.name().into(),
                    runs.spread(|run| run.rate, 0),
                    ratio.unwrap_or_else(|| "–".into()),
                    runs.spread(|run| run.cpu, 2),
                ]);
            }
        }
    }
    Ok(())
}

/// As fast as it goes.
async fn burst(target: &Target, transport: Transport, crowd: Crowd) -> anyhow::Result<Run> {
    let counted = Arc::new(Counted::new()?);
    let readers = Readers::open(target, transport, crowd.channels, crowd.each, &counted).await?;
    let cpu = target.server.cpu()?;
    let began = Instant::now();
    let publishers = (0..PUBLISHERS).map(|publisher| {
        let counted = &counted;
        async move {
            let mut connection = http1::Connection::open(target.server.address).await?;
            for number in (publisher..crowd.burst).step_by(PUBLISHERS) {
                let sent = counted.start.elapsed();
                target
                    .publish(&mut connection, number % crowd.channels, sent)
                    .await?;
            }
            anyhow::Ok(())
        }
    });
    futures_util::future::try_join_all(publishers).await?;
    let expected = (crowd.burst * crowd.each) as u64;
    counted.wait_for(expected).await?;
    let run = counted.run(expected, began.elapsed(), target.server.cpu()? - cpu);
    drop(readers);
    Ok(run)
}
