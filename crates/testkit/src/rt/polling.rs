use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{SEPARATOR, error_of, event, parsed, payload, ready};
use crate::server::Server;
use crate::soon;

/// A client that polls.
pub struct Polling<'a> {
    /// Whose client it is.
    pub server: &'a Server,
    /// The id of its session.
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

    /// Shakes hands, and connects to its namespace.
    pub async fn connect(server: &'a Server, query: &str) -> Self {
        let mut client = Self::open(server, query).await;
        client.send("40/default,").await;
        let expected = format!("40/default,{{\"sid\":\"{}\"}}", client.sid);
        assert_eq!(client.packet().await, expected);
        client
    }

    /// Where its requests go.
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

    /// Posts packets, which must be taken.
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
                self.waiting = self.fetch().await;
            }
            match self.waiting.pop_front().as_deref() {
                Some("2") => self.send("3").await,
                Some(packet) => return packet.to_owned(),
                None => {}
            }
        }
    }

    async fn fetch(&self) -> VecDeque<String> {
        let (status, text) = self.poll().await;
        assert_eq!(status, 200, "{text}");
        text.split(SEPARATOR).map(str::to_owned).collect()
    }

    /// The events of one answer, which may hold none; pings are answered. The next request says that they
    /// have arrived.
    pub async fn answer(&mut self) -> Vec<(String, Value)> {
        let packets = match std::mem::take(&mut self.waiting) {
            none if none.is_empty() => self.fetch().await,
            some => some,
        };
        let mut events = Vec::new();
        for packet in packets {
            match &*packet {
                "2" => self.send("3").await,
                "6" => {}
                event => events.push(parsed(event)),
            }
        }
        events
    }

    /// The next event.
    pub async fn event(&mut self) -> (String, Value) {
        parsed(&self.packet().await)
    }

    /// Sends an event.
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
