//! The writer of a streamed answer over plain HTTP/1.1, once it has the socket: a cursor, a socket and
//! nothing between them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use hub::{Entry, Offered, Outlet, SubscriptionId};
use parking_lot::Mutex;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::sync::watch;

use super::Phase;
use super::guard::GuardedTcp;
use super::stop::{phase, unless_stopped};
use super::streaming::{Chunk, Chunks};

/// Pieces in one write. The kernel takes 1,024 at most.
const PIECES: usize = 256;
/// Writes before other tasks of the thread have their turn.
const TURNS: usize = 8;
/// What a client may send behind its last request. It is of no request (the head says `connection: close`)
/// and read only to see the client's end.
const IGNORED_BYTES: usize = 64 * 1024;

/// One streamed answer: polled by its task, and offered messages by those who publish them.
pub(super) struct Lean {
    stream: Arc<Shared>,
}

/// Held by the task while it polls: whoever else comes then does without.
struct Shared(Mutex<Stream>);

struct Stream {
    tcp: GuardedTcp,
    /// Absent once it has ended.
    chunks: Option<Box<dyn Chunks>>,
    unwritten: Unwritten,
    ignored: usize,
}

/// A batch of chunks on its way. Only while the socket is full does it last longer than a poll.
#[derive(Default)]
struct Unwritten {
    chunks: Vec<Chunk>,
    /// How many chunks are written.
    at: usize,
    /// How many bytes of the next one are written.
    offset: usize,
}

impl Lean {
    pub(super) fn new(tcp: GuardedTcp, chunks: Box<dyn Chunks>) -> Self {
        let stream = Arc::new_cyclic(|stream: &Weak<Shared>| {
            let mut chunks = chunks;
            chunks.set_outlet(stream.clone());
            let stream = Stream {
                tcp,
                chunks: Some(chunks),
                unwritten: Unwritten::default(),
                ignored: 0,
            };
            Shared(Mutex::new(stream))
        });
        Self { stream }
    }

    /// Writes until the source ends, the client goes, takes no bytes for too long, or the server closes
    /// hard.
    pub(super) async fn run(self, mut stop: watch::Receiver<Phase>) {
        let peer = self.stream.0.lock().tcp.peer();
        let ended = loop {
            if let Some(ended) = unless_stopped(&mut stop, |cx| self.stream.0.lock().poll(cx)).await {
                break ended;
            }
            if phase(&mut stop) == Phase::Closing {
                return;
            }
        };
        match ended {
            Ok(()) => tracing::debug!(peer.ip = %peer.ip(), "a stream ended"),
            Err(error) => tracing::debug!(peer.ip = %peer.ip(), %error, "a stream ended early"),
        }
    }
}

impl Outlet for Shared {
    fn offer(&self, _: SubscriptionId, entry: &Arc<Entry>) -> Offered {
        let Some(mut stream) = self.0.try_lock() else {
            return Offered::Refused;
        };
        let Stream {
            tcp,
            chunks: Some(chunks),
            unwritten,
            ..
        } = &mut *stream
        else {
            return Offered::Refused;
        };
        match chunks.message(entry) {
            Some(chunk) => unwritten.offer(chunk, tcp),
            None => Offered::Refused,
        }
    }
}

impl Stream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(gone) = self.poll_client(cx) {
            return Poll::Ready(gone);
        }
        for _ in 0..TURNS {
            ready!(self.unwritten.poll_write(&mut self.tcp, cx))?;
            let Some(chunks) = &mut self.chunks else {
                return Pin::new(&mut self.tcp).poll_shutdown(cx);
            };
            let chunks = if let Some(chunks) = ready!(chunks.poll_chunks(cx)) {
                chunks
            } else {
                self.chunks = None;
                vec![Chunk::LAST]
            };
            self.unwritten = Unwritten {
                chunks,
                ..Unwritten::default()
            };
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ready when the client closed, broke, or sends on and on.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut bytes = [0; 512];
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buffer))?;
            let read = buffer.filled().len();
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
            self.ignored += read;
            if self.ignored > IGNORED_BYTES {
                let text = "the client sends on behind its last request";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
            }
        }
    }
}

impl Unwritten {
    /// Writes a chunk if nothing is before it and the socket takes at least its first bytes.
    fn offer(&mut self, chunk: Chunk, tcp: &mut GuardedTcp) -> Offered {
        if !self.chunks.is_empty() {
            return Offered::Refused;
        }
        match tcp.try_write(chunk.framed()) {
            Ok(written) if written == chunk.framed().len() => Offered::Written,
            Ok(written) => {
                self.chunks = vec![chunk];
                self.offset = written;
                Offered::Begun
            }
            // The task meets what it is, and sees to it.
            Err(_) => Offered::Refused,
        }
    }

    /// Writes all chunks; keeps, while the socket is full, only those that are left.
    fn poll_write(&mut self, tcp: &mut GuardedTcp, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.at < self.chunks.len() {
            let Poll::Ready(written) = self.poll_write_once(tcp, cx) else {
                self.chunks.drain(..self.at);
                self.at = 0;
                return Poll::Pending;
            };
            match written? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.advance(written),
            }
        }
        *self = Self::default();
        Poll::Ready(Ok(()))
    }

    fn poll_write_once(&self, tcp: &mut GuardedTcp, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let first = &self.chunks[self.at].framed()[self.offset..];
        let others = &self.chunks[self.at + 1..];
        if others.is_empty() {
            return Pin::new(tcp).poll_write(cx, first);
        }
        let mut slices = [IoSlice::new(&[]); PIECES];
        slices[0] = IoSlice::new(first);
        for (slice, chunk) in slices[1..].iter_mut().zip(others) {
            *slice = IoSlice::new(chunk.framed());
        }
        let count = PIECES.min(1 + others.len());
        Pin::new(tcp).poll_write_vectored(cx, &slices[..count])
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(chunk) = self.chunks.get(self.at) {
            let left = chunk.framed().len() - self.offset;
            if written < left {
                self.offset += written;
                return;
            }
            written -= left;
            self.at += 1;
            self.offset = 0;
        }
    }
}
