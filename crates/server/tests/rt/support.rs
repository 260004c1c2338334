use std::time::Duration;

use postbell_server::rt::options::Options;
use serde_json::{Value, json};
use testkit::app::App;
use testkit::rt::polling::Polling;
use testkit::rt::websocket::Ws;
use testkit::server::{Builder, Server};
use testkit::soon;

/// A server with a key of an app's clients and one that may do everything.
pub struct World {
    pub server: Server,
    pub app: App,
    pub key: String,
    pub admin: String,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(rt: Options) -> Self {
        Self::of(Server::builder(), rt).await
    }

    pub async fn of(builder: Builder, rt: Options) -> Self {
        let settings = postbell_server::Settings {
            rt,
            ..postbell_server::Settings::default()
        };
        let server = builder.settings(settings).start().await;
        let app = server.default_app().await;
        let (key, admin) = (
            app.key("app", "publish,subscribe").await,
            app.key("root", "admin").await,
        );
        Self {
            server,
            app,
            key,
            admin,
        }
    }

    /// Publishes a payload and gives its id.
    pub async fn publish(&self, channel: &str, payload: Value) -> String {
        self.publish_fields(channel, json!({ "message": payload })).await
    }

    pub async fn publish_fields(&self, channel: &str, fields: Value) -> String {
        let request = self
            .server
            .http
            .post(self.server.url(&format!("/api/messaging/{channel}")))
            .header("X-Api-Key", &self.key)
            .json(&fields);
        let response = soon("an answer", request.send()).await.unwrap();
        assert_eq!(response.status(), 200);
        let body: Value = response.json().await.unwrap();
        body["messageId"].as_str().unwrap().to_owned()
    }

    /// The query of a client with this key.
    pub fn query(&self, client: &str) -> String {
        format!("apiKey={}&clientId={client}&userToken=undefined", self.key)
    }

    /// A polling client with the key, in its namespace.
    pub async fn polling(&self, client: &str) -> Polling<'_> {
        Polling::connect(&self.server, &self.query(client)).await
    }

    /// A WebSocket with the key, in its namespace.
    pub async fn websocket(&self, client: &str) -> Ws {
        Ws::connect(&self.server, &self.query(client)).await
    }

    /// What is asked of every server at the end of a test that sent it rubbish.
    pub async fn still_serves(&self) {
        let mut reader = self.polling("").await;
        reader
            .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "still"}))
            .await;
        self.publish("still", json!("here")).await;
        assert_eq!(reader.message("s").await, "here");
    }
}

/// Looks again and again, until it is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    soon(what, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
