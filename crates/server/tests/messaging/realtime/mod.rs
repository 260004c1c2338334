use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use serde_json::{Value, json};
use testkit::server::Server;
use testkit::soon;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use crate::support::World;

/// Credentials, rules and their changes.
mod access;
/// Frames and messages that are not what they should be.
mod frames;
/// The handshake, and who may make one.
mod handshake;
/// Live inboxes.
mod inbox;
/// Every operation and its answers.
mod operations;
/// Clients that are slow, gone, or come back.
mod readers;

/// A client of another make.
struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Connects with these headers; else the status and the error code that it was refused with.
    async fn try_connect(
        server: &Server,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, (u16, u64)> {
        let url = format!("ws://{}{path}", server.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers_mut().insert(*name, value);
        }
        match soon("a handshake", connect_async(request)).await {
            Ok((stream, response)) => {
                assert_eq!(response.status(), 101);
                assert!(response.headers().contains_key("x-request-id"));
                Ok(Self(stream))
            }
            Err(Error::Http(response)) => {
                let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
                Err((response.status().as_u16(), body["code"].as_u64().unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// With the key of the app's clients.
    async fn new(world: &World) -> Self {
        Self::with_key(world, &world.key).await
    }

    /// With so small a buffer that little is under way when it stops reading.
    async fn small(world: &World) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let stream = socket.connect(world.server.address).await.unwrap();
        let url = format!("ws://{}/api/realtime?key={}", world.server.address, world.key);
        let handshake = client_async(url, MaybeTlsStream::Plain(stream));
        Self(soon("a handshake", handshake).await.unwrap().0)
    }

    async fn with_key(world: &World, key: &str) -> Self {
        Self::try_connect(&world.server, "/api/realtime", &[("x-api-key", key)])
            .await
            .unwrap()
    }

    async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    async fn send(&mut self, message: Message) {
        soon("sending", self.0.send(message)).await.unwrap();
    }

    /// The next op; pings and positions, which come at their time, are let through.
    async fn hear(&mut self) -> Value {
        loop {
            match self.next().await {
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

    async fn next(&mut self) -> Message {
        soon("a message", self.0.next())
            .await
            .expect("an open connection")
            .unwrap()
    }

    /// Says something and hears the answer to it.
    async fn ask(&mut self, message: Value) -> Value {
        self.say(message).await;
        self.hear().await
    }

    /// The code of the error that is the answer; its text must say something, and the id be this.
    async fn error(&mut self, message: Value, id: Value) -> u64 {
        let answer = self.ask(message).await;
        error_of(&answer, &id)
    }

    /// Subscribes, and gives the position that it is ready at.
    async fn subscribe(&mut self, id: &str, channel: &str) -> String {
        self.subscribe_with(json!({"id": id, "channel": channel})).await
    }

    async fn subscribe_with(&mut self, mut fields: Value) -> String {
        fields["op"] = json!("subscribe");
        let answer = self.ask(fields.clone()).await;
        assert_eq!(answer["op"], "ready", "{answer}");
        assert_eq!(answer["id"], fields["id"]);
        assert_eq!(answer.as_object().unwrap().len(), 3, "{answer}");
        answer["position"].as_str().unwrap().to_owned()
    }

    /// The next message: the id of its subscription and its payload.
    async fn message(&mut self) -> (String, Value) {
        let message = self.hear().await;
        assert_eq!(message["op"], "message", "{message}");
        (
            message["id"].as_str().unwrap().to_owned(),
            message["message"].clone(),
        )
    }

    /// The close frame that must be next, behind which the server ends the connection.
    async fn closed(&mut self) -> (u16, String) {
        let Message::Close(Some(close)) = self.next().await else {
            panic!("expected a close frame");
        };
        match soon("the end", self.0.next()).await {
            None | Some(Err(_)) => {}
            Some(Ok(message)) => panic!("expected the end, found {message:?}"),
        }
        (close.code.into(), close.reason.to_string())
    }
}

/// The code of an error, whose shape is checked.
fn error_of(answer: &Value, id: &Value) -> u64 {
    assert_eq!(answer["op"], "error", "{answer}");
    assert_eq!(&answer["id"], id, "{answer}");
    assert!(!answer["message"].as_str().unwrap().is_empty());
    assert_eq!(answer.as_object().unwrap().len(), 4, "{answer}");
    answer["code"].as_u64().unwrap()
}
