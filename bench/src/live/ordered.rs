use anyhow::{bail, ensure};
use memchr::memmem;
use tokio::net::TcpStream;

use super::readers::{Sees, read};
use super::target::Target;
use super::transport::{Transport, sse};

/// An SSE reader of one channel that checks that it gets every message once and in order, over as many
/// connections as it takes.
pub struct Ordered {
    stream: TcpStream,
    rest: Vec<u8>,
    events: Events,
}

/// The position of a reader.
struct Events {
    /// The epoch and the last message, as `id:` has them.
    id: Vec<u8>,
    seq: usize,
    last: usize,
}

impl Ordered {
    /// Subscribes behind so many messages, and reads nothing yet.
    pub async fn open(target: &Target, after: usize) -> anyhow::Result<Self> {
        let (stream, rest) = sse(target, 0, None).await?;
        Ok(Self {
            stream,
            rest,
            events: Events {
                id: b"0".to_vec(),
                seq: after,
                last: after,
            },
        })
    }

    /// The last message that came.
    pub fn seq(&self) -> usize {
        self.events.seq
    }

    /// Reads until so many more messages have come; how often the server had closed the connection.
    pub async fn read_all(&mut self, target: &Target, messages: usize) -> anyhow::Result<usize> {
        self.events.last = self.events.seq + messages;
        let mut closed = 0;
        loop {
            let rest = std::mem::take(&mut self.rest);
            read(Transport::Sse, &self.stream, rest, &mut self.events).await?;
            if self.events.is_complete() {
                return Ok(closed);
            }
            closed += 1;
            let since = String::from_utf8_lossy(&self.events.id).into_owned();
            (self.stream, self.rest) = sse(target, 0, Some(&since)).await?;
        }
    }
}

impl Sees for Events {
    fn see(&mut self, bytes: &[u8]) -> anyhow::Result<usize> {
        let mut at = 0;
        while let Some(length) = memmem::find(&bytes[at..], b"\n\n") {
            self.event(&bytes[at..at + length])?;
            at += length + 2;
        }
        Ok(bytes.len() - at)
    }

    fn is_complete(&self) -> bool {
        self.seq == self.last
    }
}

impl Events {
    /// `id: <epoch>-<seq>`, then `event: message` and `data:`, or nothing for a heartbeat; in front may stand
    /// the size of a chunk.
    fn event(&mut self, event: &[u8]) -> anyhow::Result<()> {
        let mut lines = event.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        let id = lines.by_ref().find_map(|line| line.strip_prefix(b"id: "));
        let kind = lines.next();
        let (Some(id), None | Some(b"event: message")) = (id, kind) else {
            bail!("unexpected: {}", String::from_utf8_lossy(event));
        };
        if kind.is_some() {
            let seq = id.rsplit(|byte| *byte == b'-').next().unwrap_or_default();
            let number = |number, digit: &u8| number * 10 + usize::from(digit.wrapping_sub(b'0'));
            let seq = seq.iter().fold(0, number);
            ensure!(seq == self.seq + 1, "message {seq} came after {}", self.seq);
            self.seq = seq;
        }
        self.id.clear();
        self.id.extend_from_slice(id);
        Ok(())
    }
}
