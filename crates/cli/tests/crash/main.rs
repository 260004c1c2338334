//! Kills the server with SIGKILL under concurrent publishes, imports, polls and schedules, restarts it on the
//! same data, and holds what it kept against what it had acknowledged (api.md 3.6, 3.8, 4 Import).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use client::messaging::history::HistoryQuery;
use client::messaging::publish::Publish;
use client::{Client, Error, Options};
use serde_json::value::to_raw_value;

/// Subscriptions that are polled.
mod polling;
/// Schedules.
mod schedules;

const ROUNDS: u64 = 4;
const CHANNELS: u64 = 3;
const PUBLISHERS: u64 = 12;
const IMPORTERS: u64 = 3;
const IMPORT_MESSAGES: u64 = 3_000;

struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let data = folder.join("data");
        let mut process = Command::new(env!("CARGO_BIN_EXE_postbell"))
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        // The rest must not fill the pipe; the thread ends with the process.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, url }
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The secret of the development key `admin`.
    fn key(&self, folder: &Path) -> String {
        let dev = fs::read_to_string(folder.join("data/dev.json")).unwrap();
        let dev: serde_json::Value = serde_json::from_str(&dev).unwrap();
        dev["keys"]["admin"].as_str().unwrap().to_owned()
    }

    fn client(&self, folder: &Path) -> Client {
        Client::new(Options {
            url: self.url.clone(),
            key: Some(self.key(folder)),
            ..Options::default()
        })
        .unwrap()
    }
}

/// What the server has acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Message ids and payload numbers, by channel.
    published: BTreeMap<String, BTreeMap<String, u64>>,
    /// Numbers of imports.
    imports: Vec<u64>,
    /// Imports that were under way when the server died.
    unanswered: Vec<u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_sigkill() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = Arc::new(AtomicU64::new(1));
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        let client = server.client(folder.path());
        let (enough, publishing, importing) = work(&client, &numbers);
        // Each round dies at another point of the work, and always under it.
        let target = 150 * (round + 1);
        tokio::time::timeout(Duration::from_secs(60), async {
            while enough.load(Ordering::Relaxed) < target {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap();
        server.kill();
        for task in publishing {
            for (channel, id, number) in task.await.unwrap() {
                acknowledged
                    .published
                    .entry(channel)
                    .or_default()
                    .insert(id, number);
            }
        }
        for task in importing {
            let (done, unanswered) = task.await.unwrap();
            acknowledged.imports.extend(done);
            acknowledged.unanswered.extend(unanswered);
        }
        let server = Server::start(folder.path());
        let client = server.client(folder.path());
        check_channels(&client, &acknowledged).await;
        check_imports(&client, &mut acknowledged).await;
        server.kill();
    }
    assert!(acknowledged.published.values().map(BTreeMap::len).sum::<usize>() >= 150);
    assert!(!acknowledged.imports.is_empty());
}

type Publishing = Vec<tokio::task::JoinHandle<Vec<(String, String, u64)>>>;
type Importing = Vec<tokio::task::JoinHandle<(Vec<u64>, Option<u64>)>>;

/// Publishes and imports until the server dies. Counts what is acknowledged.
fn work(client: &Client, numbers: &Arc<AtomicU64>) -> (Arc<AtomicU64>, Publishing, Importing) {
    let count = Arc::new(AtomicU64::new(0));
    let publishing = (0..PUBLISHERS)
        .map(|publisher| {
            let (client, numbers, count) = (client.clone(), Arc::clone(numbers), Arc::clone(&count));
            tokio::spawn(async move {
                let channel = format!("channel-{}", publisher % CHANNELS);
                let mut done = Vec::new();
                loop {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let publish = Publish::new(to_raw_value(&number).unwrap());
                    match client.publish(&channel, &publish).await {
                        Ok(published) => done.push((channel.clone(), published.message_id, number)),
                        Err(Error::Transport { .. }) => return done,
                        Err(error) => panic!("{error}"),
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let importing = (0..IMPORTERS)
        .map(|_| {
            let (client, numbers) = (client.clone(), Arc::clone(numbers));
            tokio::spawn(async move {
                let mut done = Vec::new();
                loop {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    match client.import(body(number)).await {
                        Ok(imported) => {
                            assert_eq!((imported.imported, imported.duplicates), (IMPORT_MESSAGES, 0));
                            done.push(number);
                        }
                        Err(Error::Transport { .. }) => return (done, Some(number)),
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    (count, publishing, importing)
}

/// The file of an import: ids and users of its own.
fn body(number: u64) -> futures_util::stream::Iter<std::vec::IntoIter<Result<Bytes, std::io::Error>>> {
    let documents: String = (0..IMPORT_MESSAGES)
        .map(|at| {
            format!(
                r#"{{"id":"{number}-{at}","uid":"user-{number}","created":"2020-01-01T00:00:00Z","expires":"2090-01-01T00:00:00Z","body":"text","clients":["web"],"type":"campaign","prio":{at}}}"#
            ) + "\r\n"
        })
        .collect();
    futures_util::stream::iter(vec![Ok(Bytes::from(documents))])
}

/// Every channel is without holes and holds every acknowledged message once, in one order of time.
async fn check_channels(client: &Client, acknowledged: &Acknowledged) {
    for (channel, published) in &acknowledged.published {
        let mut query = HistoryQuery {
            limit: Some(1_000),
            ..HistoryQuery::default()
        };
        let (mut found, mut seq, mut time) = (BTreeMap::new(), 0, 0);
        loop {
            let page = client.history(channel, &query).await.unwrap();
            if page.messages.is_empty() {
                break;
            }
            for message in page.messages {
                assert_eq!(message.seq, Some(seq + 1), "a hole in {channel}");
                assert!(message.timestamp >= time, "time runs backwards in {channel}");
                (seq, time) = (seq + 1, message.timestamp);
                let number: u64 = message.message.get().parse().unwrap();
                assert_eq!(
                    found.insert(message.message_id, number),
                    None,
                    "twice in {channel}"
                );
            }
            query.since = Some(page.next_since);
        }
        for (id, number) in published {
            assert_eq!(found.get(id), Some(number), "{id} was acknowledged in {channel}");
            assert_eq!(client.status(id).await.unwrap().status, "published");
        }
    }
}

/// Every acknowledged import is whole; every other one completes when it is sent again.
async fn check_imports(client: &Client, acknowledged: &mut Acknowledged) {
    for number in acknowledged.unanswered.drain(..) {
        let again = client.import(body(number)).await.unwrap();
        assert_eq!(again.imported + again.duplicates, IMPORT_MESSAGES);
        acknowledged.imports.push(number);
    }
    for number in &acknowledged.imports {
        let again = client.import(body(*number)).await.unwrap();
        assert_eq!(
            (again.imported, again.duplicates),
            (0, IMPORT_MESSAGES),
            "import {number} is not whole"
        );
    }
}
