//! Requests in one line, and answers that can be compared.

use http::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::server::Server;
use testkit::soon;
use testkit::sse::Events;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status and error code; the body must have exactly the keys of an error.
    pub fn error(&self) -> (u16, u64) {
        let body = self.json();
        assert_eq!(body.as_object().unwrap().len(), 2, "{}", self.text);
        assert!(!body["message"].as_str().unwrap().is_empty());
        assert_eq!(self.headers["content-type"], "application/json");
        (self.status, body["code"].as_u64().unwrap())
    }

    /// The error's text.
    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }

    /// The id of a message that was published.
    pub fn message_id(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["messageId"].as_str().unwrap().to_owned()
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    soon("an answer", async {
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    })
    .await
}

/// A server with the key of a program that may do everything, and one for the app's clients.
pub struct World {
    pub server: Server,
    pub admin: String,
    pub key: String,
}

impl World {
    pub async fn new() -> Self {
        Self::of(Server::start().await).await
    }

    pub async fn of(server: Server) -> Self {
        let app = server.default_app().await;
        let (admin, key) = (
            app.key("root", "admin").await,
            app.key("app", "publish,subscribe").await,
        );
        Self { server, admin, key }
    }

    pub fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        self.server
            .http
            .request(method, self.server.url(path))
            .header("X-Api-Key", key)
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path, &self.key)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path, &self.admin)).await
    }

    /// Publishes a body as it is.
    pub async fn post(&self, channel: &str, body: impl Into<reqwest::Body>) -> Answer {
        send(self.posting(channel, body)).await
    }

    pub fn posting(&self, channel: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let path = format!("/api/messaging/{channel}");
        let request = self.request(Method::POST, &path, &self.key);
        request.header("Content-Type", "application/json").body(body)
    }

    /// Publishes a payload, which must work, and gives its id.
    pub async fn publish(&self, channel: &str, payload: Value) -> String {
        self.post(channel, json!({ "message": payload }).to_string())
            .await
            .message_id()
    }

    pub async fn events(&self, channel: &str, query: &str) -> Events {
        let path = format!("/api/messaging/{channel}/events{query}");
        self.open(self.request(Method::GET, &path, &self.key)).await
    }

    pub async fn open(&self, request: RequestBuilder) -> Events {
        Events::of(soon("the head of a stream", request.send()).await.unwrap())
    }

    /// The payloads of a channel's history.
    pub async fn payloads(&self, channel: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/messaging/{channel}/history")).await;
        let messages = answer.json()["messages"].take();
        messages
            .as_array()
            .unwrap()
            .iter()
            .map(|envelope| envelope["message"].clone())
            .collect()
    }
}
