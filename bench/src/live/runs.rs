use std::time::Instant;

use super::Crowd;
use super::counted::Counted;
use super::readers::Readers;
use super::target::{Kind, Load, Target};
use super::transport::Transport;
use crate::report::spread;

/// What one run of one server came to.
#[derive(Clone, Copy)]
pub struct Run {
    /// Deliveries a second.
    pub rate: f64,
    /// Milliseconds from publish to receipt.
    pub p50: f64,
    pub p99: f64,
    /// Microseconds of the server's processor time a delivery.
    pub cpu: f64,
    /// The kernel's part of it.
    pub kernel: f64,
}

/// The runs of one server, round by round.
#[derive(Default)]
pub struct Runs(pub Vec<Run>);

impl Runs {
    /// The median of a figure, with its range.
    pub fn spread(&self, value: impl Fn(&Run) -> f64, digits: usize) -> String {
        spread(&self.0.iter().map(value).collect::<Vec<_>>(), digits)
    }

    /// A figure as ratio of the other's in the same round.
    pub fn ratio(&self, other: &Self, value: impl Fn(&Run) -> f64) -> String {
        let pairs = self.0.iter().zip(&other.0);
        spread(
            &pairs
                .map(|(one, other)| value(one) / value(other))
                .collect::<Vec<_>>(),
            2,
        )
    }
}

/// The runs of all servers that have a transport.
pub struct Compared(Vec<(Kind, anyhow::Result<Runs>)>);

impl Compared {
    /// Each server with its runs, and nchan's runs for a server that is held against them.
    pub fn rows(&self) -> impl Iterator<Item = (Kind, &anyhow::Result<Runs>, Option<&Runs>)> {
        let nchan = self.0.iter().find(|(kind, _)| *kind == Kind::Nchan);
        let nchan = nchan.and_then(|(_, runs)| runs.as_ref().ok());
        let other = move |kind| nchan.filter(|_| kind != Kind::Nchan);
        self.0.iter().map(move |(kind, runs)| (*kind, runs, other(*kind)))
    }
}

/// Runs each server in turn, several times over; one that fails is not run again.
pub async fn alternately(
    rounds: usize,
    kinds: Vec<Kind>,
    transport: Transport,
    crowd: Crowd,
    load: Load,
) -> Compared {
    let mut all: Vec<_> = kinds
        .into_iter()
        .map(|kind| (kind, Ok(Runs::default())))
        .collect();
    for _ in 0..rounds {
        for (kind, runs) in &mut all {
            let Ok(so_far) = runs else { continue };
            match one(*kind, transport, crowd, load).await {
                Ok(run) => so_far.0.push(run),
                Err(error) => *runs = Err(error),
            }
        }
    }
    Compared(all)
}

/// Publishes all, and waits until all readers have all.
async fn one(kind: Kind, transport: Transport, crowd: Crowd, load: Load) -> anyhow::Result<Run> {
    let target = Target::start(kind).await?;
    let counted = Counted::new()?;
    let readers = Readers::open(&target, transport, crowd.channels, crowd.each, &counted).await?;
    let (cpu, kernel) = (target.server.cpu()?, target.server.kernel()?);
    let began = Instant::now();
    target.publish_all(load, counted.start).await?;
    let expected = (load.messages * crowd.each) as u64;
    counted.wait_for(expected).await?;
    let took = began.elapsed();
    let spent = (target.server.cpu()? - cpu, target.server.kernel()? - kernel);
    let run = counted.run(expected, took, spent);
    drop(readers);
    Ok(run)
}
