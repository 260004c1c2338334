use std::fmt::Write as _;

use crate::report::Report;

/// As fast as it goes.
mod bursts;
/// What readers have received.
mod counted;
/// What an idle reader costs.
mod idle;
/// Readers that check what they get.
mod ordered;
/// A fixed rate.
mod rates;
/// Subscriber programs, the same for all servers.
mod readers;
/// Runs of the servers in turn.
mod runs;
/// Readers of Backendless RT.
mod socketio;
/// Readers that stop reading.
mod stalled;
/// The servers under test.
mod target;
/// How readers are subscribed.
mod transport;

use transport::Transport;

/// So many channels with so many readers each.
#[derive(Debug, Clone, Copy)]
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
        format!("{} × {}", self.channels, self.each)
    }

    /// One of [`CROWDS`], as the command line has it.
    fn parse(text: &str) -> Result<Self, String> {
        let mut expected = String::from("expected one of");
        for crowd in CROWDS {
            let name = format!("{}x{}", crowd.channels, crowd.each);
            if name == text {
                return Ok(crowd);
            }
            let _ = write!(expected, " {name}");
        }
        Err(expected)
    }
}

/// What of it is measured; without a word all of it.
#[derive(Debug, Default, clap::Args)]
pub struct Choice {
    /// One part only
    #[arg(long)]
    part: Option<Part>,
    /// One transport only, of rates, bursts and idle
    #[arg(long)]
    transport: Option<Transport>,
    /// One crowd only, of rates and bursts: channels x readers of each, 1x1, 1x1000, 1x5000 or 1000x5
    #[arg(long, value_parser = Crowd::parse)]
    crowd: Option<Crowd>,
    /// How often each server is run in turn; 3 times if not said
    #[arg(long)]
    rounds: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Messages at a fixed rate: deliveries a second, p50 and p99 from publish to receipt, CPU a delivery
    Rates,
    /// Messages as fast as it goes: deliveries a second, CPU a delivery
    Bursts,
    /// Memory of a reader that only waits
    Idle,
    /// 1,000 SSE readers that stop reading while 100,000 messages are published: what that costs others, and
    /// whether each gets all messages in the end
    Stalled,
}

/// What is run of rates, bursts and idle.
struct Plan {
    transports: Vec<Transport>,
    crowds: Vec<Crowd>,
    rounds: usize,
}

impl Plan {
    fn pairs(&self) -> impl Iterator<Item = (Transport, Crowd)> {
        let transports = self.transports.iter().copied();
        transports.flat_map(|transport| self.crowds.iter().map(move |crowd| (transport, *crowd)))
    }
}

/// Deliveries to live readers, beside nginx with nchan where that is installed.
pub async fn measure(report: &mut Report, choice: &Choice) {
    let has = |part| choice.part.is_none_or(|chosen| chosen == part);
    let plan = Plan {
        transports: choice
            .transport
            .map_or_else(|| Transport::ALL.to_vec(), |one| vec![one]),
        crowds: choice.crowd.map_or_else(|| CROWDS.to_vec(), |one| vec![one]),
        rounds: choice.rounds.unwrap_or(3),
    };
    if has(Part::Rates) {
        rates::measure(report, &plan).await;
    }
    if has(Part::Bursts) {
        bursts::measure(report, &plan).await;
    }
    if has(Part::Idle) {
        idle::measure(report, &plan.transports).await;
    }
    if has(Part::Stalled) {
        stalled::measure(report, plan.rounds).await;
    }
}
