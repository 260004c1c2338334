use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use client::messaging::history::HistoryQuery;
use client::messaging::publish::Publish;
use client::{Client, Error};
use serde_json::Value;
use serde_json::value::to_raw_value;
use tokio::sync::mpsc;

use crate::Server;

const ROUNDS: usize = 4;
const PUBLISHERS: u64 = 6;
const SUBSCRIPTIONS: usize = 3;
/// For one round; it takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_subscription_survives_sigkill_without_loss_and_without_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    let server = Server::start(folder.path());
    let mut subscriptions = Vec::new();
    for _ in 0..SUBSCRIPTIONS {
        subscriptions.push(Subscription::create(&server, folder.path()).await);
    }
    server.kill();
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        // Each round dies at another point, with publishes and polls under way.
        let answers = 40 + 23 * round;
        let work = work(server, folder.path(), subscriptions, answers);
        let (polled, published) = tokio::time::timeout(PATIENCE, work).await.unwrap();
        subscriptions = polled;
        acknowledged.extend(published);
        let server = Server::start(folder.path());
        for subscription in &mut subscriptions {
            subscription.catch_up(&server, folder.path()).await;
        }
        let kept = history(&server.client(folder.path())).await;
        assert!(acknowledged.iter().all(|id| kept.contains(id)), "round {round}");
        for subscription in &subscriptions {
            assert_eq!(
                subscription.heard, kept,
                "round {round}: each message once, in order"
            );
        }
        server.kill();
    }
    assert!(acknowledged.len() >= 100, "{} publishes", acknowledged.len());
}

/// Publishes and polls until so many polls were answered, and kills the server under it.
async fn work(
    server: Server,
    folder: &Path,
    subscriptions: Vec<Subscription>,
    answers: usize,
) -> (Vec<Subscription>, Vec<String>) {
    let publishing: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| tokio::spawn(publish(server.client(folder), publisher)))
        .collect();
    let (answered, mut counter) = mpsc::unbounded_channel();
    let polling: Vec<_> = subscriptions
        .into_iter()
        .map(|mut subscription| {
            let (answered, url, key) = (answered.clone(), server.url.clone(), server.key(folder));
            tokio::spawn(async move {
                while let Some(answer) = subscription.poll(&url, &key, "?wait=5").await {
                    subscription.take(answer);
                    answered.send(()).unwrap();
                }
                subscription
            })
        })
        .collect();
    for _ in 0..answers {
        counter.recv().await.unwrap();
    }
    server.kill();
    let (mut polled, mut published) = (Vec::new(), Vec::new());
    for task in polling {
        polled.push(task.await.unwrap());
    }
    for task in publishing {
        published.extend(task.await.unwrap());
    }
    (polled, published)
}

/// Publishes until the server dies; the ids of what it acknowledged.
async fn publish(client: Client, publisher: u64) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let publish = Publish::new(to_raw_value(&publisher).unwrap());
    loop {
        match client.publish("news", &publish).await {
            Ok(published) => acknowledged.push(published.message_id),
            Err(Error::Transport { .. }) => return acknowledged,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The ids of all messages of the channel.
async fn history(client: &Client) -> Vec<String> {
    let mut query = HistoryQuery {
        limit: Some(1_000),
        ..HistoryQuery::default()
    };
    let mut ids = Vec::new();
    loop {
        let page = client.history("news", &query).await.unwrap();
        if page.messages.is_empty() {
            return ids;
        }
        ids.extend(page.messages.into_iter().map(|message| message.message_id));
        query.since = Some(page.next_since);
    }
}

/// A subscription that is polled, and what its client has of it.
struct Subscription {
    http: reqwest::Client,
    id: String,
    /// Behind the last answer that came.
    position: String,
    /// The ids of the messages of all answers that came.
    heard: Vec<String>,
}

/// What a poll is answered with: the ids of its messages, and the position behind them.
struct Answer {
    ids: Vec<String>,
    position: String,
}

impl Subscription {
    async fn create(server: &Server, folder: &Path) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/api/messaging/news/subscribe", server.url);
        let request = http.post(url).header("x-api-key", server.key(folder));
        let created: Value = request.send().await.unwrap().json().await.unwrap();
        Self {
            http,
            id: created["subscriptionId"].as_str().unwrap().to_owned(),
            position: "0".to_owned(),
            heard: Vec::new(),
        }
    }

    /// One poll; `None` if the server died before the answer was whole.
    async fn poll(&self, url: &str, key: &str, query: &str) -> Option<Answer> {
        let url = format!("{url}/api/messaging/news/{}{query}", self.id);
        let response = self.http.get(url).header("x-api-key", key).send().await.ok()?;
        let status = response.status();
        let text = response.text().await.ok()?;
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer.get("gap"), None, "{text}");
        let ids = answer["messages"].as_array().unwrap().iter();
        Some(Answer {
            ids: ids
                .map(|message| message["messageId"].as_str().unwrap().to_owned())
                .collect(),
            position: answer["position"].as_str().unwrap().to_owned(),
        })
    }

    fn take(&mut self, answer: Answer) {
        self.heard.extend(answer.ids);
        self.position = answer.position;
    }

    /// Goes on at a server that was killed, while nobody publishes. An ordinary poll repeats nothing that
    /// came; the answer that was under way may be lost, and is read again by `since`.
    async fn catch_up(&mut self, server: &Server, folder: &Path) {
        let key = server.key(folder);
        let ordinary = self.poll(&server.url, &key, "").await.unwrap();
        for id in &ordinary.ids {
            assert!(!self.heard.contains(id), "{id} came again");
        }
        let since = format!("?since={}", self.position);
        let again = self.poll(&server.url, &key, &since).await.unwrap();
        assert!(again.ids.ends_with(&ordinary.ids), "since reads all of it");
        assert_eq!(again.position, ordinary.position);
        self.take(again);
        let rest = self.poll(&server.url, &key, "").await.unwrap();
        assert_eq!(
            rest.ids,
            Vec::<String>::new(),
            "and ordinary polls go on behind it"
        );
    }
}
