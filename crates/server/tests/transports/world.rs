use std::time::Duration;

use postbell_server::rt::options::Options;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use testkit::server::{Builder, Server};
use testkit::soon;

/// A server with a key that publishes and subscribes.
pub struct World {
    pub server: Server,
    pub key: String,
}

/// What a reader shows to say who it is.
#[derive(Clone)]
pub enum Credential {
    Key(String),
    Token(String),
}

impl World {
    pub async fn new() -> Self {
        Self::of(Server::builder()).await
    }

    pub async fn of(builder: Builder) -> Self {
        // So that clients of RT are asked again and again within a test what has arrived.
        let rt = Options {
            window: 2 * 1024,
            confirm_after: Duration::from_millis(20),
            tick: Duration::from_millis(10),
            ..Options::default()
        };
        let settings = postbell_server::Settings {
            rt,
            ..postbell_server::Settings::default()
        };
        let server = builder.settings(settings).start().await;
        let app = server.default_app().await;
        let key = app.key("app", "publish,subscribe").await;
        Self { server, key }
    }

    pub fn credential(&self) -> Credential {
        Credential::Key(self.key.clone())
    }

    pub fn request(&self, method: Method, path: &str, credential: &Credential) -> RequestBuilder {
        let request = self.server.http.request(method, self.server.url(path));
        match credential {
            Credential::Key(key) => request.header("X-Api-Key", key),
            Credential::Token(token) => request.header("user-token", token),
        }
    }

    /// Publishes fields and gives the message's id.
    pub async fn publish(&self, channel: &str, fields: &Value) -> String {
        let path = format!("/api/messaging/{channel}");
        let request = self.request(Method::POST, &path, &self.credential());
        let body = json_of(soon("an answer", request.json(fields).send()).await.unwrap()).await;
        body["messageId"].as_str().unwrap().to_owned()
    }
}

/// The body of an answer, which must be 200.
pub async fn json_of(response: Response) -> Value {
    let status = response.status();
    let text = soon("a body", response.text()).await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The body of an answer, or the code of its error.
pub async fn json_or_code(response: Response) -> Result<Value, u64> {
    let status = response.status();
    let text = soon("a body", response.text()).await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    match status.as_u16() {
        200 => Ok(body),
        _ => Err(body["code"]
            .as_u64()
            .unwrap_or_else(|| panic!("{status}: {text}"))),
    }
}
