use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use engine::system::{SystemClock, SystemIds};
use futures_util::StreamExt as _;
use hdrhistogram::Histogram;
use model::app::{AppId, AppKey};
use model::channel::ChannelName;
use model::headers::Headers;
use model::json::JsonText;
use model::message::Content;
use model::schedule::TimingFields;
use model::schedule::due::Due;
use model::time::{Clock as _, UnixMillis};
use store::Store as _;
use store::apps::Apps as _;
use store::commits::{Commit, CommitSink};
use store::schedules::{NewSchedule, Owner, Scheduled, Schedules as _};
use store_sqlite::{Durability, Role, SqliteOptions, SqliteStore};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::http1::{self, closed_loop};
use crate::publish;
use crate::report::{Report, spread};
use crate::server::Server;

/// Schedules that only wait.
const PENDING: i64 = 1_000_000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(3);
const CONFIG: &str = "[apps.default.history]\ncount = 20000\n";

/// What a million waiting schedules cost, and how late occurrences are, beside a server that has none.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let empty = Server::postbell(CONFIG).await?;
    let data = Server::postbell(CONFIG).await?.kill().await?;
    let seeded = Instant::now();
    seed(data.path()).await?;
    eprintln_seconds("seeding", seeded);
    let full = start(report, data).await?;
    publish_rate(report, &empty, &full).await?;
    memory(report, &full)?;
    idle(report, &empty, &full).await?;
    for (pending, server) in [("0", &empty), ("1,000,000", &full)] {
        lateness(report, pending, server).await?;
    }
    burst(report, &full).await
}

#[expect(clippy::print_stderr, reason = "progress of a long run")]
fn eprintln_seconds(what: &str, since: Instant) {
    eprintln!("  {what}: {:.0} s", since.elapsed().as_secs_f64());
}

struct Nobody;

impl CommitSink for Nobody {
    fn committed(&self, _commits: Vec<Commit>) {}
}

/// Stores the schedules, due over a month from tomorrow on, in an order that has nothing to do with time.
async fn seed(data: &Path) -> anyhow::Result<()> {
    let options = SqliteOptions {
        durability: Durability::Off,
        ..SqliteOptions::new(data.join("data/postbell.db"), Role::Server)
    };
    let store = SqliteStore::open(
        &options,
        Arc::new(SystemClock),
        Arc::new(SystemIds),
        Arc::new(Nobody),
    )?;
    let app = store
        .app(&AppId::default_app())
        .await?
        .context("the app default")?;
    let now = SystemClock.now();
    let mut made = futures_util::stream::iter(0..PENDING)
        .map(|number| store.schedule(pending(app.key, number, now)))
        .buffer_unordered(1_024);
    while let Some(made) = made.next().await {
        if !matches!(made?, Scheduled::New { .. }) {
            bail!("a schedule was refused");
        }
    }
    drop(made);
    store.close().await?;
    Ok(())
}

fn pending(app: AppKey, number: i64, now: UnixMillis) -> NewSchedule {
    let day = 86_400_000;
    let at = UnixMillis(now.0 + day + number.wrapping_mul(7_919_777_777).rem_euclid(30 * day));
    let repeats = number % 4 == 0;
    NewSchedule {
        app,
        channel: ChannelName::from_stored(&format!("later-{}", number % 1_000)),
        content: Arc::new(Content {
            payload: JsonText::from_checked(r#"{"text":"a reminder of some length, as people write them"}"#),
            publisher_id: Some("bench".into()),
            subtopic: None,
            headers: Headers::default(),
            publish_policy: None,
            echo: None,
        }),
        owner: Owner {
            principal: format!("user:{}", number % 100_000).into(),
            roles: Vec::new(),
        },
        timing: TimingFields {
            publish_at: Some(at.0),
            repeat_every: repeats.then_some(86_400),
            ..TimingFields::default()
        },
        first: Due { n: 1, at },
        idempotency: None,
        max_channels: u64::MAX,
        max_waiting: u64::MAX,
    }
}

/// Kill and start again over the data: from the process's start until `/readyz` answers 200.
async fn start(report: &mut Report, data: tempfile::TempDir) -> anyhow::Result<Server> {
    report.section(
        "Schedules: start with 1,000,000 waiting",
        "A server started over the data folder of one that was killed, until `/readyz` answers 200; a quarter repeats.",
        &["seconds to ready", "resident memory, MB"],
    );
    let began = Instant::now();
    let server = Server::postbell_over(data).await?;
    let ready = http1::get("/readyz", "");
    let mut connection = http1::Connection::open(server.address).await?;
    while connection.call(&ready).await?.0 != 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.row(vec![
        format!("{seconds:.2}"),
        format!("{:.0}", server.rss()? / 1024.0),
    ]);
    Ok(server)
}

/// Immediate messages beside a million that wait, against a server where none does.
async fn publish_rate(report: &mut Report, empty: &Server, full: &Server) -> anyhow::Result<()> {
    report.section(
        "Schedules: durable publish beside 1,000,000 waiting",
        "64 connections, 1 channel; the two servers in turn, each round's ratio. Medians (lowest–highest).",
        &["0 waiting, requests/s", "1,000,000 waiting, requests/s", "ratio"],
    );
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let mut rates = [0.0; 2];
        // In turn first and second, so that drift within a round evens out.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for at in order {
            let server = [empty, full][at];
            let headers = headers(&server.dev()?.keys.app);
            let requests = Arc::new(publish::requests(1, &headers));
            rates[at] = closed_loop(server.address, 64, ROUND, requests).await?.rate;
        }
        // The first round warms up.
        if round > 0 {
            without.push(rates[0]);
            with.push(rates[1]);
            ratios.push(rates[1] / rates[0]);
        }
    }
    report.row(vec![spread(&without, 0), spread(&with, 0), spread(&ratios, 2)]);
    Ok(())
}

fn memory(report: &mut Report, full: &Server) -> anyhow::Result<()> {
    report.section(
        "Schedules: memory with 1,000,000 waiting",
        "Resident memory of the server after those publishes.",
        &["now, MB", "peak, MB"],
    );
    report.row(vec![
        format!("{:.0}", full.rss()? / 1024.0),
        format!("{:.0}", full.peak_rss()? / 1024.0),
    ]);
    Ok(())
}

/// What looking at the clock costs when nothing is due.
async fn idle(report: &mut Report, empty: &Server, full: &Server) -> anyhow::Result<()> {
    report.section(
        "Schedules: cost of waiting",
        "Server CPU while nothing is due and nobody calls, over 20 s.",
        &["waiting", "ms of CPU a second"],
    );
    // What the publishes left to be cleaned up comes first.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = [empty.cpu()?, full.cpu()?];
    tokio::time::sleep(Duration::from_secs(20)).await;
    let after = [empty.cpu()?, full.cpu()?];
    for (at, name) in ["0", "1,000,000"].into_iter().enumerate() {
        report.row(vec![
            name.into(),
            format!("{:.2}", (after[at] - before[at]) * 1e3 / 20.0),
        ]);
    }
    Ok(())
}

/// One-shots that are due one by one, 1,000 a second.
async fn lateness(report: &mut Report, pending: &str, server: &Server) -> anyhow::Result<()> {
    if pending == "0" {
        report.section(
            "Schedules: lateness at 1,000 due a second",
            "10,000 one-shots, one each millisecond: from the due time to its receipt by an SSE reader.",
            &[
                "waiting",
                "p50 ms",
                "p99 ms",
                "highest ms",
                "server CPU µs an occurrence",
            ],
        );
    }
    let count = 10_000;
    let start = SystemClock.now().0 + 8_000;
    let reader = Reader::open(server, "lateness", count).await?;
    schedule(server, "lateness", count, |number| start + number).await?;
    if SystemClock.now().0 > start {
        bail!("storing the schedules took until they were due");
    }
    tokio::time::sleep(Duration::from_millis(
        (start - SystemClock.now().0).unsigned_abs(),
    ))
    .await;
    let cpu = server.cpu()?;
    let late = reader.received.await??;
    let cpu = (server.cpu()? - cpu) * 1e6 / count as f64;
    report.row(vec![
        pending.into(),
        format!("{:.1}", late.value_at_quantile(0.5) as f64 / 1e3),
        format!("{:.1}", late.value_at_quantile(0.99) as f64 / 1e3),
        format!("{:.1}", late.max() as f64 / 1e3),
        format!("{cpu:.0}"),
    ]);
    Ok(())
}

/// 10,000 that are due at the same moment.
async fn burst(report: &mut Report, full: &Server) -> anyhow::Result<()> {
    report.section(
        "Schedules: 10,000 due in one millisecond",
        "Beside 1,000,000 that wait: from the due time to the receipt of the last by an SSE reader.",
        &["p50 ms", "last, ms"],
    );
    for round in 0..3 {
        let channel = format!("burst-{round}");
        let count = 10_000;
        let due = SystemClock.now().0 + 8_000;
        let reader = Reader::open(full, &channel, count).await?;
        schedule(full, &channel, count, |_| due).await?;
        let late = reader.received.await??;
        report.row(vec![
            format!("{:.0}", late.value_at_quantile(0.5) as f64 / 1e3),
            format!("{:.0}", late.max() as f64 / 1e3),
        ]);
    }
    Ok(())
}

fn headers(key: &str) -> String {
    format!("content-type: application/json\r\nx-api-key: {key}\r\n")
}

/// Stores one-shots over 64 connections.
async fn schedule(
    server: &Server,
    channel: &str,
    count: i64,
    due: impl Fn(i64) -> i64 + Copy,
) -> anyhow::Result<()> {
    const CONNECTIONS: i64 = 64;
    let headers = headers(&server.dev()?.keys.client);
    let clients = (0..CONNECTIONS).map(|client| {
        let headers = &headers;
        async move {
            let mut connection = http1::Connection::open(server.address).await?;
            for number in (client..count).step_by(64) {
                let body = format!(r#"{{"message":{number},"publishAt":{}}}"#, due(number));
                let request = http1::post(&format!("/api/messaging/{channel}"), headers, body.as_bytes());
                let (status, body) = connection.call(&request).await?;
                if status != 200 {
                    bail!("status {status}: {}", String::from_utf8_lossy(body));
                }
            }
            anyhow::Ok(())
        }
    });
    futures_util::future::try_join_all(clients).await?;
    Ok(())
}

/// A reader of server-sent events that notes how late each message is, in microseconds.
struct Reader {
    received: JoinHandle<anyhow::Result<Histogram<u64>>>,
}

impl Reader {
    async fn open(server: &Server, channel: &str, count: i64) -> anyhow::Result<Self> {
        let headers = format!("x-api-key: {}\r\n", server.dev()?.keys.app);
        let request = http1::get(&format!("/api/messaging/{channel}/events"), &headers);
        let connection = http1::Connection::open(server.address).await?;
        let (stream, rest) = connection.stream(&request).await?;
        let received = tokio::spawn(async move {
            tokio::time::timeout(Duration::from_secs(60), read(stream, rest, count)).await?
        });
        Ok(Self { received })
    }
}

async fn read(mut stream: TcpStream, mut buffer: Vec<u8>, count: i64) -> anyhow::Result<Histogram<u64>> {
    const FIELD: &[u8] = b"\"publishAt\":";
    let mut late = Histogram::<u64>::new(3)?;
    while late.len() < count.unsigned_abs() {
        if stream.read_buf(&mut buffer).await? == 0 {
            bail!("the stream ended");
        }
        let micros = SystemClock.timestamp().as_microsecond();
        let mut done = 0;
        while let Some(end) = http1::find(&buffer[done..], b"\n\n") {
            let event = &buffer[done..done + end];
            done += end + 2;
            let Some(at) = http1::find(event, FIELD) else {
                continue;
            };
            let digits: String = event[at + FIELD.len()..]
                .iter()
                .map(|byte| char::from(*byte))
                .take_while(char::is_ascii_digit)
                .collect();
            let due: i64 = digits.parse().context("publishAt")?;
            let micros = micros - due * 1_000;
            if micros < 0 {
                bail!("a message came {} µs early", -micros);
            }
            late.record(micros.unsigned_abs())?;
        }
        buffer.drain(..done);
    }
    Ok(late)
}
