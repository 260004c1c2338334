//! Messages, calls and answers of the tests.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use testkit::server::Server;

/// The request id that every call sends.
pub const REQUEST_ID: &str = "request-1";

/// A document of an import that is shown to `uid` from the start of a test for a day.
pub fn document(id: &str, uid: &str) -> Value {
    json!({
        "id": id,
        "uid": uid,
        "created": "2026-03-01T13:00:00+01:00",
        "expires": "2026-03-02T13:00:00+01:00",
        "body": "Svensk talkshow med David Hellenius.",
        "clients": ["web"],
        "type": "campaign",
        "prio": 35,
    })
}

/// The document with these fields replaced.
pub fn with(mut document: Value, fields: Value) -> Value {
    let fields = fields.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(fields);
    document
}

/// `count` documents of one user: `m0`, `m1` …
pub fn documents(count: usize, uid: &str) -> String {
    let lines = (0..count).map(|at| format!("{}\r\n", document(&format!("m{at}"), uid)));
    lines.collect()
}

/// A call of somebody.
pub struct Call {
    request: RequestBuilder,
}

impl Call {
    pub fn new(server: &Server, method: Method, path: &str) -> Self {
        let request = server
            .http
            .request(method, server.url(path))
            .header("x-request-id", REQUEST_ID);
        Self { request }
    }

    pub fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub fn token(self, token: &str) -> Self {
        self.header("user-token", token)
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            request: self.request.header(name, value),
        }
    }

    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self {
            request: self.request.body(body),
        }
    }

    /// The answer of what goes on: without a time-out.
    pub async fn stream(self) -> Response {
        testkit::soon("an answer", self.request.send()).await.unwrap()
    }

    pub async fn response(self) -> Response {
        // Longer than other things may take: 25,000 messages, unoptimised, on a busy machine.
        self.request
            .timeout(Duration::from_secs(60))
            .send()
            .await
            .unwrap()
    }

    /// The status and the body as text.
    pub async fn text(self) -> (u16, String) {
        let response = self.response().await;
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The status and the body.
    pub async fn json(self) -> (u16, Value) {
        let (status, text) = self.text().await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The `data` of a 200.
    pub async fn data(self) -> Value {
        let (status, body) = self.json().await;
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }

    /// The status and the `detail` of a failure.
    pub async fn failure(self) -> (u16, String) {
        let (status, body) = self.json().await;
        let error = &body["errors"][0];
        assert_eq!(error["status"], status, "{body}");
        (status, error["detail"].as_str().unwrap().to_owned())
    }
}

pub fn get(server: &Server, path: &str) -> Call {
    Call::new(server, Method::GET, path)
}

pub fn post(server: &Server, path: &str) -> Call {
    Call::new(server, Method::POST, path)
}

pub fn delete(server: &Server, path: &str) -> Call {
    Call::new(server, Method::DELETE, path)
}

/// An import with the content type that campaign systems send.
pub fn import(server: &Server, key: &str, body: impl Into<reqwest::Body>) -> Call {
    post(server, "/messages/import")
        .key(key)
        .header("content-type", "application/json; boundary=NL")
        .body(body)
}

/// Imports documents that are all new.
pub async fn imported(server: &Server, key: &str, documents: &[Value]) {
    let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
    assert_eq!(
        import(server, key, lines.join("\r\n")).data().await,
        json!({"imported": documents.len()})
    );
}

/// The state of a message, or none.
pub async fn state(server: &Server, key: &str, id: &str) -> Option<String> {
    let (status, body) = get(server, &format!("/messages/{id}")).key(key).json().await;
    match status {
        200 => Some(body["data"]["message"]["state"].as_str().unwrap().to_owned()),
        404 => None,
        _ => panic!("{status}: {body}"),
    }
}

/// The ids of a list.
pub async fn listed(server: &Server, token: &str, query: &str) -> Vec<String> {
    let data = get(server, &format!("/messages{query}"))
        .token(token)
        .data()
        .await;
    let messages = data["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect()
}

/// How many imported messages a user has; they are deleted by this.
pub async fn counted_away(server: &Server, key: &str, uid: &str) -> u64 {
    let data = delete(server, &format!("/users/{uid}/messages"))
        .key(key)
        .data()
        .await;
    data["deleted"].as_u64().unwrap()
}
