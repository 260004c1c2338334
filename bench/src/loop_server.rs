//! The least that a delivery can cost over sockets: a loop that writes each message to all readers of its
//! channel, and does nothing else. It takes the requests that nchan takes in the bench.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::http1::find;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const EVENTS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
/// The key that all clients of the bench send, answered (RFC 6455, 1.3).
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The readers of all channels.
type Channels = Arc<Mutex<HashMap<String, Vec<Reader>>>>;

struct Reader {
    stream: TcpStream,
    has_frames: bool,
}

/// Serves on a free port.
pub async fn serve() -> anyhow::Result<()> {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    crate::report::print(&format!("listening on http://{}\n", socket.local_addr()?))?;
    let channels = Channels::default();
    tokio::spawn(async move {
        loop {
            let (stream, _) = socket.accept().await?;
            stream.set_nodelay(true)?;
            let channels = Arc::clone(&channels);
            tokio::spawn(async move {
                if let Err(error) = connection(stream, &channels).await {
                    eprintln!("a connection ended: {error:#}");
                }
            });
        }
    })
    .await?
}

/// Publishes of one connection, or a subscription.
async fn connection(mut stream: TcpStream, channels: &Channels) -> anyhow::Result<()> {
    let mut buffer = Vec::with_capacity(4 * 1024);
    loop {
        let Some(head) = find(&buffer, b"\r\n\r\n") else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let text = std::str::from_utf8(&buffer[..head])?;
        let path = text.split(' ').nth(1).context("no path")?;
        let (kind, channel) = path[1..].split_once('/').context("no channel")?;
        let channel = channel.to_owned();
        let answer = match kind {
            "publish" => {
                let length = text
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let end = head + 4 + length.context("no length")?.parse::<usize>()?;
                while buffer.len() < end {
                    ensure!(stream.read_buf(&mut buffer).await? > 0, "half a request");
                }
                write_to_all(channels, &channel, &buffer[head + 4..end])?;
                stream.write_all(OK).await?;
                buffer.drain(..end);
                continue;
            }
            "events" => EVENTS,
            _ => UPGRADED,
        };
        stream.write_all(answer).await?;
        let reader = Reader {
            stream,
            has_frames: kind == "websocket",
        };
        let mut channels = channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.entry(channel).or_default().push(reader);
        return Ok(());
    }
}

fn write_to_all(channels: &Channels, channel: &str, payload: &[u8]) -> anyhow::Result<()> {
    let event = [b"data: ", payload, b"\n\n"].concat();
    // A text frame that is not masked, of a payload of up to 64 KiB (RFC 6455, 5.2).
    let length = u16::try_from(payload.len())?.to_be_bytes();
    let frame = [&[0x81, 126], &length[..], payload].concat();
    let channels = channels.lock().unwrap_or_else(PoisonError::into_inner);
    for reader in channels.get(channel).into_iter().flatten() {
        let bytes = if reader.has_frames { &frame } else { &event };
        // At a fixed rate sockets have room; a reader that has none would be missed by the count.
        let written = reader.stream.try_write(bytes)?;
        ensure!(written == bytes.len(), "a reader took a part of a message");
    }
    Ok(())
}
