//! A reader of Backendless RT (api.md 3.6), directly over a WebSocket.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use memchr::memmem;
use tokio::net::TcpStream;

use super::target::Target;
use super::transport::Socket;

/// The frame of an engine.io ping. In no other place of what is sent here do these bytes stand: payloads are
/// ASCII, and behind the length of a frame stands the `4` of a message.
const PING: &[u8] = b"\x81\x012";
/// A pong, masked with zeros.
const PONG: &[u8] = b"\x81\x81\0\0\0\x003";

/// A new client takes the place of an older one of the same id.
static CLIENTS: AtomicUsize = AtomicUsize::new(0);

/// Connects, opens engine.io, joins the namespace and subscribes as the SDK does, with ids of its length.
pub async fn open(target: &Target, channel: usize) -> anyhow::Result<(TcpStream, Vec<u8>)> {
    let client = CLIENTS.fetch_add(1, Ordering::Relaxed);
    let id = |kind: u8| format!("{client:08x}-0000-4000-8000-{kind:012x}");
    let path = format!(
        "/default/?EIO=4&transport=websocket&apiKey={}&clientId={}",
        target.server.dev()?.keys.app,
        id(0)
    );
    let mut socket = Socket::open(target, &path, "").await?;
    socket.hear(r#"0{"#).await?;
    socket.say("40/default,").await?;
    socket.hear(r#"40/default,{"#).await?;
    for (name, id) in [("PUB_SUB_CONNECT", id(1)), ("PUB_SUB_MESSAGES", id(2))] {
        let options = format!(r#"{{"channel":"live{channel}"}}"#);
        let on = format!(r#"42/default,["SUB_ON",{{"id":"{id}","name":"{name}","options":{options}}}]"#);
        socket.say(&on).await?;
        socket.hear(&format!(r#"["SUB_READY",{{"id":"{id}"}}"#)).await?;
    }
    Ok((socket.stream, socket.came))
}

/// Answers the pings in these bytes, of which so many were seen before.
pub fn answer_pings(stream: &TcpStream, bytes: &[u8], seen: usize) -> anyhow::Result<()> {
    for _ in memmem::find_iter(&bytes[seen.saturating_sub(PING.len() - 1)..], PING) {
        ensure!(stream.try_write(PONG)? == PONG.len(), "the server reads no pongs");
    }
    Ok(())
}
