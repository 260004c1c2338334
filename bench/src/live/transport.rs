use anyhow::ensure;
use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::socketio;
use super::target::{Kind, Target};
use crate::http1;

/// How readers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Transport {
    /// Server-sent events over HTTP/1.1
    Sse,
    /// `/api/realtime`
    #[value(name = "websocket")]
    WebSocket,
    /// Backendless RT: socket.io over WebSocket; nchan has none, so it stands alone
    #[value(name = "socketio")]
    SocketIo,
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::Sse, Self::WebSocket, Self::SocketIo];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sse => "SSE",
            Self::WebSocket => "WebSocket",
            Self::SocketIo => "socket.io",
        }
    }

    /// Subscribes a new connection; what has come behind the handshake.
    pub async fn open(self, target: &Target, channel: usize) -> anyhow::Result<(TcpStream, Vec<u8>)> {
        match self {
            Self::Sse => sse(target, channel, None).await,
            Self::WebSocket => websocket(target, channel).await,
            Self::SocketIo => socketio::open(target, channel).await,
        }
    }

    /// Answers the pings in these bytes, of which so many were seen before.
    ///
    /// Those of plain WebSockets go unanswered: no run takes as long as a server waits for that.
    pub fn answer_pings(self, stream: &TcpStream, bytes: &[u8], seen: usize) -> anyhow::Result<()> {
        match self {
            Self::Sse | Self::WebSocket => Ok(()),
            Self::SocketIo => socketio::answer_pings(stream, bytes, seen),
        }
    }
}

/// Subscribes to server-sent events, from a position on if there is one.
pub async fn sse(
    target: &Target,
    channel: usize,
    since: Option<&str>,
) -> anyhow::Result<(TcpStream, Vec<u8>)> {
    let since = since.map(|since| format!("?since={since}")).unwrap_or_default();
    let path = match target.kind {
        Kind::Postbell => format!("/api/messaging/live{channel}/events{since}"),
        Kind::Nchan | Kind::Loop => format!("/events/live{channel}"),
    };
    let headers = format!("accept: text/event-stream\r\n{}", target.credentials()?);
    let connection = http1::Connection::open(target.server.address).await?;
    connection.stream(&http1::get(&path, &headers)).await
}

async fn websocket(target: &Target, channel: usize) -> anyhow::Result<(TcpStream, Vec<u8>)> {
    let path = match target.kind {
        Kind::Postbell => "/api/realtime".to_owned(),
        Kind::Nchan | Kind::Loop => format!("/websocket/live{channel}"),
    };
    let mut socket = Socket::open(target, &path, &target.credentials()?).await?;
    if target.kind == Kind::Postbell {
        let subscribe = format!(r#"{{"op":"subscribe","id":"1","channel":"live{channel}"}}"#);
        socket.say(&subscribe).await?;
        socket.hear(r#""ready""#).await?;
    }
    Ok((socket.stream, socket.came))
}

/// A WebSocket whose reader is being subscribed.
pub struct Socket {
    pub stream: TcpStream,
    /// All that came.
    pub came: Vec<u8>,
}

impl Socket {
    pub async fn open(target: &Target, path: &str, headers: &str) -> anyhow::Result<Self> {
        let headers = format!(
            "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}"
        );
        let connection = http1::Connection::open(target.server.address).await?;
        let (stream, came) = connection.stream(&http1::get(path, &headers)).await?;
        Ok(Self { stream, came })
    }

    /// Sends a text.
    pub async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.stream.write_all(&masked(text.as_bytes())).await?)
    }

    /// Waits until this has come.
    pub async fn hear(&mut self, text: &str) -> anyhow::Result<()> {
        while memmem::find(&self.came, text.as_bytes()).is_none() {
            let read = self.stream.read_buf(&mut self.came).await?;
            let came = String::from_utf8_lossy(&self.came);
            ensure!(read > 0, "closed while {text} was awaited, behind {came}");
        }
        Ok(())
    }
}

/// A text frame, masked with zeros.
fn masked(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(text.len() as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text);
    frame
}
