//! Answers that go on: what waits is written at once, as chunks that are encoded once for all readers.
//!
//! Over plain HTTP/1.1 the edge takes the socket from hyper once the head is sent and writes the chunks
//! itself, which costs a fraction of hyper's memory and time a connection; elsewhere (TLS, HTTP/2,
//! HTTP/1.0, HEAD) the same source is the body of the answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use hub::{Entry, Outlet};
use parking_lot::Mutex;

/// Room for the size of a chunk: eight hexadecimal digits, CR and LF.
const SIZE_LINE: usize = 10;

/// A chunk of HTTP/1.1 (RFC 9112, 7.1) with its frame, in one piece of shared memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk(Bytes);

impl Chunk {
    /// The last chunk, which ends the answer.
    pub(super) const LAST: Self = Self(Bytes::from_static(b"0\r\n\r\n"));

    /// The chunk of what `write` appends, which must not be nothing. `capacity` bytes are made ready.
    pub fn new(capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = Vec::with_capacity(SIZE_LINE + capacity + 2);
        bytes.extend_from_slice(&[0; SIZE_LINE]);
        write(&mut bytes);
        let mut size = bytes.len() - SIZE_LINE;
        debug_assert!(size > 0, "an empty chunk would end the answer");
        bytes.extend_from_slice(b"\r\n");
        bytes[SIZE_LINE - 2..SIZE_LINE].copy_from_slice(b"\r\n");
        let mut start = SIZE_LINE - 2;
        while size > 0 && start > 0 {
            start -= 1;
            bytes[start] = b"0123456789abcdef"[size % 16];
            size /= 16;
        }
        Self(Bytes::from(bytes).slice(start..))
    }

    /// The chunk whose [`Chunk::framed`] these bytes are.
    pub fn from_framed(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The chunk as HTTP/1.1 writes it.
    pub fn framed(&self) -> &Bytes {
        &self.0
    }

    /// What is in the chunk.
    pub fn data(&self) -> Bytes {
        let line = self.0.iter().take(SIZE_LINE).position(|byte| *byte == b'\n');
        let start = line.map_or(0, |end| end + 1);
        self.0.slice(start..self.0.len().saturating_sub(2).max(start))
    }
}

/// Where the chunks of an answer come from.
pub trait Chunks: Send + 'static {
    /// All that waits, at least one chunk and at most what one write should take; `None` at the end, after
    /// which it is not polled again.
    fn poll_chunks(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>>;

    /// Told of the socket when it writes to nothing else: messages may be written there directly
    /// ([`hub::Connection::set_outlet`]).
    fn set_outlet(&mut self, outlet: Weak<dyn Outlet>) {
        drop(outlet);
    }

    /// A message for the outlet as a chunk; `None` when this reader takes no more.
    fn message(&self, entry: &Entry) -> Option<Chunk> {
        let _ = entry;
        None
    }
}

/// Shared by body and extension of an answer: whoever writes it takes the source out.
type Source = Arc<Mutex<Option<Box<dyn Chunks>>>>;

/// The extension of an answer whose body the edge may write itself.
#[derive(Clone)]
pub(super) struct Streamed(Source);

impl Streamed {
    /// Takes the source away from the body, which is empty for ever from then on.
    pub(super) fn take(self) -> Option<Box<dyn Chunks>> {
        self.0.lock().take()
    }
}

/// A 200 whose body are the chunks of this source. A layer that changes the body of the answer has to
/// remove its extensions, else the edge writes the chunks as they are.
pub fn answer(chunks: impl Chunks) -> Response {
    let source: Source = Arc::new(Mutex::new(Some(Box::new(chunks))));
    let mut response = Response::new(Body::new(Streaming(Arc::clone(&source))));
    response.extensions_mut().insert(Streamed(source));
    response
}

/// The body of a streamed answer that hyper writes.
struct Streaming(Source);

impl http_body::Body for Streaming {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut source = self.0.lock();
        let Some(chunks) = source.as_mut() else {
            return Poll::Ready(None);
        };
        let Poll::Ready(ready) = chunks.poll_chunks(cx) else {
            return Poll::Pending;
        };
        let Some(ready) = ready else {
            *source = None;
            return Poll::Ready(None);
        };
        Poll::Ready(Some(Ok(Frame::data(joined(&ready)))))
    }
}

/// One frame for all: hyper would write each frame on its own.
fn joined(chunks: &[Chunk]) -> Bytes {
    if let [chunk] = chunks {
        return chunk.data();
    }
    let size = chunks.iter().map(|chunk| chunk.0.len()).sum();
    let mut bytes = Vec::with_capacity(size);
    for chunk in chunks {
        bytes.extend_from_slice(&chunk.data());
    }
    bytes.into()
}

#[cfg(test)]
mod tests;
