use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use engine::messaging::subscribe::{ONLY, Stream};
use http_body::{Body, Frame};
use hub::BatchLimits;

use super::frame;
use super::heartbeats::{Beat, Heartbeats};

/// What one write takes at most: a reader that is far behind shares the thread with others.
const BATCH: BatchLimits = BatchLimits {
    max_messages: 512,
    max_bytes: 64 * 1024,
};

/// The body of an event stream: all that waits goes into one frame, and nothing is kept for a reader that
/// does not read.
pub struct Events {
    /// Absent once the stream has ended.
    stream: Option<Stream>,
    beat: Arc<Beat>,
}

impl Events {
    /// The body of a stream that was opened.
    pub fn new(stream: Stream, heartbeats: &Arc<Heartbeats>) -> Self {
        // The first beat at once: a reader that breaks off early knows where to go on.
        Self {
            stream: Some(stream),
            beat: heartbeats.join(),
        }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let events = &mut *self;
        let Some(stream) = &mut events.stream else {
            return Poll::Ready(None);
        };
        // Messages first: a position that is told stands behind what it says was delivered.
        if let Poll::Ready(deliveries) = stream.connection.poll_batch(cx, BATCH) {
            let (bytes, ends) = frame::batch(&deliveries);
            if ends {
                events.stream = None;
            }
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if events.beat.poll_due(cx)
            && let Some(position) = stream.connection.position(ONLY)
        {
            return Poll::Ready(Some(Ok(Frame::data(frame::heartbeat(position)))));
        }
        Poll::Pending
    }
}
