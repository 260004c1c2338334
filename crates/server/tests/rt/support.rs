//! Two clients of another make: polling requests, and a WebSocket, packet by packet.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use postbell_server::rt::options::Options;
use serde_json::{Value, json};
use testkit::app::App;
use testkit::server::{Builder, Server};
use testkit::soon;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub const SEPARATOR: &str = "\u{1e}";

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

/// The packet of an event.
pub fn event(name: &str, argument: &Value) -> String {
    format!("42/default,{}", json!([name, argument]))
}

/// What an event packet says.
pub fn parsed(packet: &str) -> (String, Value) {
    let array = packet
        .strip_prefix("42/default,")
        .unwrap_or_else(|| panic!("expected an event, found {packet:?}"));
    let array: Value = serde_json::from_str(array).unwrap();
    (array[0].as_str().unwrap().to_owned(), array[1].clone())
}

/// A client that polls.
pub struct Polling<'a> {
    pub server: &'a Server,
    pub sid: String,
    waiting: VecDeque<String>,
}

impl<'a> Polling<'a> {
    /// Shakes hands, and connects to nothing.
    pub async fn open(server: &'a Server, query: &str) -> Self {
        let path = format!("/default/?EIO=4&transport=polling&t=x&{query}");
        let response = soon("a handshake", server.http.get(server.url(&path)).send())
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/plain; charset=UTF-8");
        let text = response.text().await.unwrap();
        let open: Value = serde_json::from_str(text.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["upgrades"], json!(["websocket"]));
        Self {
            server,
            sid: open["sid"].as_str().unwrap().to_owned(),
            waiting: VecDeque::new(),
        }
    }

    pub async fn connect(server: &'a Server, query: &str) -> Self {
        let mut client = Self::open(server, query).await;
        client.send("40/default,").await;
        let expected = format!("40/default,{{\"sid\":\"{}\"}}", client.sid);
        assert_eq!(client.packet().await, expected);
        client
    }

    pub fn url(&self) -> String {
        let path = format!("/default/?EIO=4&transport=polling&sid={}", self.sid);
        self.server.url(&path)
    }

    /// Posts packets; the status and the body of the answer.
    pub async fn post(&self, packets: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self.server.http.post(self.url()).body(packets);
        let response = soon("an answer", request.send()).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub async fn send(&self, packets: &str) {
        assert_eq!(self.post(packets.to_owned()).await, (200, "ok".to_owned()));
    }

    /// One polling request.
    pub async fn poll(&self) -> (u16, String) {
        let response = soon("a poll", self.server.http.get(self.url()).send())
            .await
            .unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The next packet; pings are answered.
    pub async fn packet(&mut self) -> String {
        loop {
            if self.waiting.is_empty() {
                let (status, text) = self.poll().await;
                assert_eq!(status, 200, "{text}");
                self.waiting = text.split(SEPARATOR).map(str::to_owned).collect();
            }
            match self.waiting.pop_front().as_deref() {
                Some("2") => self.send("3").await,
                Some(packet) => return packet.to_owned(),
                None => {}
            }
        }
    }

    /// The next event.
    pub async fn event(&mut self) -> (String, Value) {
        parsed(&self.packet().await)
    }

    pub async fn say(&self, name: &str, argument: Value) {
        self.send(&event(name, &argument)).await;
    }

    /// Subscribes, and sees that it is ready.
    pub async fn subscribe(&mut self, id: &str, name: &str, options: Value) {
        self.say("SUB_ON", json!({"id": id, "name": name, "options": options}))
            .await;
        assert_eq!(self.event().await, ready(id));
    }

    /// Subscribes, and gives the code of the error that must come.
    pub async fn refused(&mut self, id: &str, name: &str, options: Value) -> u64 {
        self.say("SUB_ON", json!({"id": id, "name": name, "options": options}))
            .await;
        self.error(id).await
    }

    /// The code of the error of a subscription that must come next.
    pub async fn error(&mut self, id: &str) -> u64 {
        error_of(self.event().await, "SUB_RES", id)
    }

    /// The payload of the message that must come next.
    pub async fn message(&mut self, id: &str) -> Value {
        payload(self.event().await, id)
    }
}

/// What says that a subscription is ready.
pub fn ready(id: &str) -> (String, Value) {
    ("SUB_READY".to_owned(), json!({ "id": id }))
}

/// The code of an error, whose shape is checked.
pub fn error_of((name, argument): (String, Value), expected: &str, id: &str) -> u64 {
    assert_eq!(name, expected, "{argument}");
    assert_eq!(argument["id"], id, "{argument}");
    assert!(
        !argument["error"]["message"].as_str().unwrap().is_empty(),
        "{argument}"
    );
    argument["error"]["code"].as_u64().unwrap()
}

/// The payload of a message.
pub fn payload((name, mut argument): (String, Value), id: &str) -> Value {
    assert_eq!(name, "SUB_RES", "{argument}");
    assert_eq!(argument["id"], id, "{argument}");
    argument["data"]["message"].take()
}

/// A client on a WebSocket.
pub struct Ws(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Ws {
    /// Opens a WebSocket, with a session behind it or without.
    pub async fn open(server: &Server, query: &str) -> Self {
        let url = format!(
            "ws://{}/default/?EIO=4&transport=websocket&{query}",
            server.address
        );
        Self(soon("a handshake", connect_async(url)).await.unwrap().0)
    }

    /// Opens a session and its namespace.
    pub async fn connect(server: &Server, query: &str) -> Self {
        let mut client = Self::open(server, query).await;
        let open = client.raw().await;
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["upgrades"], json!([]));
        client.send("40/default,").await;
        assert_eq!(
            client.packet().await,
            format!("40/default,{}", json!({"sid": open["sid"]}))
        );
        client
    }

    pub async fn send(&mut self, packet: &str) {
        soon("sending", self.0.send(Message::text(packet.to_owned())))
            .await
            .unwrap();
    }

    /// The next packet; pings are not answered.
    pub async fn raw(&mut self) -> String {
        match soon("a packet", self.0.next()).await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("expected a packet, found {other:?}"),
        }
    }

    /// The next packet; pings are answered.
    pub async fn packet(&mut self) -> String {
        loop {
            match self.raw().await.as_str() {
                "2" => self.send("3").await,
                packet => return packet.to_owned(),
            }
        }
    }

    pub async fn event(&mut self) -> (String, Value) {
        parsed(&self.packet().await)
    }

    pub async fn say(&mut self, name: &str, argument: Value) {
        self.send(&event(name, &argument)).await;
    }

    pub async fn subscribe(&mut self, id: &str, name: &str, options: Value) {
        self.say("SUB_ON", json!({"id": id, "name": name, "options": options}))
            .await;
        assert_eq!(self.event().await, ready(id));
    }

    pub async fn message(&mut self, id: &str) -> Value {
        payload(self.event().await, id)
    }

    /// Invokes a method and gives its answer.
    pub async fn invoke(&mut self, id: &str, name: &str, options: Value) -> (String, Value) {
        self.say("MET_REQ", json!({"id": id, "name": name, "options": options}))
            .await;
        self.event().await
    }

    /// The code of the close frame that must come, whatever comes before it.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match soon("a close frame", self.0.next()).await {
                Some(Ok(Message::Close(Some(close)))) => return close.code.into(),
                Some(Ok(_)) => {}
                other => panic!("expected a close frame, found {other:?}"),
            }
        }
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
