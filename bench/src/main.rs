//! Measures Postbell against the bare things it is made of, and prints ratios with the machine's facts.
//!
//! The server under test is the release binary in a process of its own; the load comes from this process
//! on the same cores. Each pair is run alternately, so that a machine that drifts drifts for both.
//!
//! - `publish`: durable publishes against a handler that parses the body and answers at once.
//! - `import`: NDJSON over HTTP against the bare insert of the same rows.
//! - `list`: inbox lists against a handler that answers at once.
//! - `live`: deliveries to live readers over SSE, WebSocket and socket.io, the first two beside nginx with
//!   nchan; what an idle one costs, and readers that stop reading.
//! - `selector`: one evaluation of a selector, and what the selectors of many subscribers cost a publish.
//! - `schedules`: what a million waiting schedules cost, and how late occurrences are.

use anyhow::Context as _;
use clap::Parser;

/// The handler that answers at once, as a server of its own.
mod bare;
/// Raw keep-alive HTTP/1.1 connections, cheap enough to share cores with the server.
mod http1;
/// Imports.
mod import;
/// The least that a durable publish can cost.
mod least;
/// Inbox lists.
mod list;
/// Live delivery.
mod live;
/// A loop that only writes.
mod loop_server;
/// What the machine is.
mod machine;
/// Durable publishes.
mod publish;
/// Tables.
mod report;
/// Schedules.
mod schedules;
/// Selectors.
mod selector;
/// The server under test.
mod server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
enum Part {
    /// Every part; writes bench/RESULTS.md
    All,
    /// Durable publishes
    Publish(publish::Choice),
    /// Imports
    Import,
    /// Inbox lists
    List,
    /// Live delivery
    Live(live::Choice),
    /// Selectors
    Selector,
    /// Schedules
    Schedules,
    /// The bare server (started by the other parts)
    #[command(hide = true)]
    Bare {
        /// Answers a publish once its body is on disk
        #[arg(long)]
        durable: bool,
    },
    /// The loop that only writes to readers (started by the live part)
    #[command(hide = true)]
    Loop,
}

fn main() -> anyhow::Result<()> {
    let part = Part::parse();
    if let Err(_already) = rustls::crypto::aws_lc_rs::default_provider().install_default() {
        anyhow::bail!("a crypto provider was installed before");
    }
    let threads = match part {
        Part::Bare { .. } => 2,
        _ => 1,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    runtime.block_on(run(part))
}

async fn run(part: Part) -> anyhow::Result<()> {
    let mut report = report::Report::new(machine::facts()?);
    match part {
        Part::Bare { durable } => return bare::serve(durable).await,
        Part::Loop => return loop_server::serve().await,
        Part::All => {
            let parts = [
                Part::Publish(publish::Choice::default()),
                Part::Import,
                Part::List,
                Part::Live(live::Choice::default()),
                Part::Selector,
                Part::Schedules,
            ];
            for part in &parts {
                measure(&mut report, part).await;
                // After each part: whatever comes to a later one, this is there.
                std::fs::write("bench/RESULTS.md", report.markdown()).context("bench/RESULTS.md")?;
            }
        }
        part => measure(&mut report, &part).await,
    }
    report::print(&report.markdown())?;
    report.finish()
}

/// One part by itself.
async fn measure(report: &mut report::Report, part: &Part) {
    let (name, result) = match part {
        Part::All | Part::Bare { .. } | Part::Loop => return,
        Part::Publish(choice) => ("publish", publish::measure(report, choice).await),
        Part::Import => ("import", import::measure(report).await),
        Part::List => ("list", list::measure(report).await),
        Part::Live(choice) => ("live", {
            live::measure(report, choice).await;
            Ok(())
        }),
        Part::Selector => ("selector", selector::measure(report)),
        Part::Schedules => ("schedules", schedules::measure(report).await),
    };
    report.ended(name, result);
}
