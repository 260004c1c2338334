use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{event, parsed, payload, ready};
use crate::server::Server;
use crate::soon;

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

    /// Sends a packet.
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

    /// The next event.
    pub async fn event(&mut self) -> (String, Value) {
        parsed(&self.packet().await)
    }

    /// Sends an event.
    pub async fn say(&mut self, name: &str, argument: Value) {
        self.send(&event(name, &argument)).await;
    }

    /// Subscribes, and sees that it is ready.
    pub async fn subscribe(&mut self, id: &str, name: &str, options: Value) {
        self.say("SUB_ON", json!({"id": id, "name": name, "options": options}))
            .await;
        assert_eq!(self.event().await, ready(id));
    }

    /// The payload of the message that must come next.
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
