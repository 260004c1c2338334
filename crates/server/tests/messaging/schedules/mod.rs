//! Publishing later and repeatedly (api.md 3.1, 3.2, 3.3, 3.8).

use std::time::Duration;

use model::time::Span;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::clock::START;
use testkit::server::Server;

use crate::support::{Answer, World, send};

/// Who may publish when an occurrence is due.
mod access;
/// Cancelling, and that it holds.
mod cancel;
/// What happens after a stop, and when clocks jump.
mod catch_up;
/// Changing what waits.
mod edit;
/// The lists of schedules and of occurrences.
mod lists;
/// When messages appear.
mod publish;
/// What the status tells.
mod status;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A server whose clock stands still, with a key that may schedule.
pub struct Plan {
    pub world: World,
}

impl Plan {
    pub async fn new() -> Self {
        let keep = Span::seconds(60 * 24 * 3_600);
        let server = Server::builder().app(move |app| app.history.age = keep);
        Self::of(server.start().await).await
    }

    pub async fn of(server: Server) -> Self {
        let mut world = World::of(server).await;
        let app = world.server.default_app().await;
        world.key = app.key("cms", "publish,schedule,subscribe").await;
        Self { world }
    }

    pub async fn restart(self) -> Self {
        let World { server, admin, key } = self.world;
        let server = server.restart().await;
        Self {
            world: World { server, admin, key },
        }
    }

    /// Publishes these fields, with a `message` if there is none.
    pub async fn post(&self, channel: &str, fields: Value) -> Answer {
        send(self.posting(channel, fields)).await
    }

    pub fn posting(&self, channel: &str, mut fields: Value) -> RequestBuilder {
        let object = fields.as_object_mut().unwrap();
        object.entry("message").or_insert(json!("tick"));
        self.world.posting(channel, fields.to_string())
    }

    pub async fn publish(&self, channel: &str, fields: Value) -> String {
        self.post(channel, fields).await.message_id()
    }

    pub async fn request(&self, method: Method, id: &str, key: &str) -> Answer {
        let path = format!("/api/messaging/{id}");
        send(self.world.request(method, &path, key)).await
    }

    pub async fn status(&self, id: &str) -> Value {
        let answer = self.request(Method::GET, id, &self.world.key).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub async fn cancel(&self, id: &str) -> Answer {
        self.request(Method::DELETE, id, &self.world.key).await
    }

    pub async fn edit(&self, id: &str, fields: Value) -> Answer {
        let path = format!("/api/messaging/{id}");
        let request = self.world.request(Method::PATCH, &path, &self.world.key);
        send(
            request
                .header("Content-Type", "application/json")
                .body(fields.to_string()),
        )
        .await
    }

    pub async fn occurrences(&self, id: &str) -> Value {
        let answer = self
            .request(Method::GET, &format!("{id}/occurrences"), &self.world.key)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["occurrences"].take()
    }

    /// Lets so many milliseconds pass at once, and what they made due be published.
    pub async fn pass(&self, ms: i64) {
        self.world
            .server
            .clock
            .advance(Duration::from_millis(ms.unsigned_abs()));
        self.fire().await;
    }

    /// The clock stands so many milliseconds after the start of the test.
    pub async fn jump_to(&self, ms: i64) {
        self.world.server.clock.set(model::time::UnixMillis(START.0 + ms));
        self.fire().await;
    }

    pub async fn fire(&self) {
        self.world.server.engine.fire_due().await.unwrap();
    }

    /// Ids of the channel's messages, with the time of each after the start of the test.
    pub async fn published(&self, channel: &str) -> Vec<(String, i64)> {
        let path = format!("/api/messaging/{channel}/history?limit=1000");
        let answer = self.world.get(&path).await;
        let messages = answer.json()["messages"].take();
        messages
            .as_array()
            .unwrap_or_else(|| panic!("{}", answer.text))
            .iter()
            .map(|message| {
                let id = message["messageId"].as_str().unwrap().to_owned();
                (id, message["timestamp"].as_i64().unwrap() - START.0)
            })
            .collect()
    }

    /// The same as numbers of occurrences of `id`, whose ids must be `<id>-<n>`.
    pub async fn fired(&self, channel: &str, id: &str) -> Vec<(u64, i64)> {
        let published = self.published(channel).await;
        published
            .into_iter()
            .map(|(found, at)| {
                let n = found.strip_prefix(id).and_then(|rest| rest.strip_prefix('-'));
                (n.unwrap().parse().unwrap(), at)
            })
            .collect()
    }
}

/// So many milliseconds after the start of the test.
pub fn at(ms: i64) -> i64 {
    START.0 + ms
}
