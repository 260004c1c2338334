use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::http1::{self, closed_loop};
use crate::import;
use crate::report::{Report, median, spread};
use crate::server::Server;

const ROUNDS: usize = 15;
/// Short, so that a machine that drifts drifts for both.
const ROUND: Duration = Duration::from_millis(1_500);
const CONNECTIONS: usize = 64;
/// Users that ask; each has a token of its own.
const ASKING: usize = 5_000;

#[derive(Serialize)]
struct Claims {
    uid: String,
    exp: i64,
}

/// `GET /messages` at 10,000 and at 1,000,000 messages, ten a user, against a handler that answers at once.
pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    report.section(
        "Inbox list",
        "GET /messages for random users with ten messages each, 64 connections, against the same edge with a handler \
         that answers a list of the same size at once. Medians (lowest–highest).",
        &["messages", "users", "Postbell, requests/s", "bare, requests/s", "ratio", "p50 ms", "p99 ms", "server CPU µs a request"],
    );
    let bare = Server::bare().await?;
    let mut cpu = Vec::new();
    for (messages, users) in [("10,000", 1_000), ("1,000,000", 100_000)] {
        let postbell = Server::postbell("").await?;
        let headers = import::post(&postbell)?;
        let files = match users {
            1_000 => vec![import::file(10_000, 1_000, 99)?],
            _ => import::million()?,
        };
        let uids = user_ids(&files);
        for file in &files {
            import::send(postbell.address, &headers, file).await?;
        }
        drop(files);
        let requests = Arc::new(requests(&uids, &postbell.dev()?.jwt_secret)?);
        closed_loop(postbell.address, CONNECTIONS, ROUND, Arc::clone(&requests)).await?;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let (mut p50, mut p99, mut costs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let before = postbell.cpu()?;
            let one = closed_loop(postbell.address, CONNECTIONS, ROUND, Arc::clone(&requests)).await?;
            costs.push((postbell.cpu()? - before) * 1e6 / one.latency.len() as f64);
            let other = closed_loop(bare.address, CONNECTIONS, ROUND, Arc::clone(&requests)).await?;
            ratios.push(one.rate / other.rate);
            ours.push(one.rate);
            theirs.push(other.rate);
            p50.push(one.millis(0.5));
            p99.push(one.millis(0.99));
        }
        report.row(vec![
            messages.into(),
            uids.len().to_string(),
            spread(&ours, 0),
            spread(&theirs, 0),
            spread(&ratios, 2),
            spread(&p50, 1),
            spread(&p99, 1),
            spread(&costs, 1),
        ]);
        cpu.push(median(costs));
    }
    report.section(
        "Inbox list, cost with size",
        "Server CPU of a list at 1,000,000 messages against 10,000.",
        &["ratio"],
    );
    report.row(vec![format!("{:.2}", cpu[1] / cpu[0])]);
    Ok(())
}

/// The users that the files are for.
fn user_ids(files: &[Vec<u8>]) -> Vec<String> {
    let mut uids = std::collections::BTreeSet::new();
    for file in files {
        for line in file.split(|byte| *byte == b'\n') {
            let Some(at) = http1::find(line, b"\"uid\":\"") else {
                continue;
            };
            let rest = &line[at + 7..];
            let end = rest.iter().position(|byte| *byte == b'"').unwrap_or(0);
            uids.insert(String::from_utf8_lossy(&rest[..end]).into_owned());
        }
    }
    uids.into_iter().collect()
}

fn requests(uids: &[String], secret: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    let step = (uids.len() / ASKING).max(1);
    let mut requests = Vec::new();
    for uid in uids.iter().step_by(step) {
        let claims = Claims {
            uid: uid.clone(),
            exp: 4_000_000_000,
        };
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key)?;
        requests.push(http1::get(
            "/messages?client=web",
            &format!("authorization: Bearer {token}\r\n"),
        ));
    }
    Ok(requests)
}
