use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, World, send};

/// Who may poll, caps, and what ends subscriptions.
mod access;
/// Messages once each, in order, and again after a lost answer.
mod delivery;
/// Answers that are held.
mod waiting;

/// A subscription with its channel, polled with one key.
struct Polling<'a> {
    world: &'a World,
    path: String,
    key: String,
}

impl World {
    fn subscribing(&self, channel: &str, body: impl Into<reqwest::Body>, key: &str) -> RequestBuilder {
        let path = format!("/api/messaging/{channel}/subscribe");
        self.request(Method::POST, &path, key).body(body)
    }

    /// Subscribes without a body.
    async fn polling(&self, channel: &str) -> Polling<'_> {
        self.polling_with(channel, &json!({}), &self.key).await
    }

    async fn polling_with(&self, channel: &str, body: &Value, key: &str) -> Polling<'_> {
        let answer = send(self.subscribing(channel, body.to_string(), key)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let id = answer.json()["subscriptionId"].as_str().unwrap().to_owned();
        Polling {
            world: self,
            path: format!("/api/messaging/{channel}/{id}"),
            key: key.to_owned(),
        }
    }
}

impl Polling<'_> {
    async fn send(&self, method: Method, query: &str) -> Answer {
        let path = format!("{}{query}", self.path);
        send(self.world.request(method, &path, &self.key)).await
    }

    /// A poll, which must be answered 200.
    async fn poll(&self, query: &str) -> Value {
        let answer = self.send(Method::GET, query).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// The payloads of a poll.
    async fn payloads(&self, query: &str) -> Vec<Value> {
        payloads(&self.poll(query).await)
    }
}

fn payloads(answer: &Value) -> Vec<Value> {
    let messages = answer["messages"].as_array().unwrap();
    messages.iter().map(|message| message["data"].clone()).collect()
}

fn nothing() -> Vec<Value> {
    Vec::new()
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    range.map(|number| json!(number)).collect()
}
