use std::sync::Arc;
use std::time::Duration;

use crate::http1::{self, closed_loop};
use crate::import;
use crate::report::{Report, spread};
use crate::server::Server;

const ROUNDS: usize = 15;
/// Short, so that a machine that drifts drifts for all that are compared.
const ROUND: Duration = Duration::from_millis(1_500);
/// Windows that fill while warming up: the steady state, in which as much is removed as comes, counts.
const CONFIG: &str = "[apps.default.history]\ncount = 1000\nage = \"10s\"\n";

/// What of it is measured; without a word all.
#[derive(Debug, Default, clap::Args)]
pub struct Choice {
    /// So many channels only (1 or 1000)
    #[arg(long)]
    channels: Option<usize>,
    /// So many connections only (64 or 256)
    #[arg(long)]
    connections: Option<usize>,
}

/// Durable publishes of 200 bytes against a handler that parses the body and answers at once.
pub async fn measure(report: &mut Report, choice: &Choice) -> anyhow::Result<()> {
    report.section(
        "Durable publish",
        "POST of a 200-byte body, answered once it is on disk, against the same edge with a handler that parses the \
         body and answers at once. Steady state: history windows are full, as many messages are removed as come. \
         Beside both the least that a durable publish can cost: the bare handler, and one thread that inserts what \
         waits into a table of two columns and commits; no keys, ids, limits, channels or readers. \
         Medians of the rounds (lowest–highest).",
        &["channels", "connections", "Postbell, requests/s", "bare, requests/s", "ratio", "least durable, ratio to bare", "p50 ms", "p99 ms", "bare p99 ms", "server CPU µs a request", "bare", "least durable"],
    );
    let postbell = Server::postbell(CONFIG).await?;
    let bare = Server::bare().await?;
    let least = Server::least().await?;
    let headers = format!(
        "content-type: application/json\r\nx-api-key: {}\r\n",
        postbell.dev()?.keys.app
    );
    let is_chosen = |chosen: Option<usize>, value: usize| chosen.is_none_or(|chosen| chosen == value);
    for channels in [1, 1_000] {
        if !is_chosen(choice.channels, channels) {
            continue;
        }
        let requests = Arc::new(requests(channels, &headers));
        for connections in [64, 256] {
            if !is_chosen(choice.connections, connections) {
                continue;
            }
            // Fills the windows.
            closed_loop(postbell.address, connections, ROUND * 5, Arc::clone(&requests)).await?;
            let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            let (mut p50, mut p99, mut bare_p99) = (Vec::new(), Vec::new(), Vec::new());
            let (mut cpu, mut bare_cpu) = (Vec::new(), Vec::new());
            let (mut least_ratios, mut least_cpu) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let (one, one_cpu) = measured(&postbell, connections, &requests).await?;
                let (other, other_cpu) = measured(&bare, connections, &requests).await?;
                let (floor, floor_cpu) = measured(&least, connections, &requests).await?;
                least_ratios.push(floor.rate / other.rate);
                least_cpu.push(floor_cpu);
                cpu.push(one_cpu);
                bare_cpu.push(other_cpu);
                ratios.push(one.rate / other.rate);
                ours.push(one.rate);
                theirs.push(other.rate);
                p50.push(one.millis(0.5));
                p99.push(one.millis(0.99));
                bare_p99.push(other.millis(0.99));
            }
            report.row(vec![
                channels.to_string(),
                connections.to_string(),
                spread(&ours, 0),
                spread(&theirs, 0),
                spread(&ratios, 2),
                spread(&least_ratios, 2),
                spread(&p50, 1),
                spread(&p99, 1),
                spread(&bare_p99, 1),
                spread(&cpu, 1),
                spread(&bare_cpu, 1),
                spread(&least_cpu, 1),
            ]);
        }
    }
    drop((bare, least));
    if choice.channels.is_some() || choice.connections.is_some() {
        return Ok(());
    }
    beside_an_import(report, &postbell).await
}

/// One round, and the processor time of the server in microseconds a request.
async fn measured(
    server: &Server,
    connections: usize,
    requests: &Arc<Vec<Vec<u8>>>,
) -> anyhow::Result<(http1::Load, f64)> {
    let before = server.cpu()?;
    let load = closed_loop(server.address, connections, ROUND, Arc::clone(requests)).await?;
    let cpu = (server.cpu()? - before) * 1e6 / load.latency.len() as f64;
    Ok((load, cpu))
}

/// The same while imports of 25,000 run one after the other.
async fn beside_an_import(report: &mut Report, postbell: &Server) -> anyhow::Result<()> {
    report.section(
        "Durable publish beside an import",
        "64 connections, 1 channel, while imports of 25,000 messages run one after the other.",
        &["requests/s", "p50 ms", "p99 ms", "imports done"],
    );
    let headers = format!(
        "content-type: application/json\r\nx-api-key: {}\r\n",
        postbell.dev()?.keys.app
    );
    let requests = Arc::new(requests(1, &headers));
    let files: Vec<Vec<u8>> = (100..110)
        .map(|seed| import::file(25_000, 2_500, seed))
        .collect::<anyhow::Result<_>>()?;
    let import = import::post(postbell)?;
    let address = postbell.address;
    let importing = tokio::spawn(async move {
        let mut done = 0;
        for file in files {
            import::send(address, &import, &file).await?;
            done += 1;
        }
        anyhow::Ok(done)
    });
    let load = closed_loop(address, 64, Duration::from_secs(4), requests).await?;
    let done = importing.await??;
    report.row(vec![
        format!("{:.0}", load.rate),
        format!("{:.1}", load.millis(0.5)),
        format!("{:.1}", load.millis(0.99)),
        done.to_string(),
    ]);
    Ok(())
}

/// Publishes of 200 bytes to so many channels.
pub fn requests(channels: usize, headers: &str) -> Vec<Vec<u8>> {
    let body = body();
    (0..channels)
        .map(|number| {
            http1::post(
                &format!("/api/messaging/bench-{number}"),
                headers,
                body.as_bytes(),
            )
        })
        .collect()
}

/// 200 bytes.
fn body() -> String {
    let head = r#"{"publisherId":"bench","headers":{"kind":"order","priority":20},"message":{"text":""#;
    let tail = r#"","number":12345}}"#;
    format!("{head}{}{tail}", "x".repeat(200 - head.len() - tail.len()))
}
