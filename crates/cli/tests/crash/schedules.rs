//! Schedules under SIGKILL: whatever the moment, every due time is published once or counted as skipped
//! (api.md 3.8), held against a calculation of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Server;

const ROUNDS: u64 = 5;
const PUBLISHERS: u64 = 6;
const CHANNELS: u64 = 3;

/// The API over a client of its own, by the key that may do everything.
#[derive(Clone)]
struct Api {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Api {
    fn new(server: &Server, folder: &Path) -> Self {
        let dev = fs::read_to_string(folder.join("data/dev.json")).unwrap();
        let dev: Value = serde_json::from_str(&dev).unwrap();
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: server.url.clone(),
            key: dev["keys"]["admin"].as_str().unwrap().to_owned(),
        }
    }

    /// The answer; `None` if the server died.
    async fn send(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        let answer = request.header("x-api-key", &self.key).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url));
        let (status, body) = self.send(request).await.unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

/// What the server acknowledged of one schedule.
#[derive(Debug, Clone)]
struct Acknowledged {
    channel: String,
    first: i64,
    /// Seconds; `None`: once.
    every: Option<i64>,
    times: u64,
    /// What a cancel answered, or that its answer never came.
    cancelled: Option<Result<u64, ()>>,
}

type Made = Arc<Mutex<BTreeMap<String, Acknowledged>>>;

#[expect(
    clippy::disallowed_methods,
    reason = "due times are set by the server's clock, the machine's"
)]
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_due_time_is_published_once_or_skipped_whatever_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let made: Made = Arc::default();
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        let api = Api::new(&server, folder.path());
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                let seed = round * PUBLISHERS + publisher;
                tokio::spawn(publish_until_it_dies(api.clone(), Arc::clone(&made), seed))
            })
            .collect();
        // Each round dies at another point: amid publishes, cancels and due times.
        tokio::time::sleep(Duration::from_millis(700 + 211 * round)).await;
        server.kill();
        for publisher in publishers {
            publisher.await.unwrap();
        }
        // Long enough for due times to be missed.
        tokio::time::sleep(Duration::from_millis(400 * round)).await;
    }
    let server = Server::start(folder.path());
    let api = Api::new(&server, folder.path());
    wait_for_all_to_end(&api).await;
    let made = Arc::into_inner(made).unwrap().into_inner();
    assert!(
        made.len() > 100,
        "only {} schedules were acknowledged",
        made.len()
    );
    check(&api, &made).await;
    server.kill();
}

/// Schedules and now and then cancels, until the server dies.
async fn publish_until_it_dies(api: Api, made: Made, seed: u64) {
    // A small generator (SplitMix64): the rounds differ, every run is the same.
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut random = |below: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % below
    };
    loop {
        let channel = format!("channel-{}", random(CHANNELS));
        let first = now() + 50 + i64::try_from(random(900)).unwrap();
        let (every, times) = match random(3) {
            0 => (Some(1), 1 + random(6)),
            _ => (None, 1),
        };
        let mut body = json!({"message": seed, "publishAt": first});
        if let Some(every) = every {
            body["repeatEvery"] = json!(every);
            body["repeatTimes"] = json!(times);
        }
        let url = format!("{}/api/messaging/{channel}", api.url);
        let Some((status, answer)) = api.send(api.http.post(url).json(&body)).await else {
            return;
        };
        assert_eq!(status, 200, "{answer}");
        let id = answer["messageId"].as_str().unwrap().to_owned();
        let acknowledged = Acknowledged {
            channel,
            first,
            every,
            times,
            cancelled: None,
        };
        made.lock().await.insert(id.clone(), acknowledged);
        if random(5) > 0 {
            continue;
        }
        tokio::time::sleep(Duration::from_millis(random(40))).await;
        made.lock().await.get_mut(&id).unwrap().cancelled = Some(Err(()));
        let url = format!("{}/api/messaging/{id}", api.url);
        let Some((status, answer)) = api.send(api.http.delete(url)).await else {
            return;
        };
        let cancelled = match status {
            200 => Some(Ok(answer["occurrences"].as_u64().unwrap())),
            409 => None,
            _ => panic!("{status}: {answer}"),
        };
        made.lock().await.get_mut(&id).unwrap().cancelled = cancelled;
    }
}

/// All schedules that the server keeps.
async fn schedules(api: &Api) -> BTreeMap<String, Value> {
    let (mut found, mut after) = (BTreeMap::new(), String::new());
    loop {
        let page = api
            .get(&format!("/api/messaging/scheduled?limit=500&after={after}"))
            .await;
        for schedule in page["schedules"].as_array().unwrap() {
            let id = schedule["messageId"].as_str().unwrap().to_owned();
            found.insert(id, schedule.clone());
        }
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return found,
        }
    }
}

async fn wait_for_all_to_end(api: &Api) {
    let began = Instant::now();
    while schedules(api)
        .await
        .values()
        .any(|schedule| schedule["status"] == "scheduled")
    {
        assert!(began.elapsed() < Duration::from_secs(30), "some never ends");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Holds what was published against what should have been.
async fn check(api: &Api, made: &BTreeMap<String, Acknowledged>) {
    let kept = schedules(api).await;
    for (id, acknowledged) in made {
        let schedule = kept
            .get(id)
            .unwrap_or_else(|| panic!("{id} was acknowledged and is not there"));
        assert_eq!(schedule["channel"], acknowledged.channel.as_str());
        assert_eq!(schedule["publishAt"], acknowledged.first);
        let every = acknowledged.every.map_or(Value::Null, Value::from);
        assert_eq!(schedule["repeatEvery"], every);
        if let Some(Ok(occurrences)) = acknowledged.cancelled {
            assert_eq!(schedule["status"], "cancelled", "{id}");
            assert_eq!(schedule["occurrences"], occurrences, "{id}");
        }
        if acknowledged.cancelled.is_none() {
            assert_eq!(schedule["status"], "published", "{id}");
            let passed = schedule["occurrences"].as_u64().unwrap() + schedule["skipped"].as_u64().unwrap();
            assert_eq!(passed, acknowledged.times, "{id}");
        }
    }
    let mut messages = messages(api).await;
    // Those whose answer was lost are held to the same rule.
    let (mut published, mut skipped) = (0, 0);
    for (id, schedule) in &kept {
        let first = schedule["publishAt"].as_i64().unwrap();
        let every = schedule["repeatEvery"].as_i64();
        let times = schedule["repeatTimes"].as_u64().unwrap_or(1);
        let page = api
            .get(&format!("/api/messaging/{id}/occurrences?limit=1000"))
            .await;
        let occurrences = page["occurrences"].as_array().unwrap();
        for (n, occurrence) in (1_u64..).zip(occurrences) {
            let due = first + i64::try_from(n - 1).unwrap() * every.unwrap_or(0) * 1_000;
            assert_eq!(
                (&occurrence["n"], &occurrence["due"]),
                (&json!(n), &json!(due)),
                "{id}"
            );
            let is_last = n == times;
            match occurrence["fired"].as_i64() {
                None => {
                    skipped += 1;
                    assert!(!is_last, "{id}: the last due time is never skipped");
                    // The next one that was published was not picked up before the one after this was due.
                    let next = occurrences
                        .iter()
                        .skip(usize::try_from(n).unwrap())
                        .find_map(|next| next["fired"].as_i64());
                    assert!(
                        next.unwrap() >= due + every.unwrap() * 1_000,
                        "{id}: {n} was not missed"
                    );
                }
                Some(fired) => {
                    published += 1;
                    assert!(fired >= due, "{id}: {n} was published {} ms early", due - fired);
                    let next = due + every.unwrap_or(0) * 1_000;
                    assert!(is_last || fired < next, "{id}: {n} should have been skipped");
                    let message_id = match every {
                        Some(_) => format!("{id}-{n}"),
                        None => id.clone(),
                    };
                    let seq = occurrence["seq"].as_u64().unwrap();
                    let channel = schedule["channel"].as_str().unwrap().to_owned();
                    let found = messages.remove(&message_id);
                    assert_eq!(found, Some((channel, seq, fired)), "{message_id}");
                }
            }
        }
    }
    assert_eq!(messages, BTreeMap::new(), "messages that nothing tells of");
    assert!(
        published > 100 && skipped > 0,
        "{published} published, {skipped} skipped"
    );
}

/// Every message by its id: its channel, seq and time. An id that is there twice fails.
async fn messages(api: &Api) -> BTreeMap<String, (String, u64, i64)> {
    let mut found = BTreeMap::new();
    for channel in 0..CHANNELS {
        let channel = format!("channel-{channel}");
        let (mut since, mut last) = ("all".to_owned(), 0);
        loop {
            let path = format!("/api/messaging/{channel}/history?limit=1000&since={since}");
            let page = api.get(&path).await;
            let messages = page["messages"].as_array().unwrap();
            for message in messages {
                let id = message["messageId"].as_str().unwrap().to_owned();
                let seq = message["seq"].as_u64().unwrap();
                assert_eq!(seq, last + 1, "a hole in {channel}");
                last = seq;
                let place = (channel.clone(), seq, message["timestamp"].as_i64().unwrap());
                assert_eq!(found.insert(id.clone(), place), None, "{id} is there twice");
            }
            if messages.is_empty() {
                break;
            }
            since = page["nextSince"].as_str().unwrap().to_owned();
        }
    }
    found
}
