use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use serde_json::{Value, json};
use testkit::soon;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Answer, Ask, Heard};
use crate::world::{Credential, World};

/// A reader with one subscription on a WebSocket, which resumes by `since`.
pub struct Reader<'a> {
    world: &'a World,
    ask: Ask,
    socket: Option<WebSocketStream<MaybeTlsStream<TcpStream>>>,
    position: String,
}

impl<'a> Reader<'a> {
    pub async fn open(world: &'a World, ask: Ask) -> Result<Self, u64> {
        let mut reader = Self {
            world,
            ask,
            socket: None,
            position: "0".to_owned(),
        };
        reader.connect().await?;
        Ok(reader)
    }

    async fn connect(&mut self) -> Result<(), u64> {
        let url = format!("ws://{}/api/realtime", self.world.server.address);
        let mut request = url.into_client_request().unwrap();
        let (name, value) = match &self.ask.credential {
            Credential::Key(key) => ("x-api-key", key),
            Credential::Token(token) => ("user-token", token),
        };
        request
            .headers_mut()
            .insert(name, HeaderValue::from_str(value).unwrap());
        self.socket = match soon("a handshake", connect_async(request)).await {
            Ok((socket, _)) => Some(socket),
            Err(Error::Http(refused)) => {
                let body: Value = serde_json::from_slice(refused.body().as_ref().unwrap()).unwrap();
                return Err(body["code"].as_u64().unwrap());
            }
            Err(error) => panic!("{error}"),
        };
        let subscribe = json!({
            "op": "subscribe", "id": "s", "channel": self.ask.channel, "selector": self.ask.selector,
            "subtopic": self.ask.subtopic, "since": self.position,
        });
        let socket = self.socket.as_mut().unwrap();
        soon("sending", socket.send(Message::text(subscribe.to_string())))
            .await
            .unwrap();
        let answer = self.hear().await;
        match answer["op"].as_str() {
            Some("ready") => Ok(()),
            _ => Err(answer["code"].as_u64().unwrap_or_else(|| panic!("{answer}"))),
        }
    }

    async fn hear(&mut self) -> Value {
        let socket = self.socket.as_mut().unwrap();
        loop {
            match soon("an op", socket.next()).await.unwrap().unwrap() {
                Message::Text(text) => {
                    let heard: Value = serde_json::from_str(&text).unwrap();
                    if heard["op"] != "position" {
                        return heard;
                    }
                }
                Message::Ping(_) => {}
                other => panic!("expected an op, found {other:?}"),
            }
        }
    }

    pub async fn next(&mut self) -> Answer {
        if self.socket.is_none() {
            self.connect().await.unwrap();
        }
        let message = self.hear().await;
        let gap = message["op"] == "gap";
        if gap {
            return Answer {
                messages: vec![],
                gap,
            };
        }
        assert_eq!(message["op"], "message", "{message}");
        self.position = message["position"].as_str().unwrap().to_owned();
        let messages = vec![Heard::of(&message)];
        Answer { messages, gap }
    }

    pub fn cut(&mut self) {
        self.socket = None;
    }
}
