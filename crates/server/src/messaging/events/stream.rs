use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use engine::messaging::subscribe::{ONLY, Stream};
use hub::{BatchLimits, Entry, Outlet};

use super::frame;
use super::heartbeats::{Beat, Heartbeats};
use crate::serve::streaming::{Chunk, Chunks};

/// What one write takes at most: a reader that is far behind shares the thread with others.
const BATCH: BatchLimits = BatchLimits {
    max_messages: 512,
    max_bytes: 64 * 1024,
};

/// The events of a stream: all that waits at once, and nothing is kept for a reader that does not read.
pub struct Events {
    /// Absent once the stream has ended.
    stream: Option<Stream>,
    beat: Arc<Beat>,
}

impl Events {
    /// The events of a stream that was opened.
    pub fn new(stream: Stream, heartbeats: &Arc<Heartbeats>) -> Self {
        // The first beat at once: a reader that breaks off early knows where to go on.
        Self {
            stream: Some(stream),
            beat: heartbeats.join(),
        }
    }
}

impl Chunks for Events {
    fn poll_chunks(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        // Messages first: a position that is told stands behind what it says was delivered.
        if let Poll::Ready(deliveries) = stream.connection.poll_batch(cx, BATCH) {
            let (chunks, ends) = frame::batch(&deliveries);
            if ends {
                self.stream = None;
            }
            return Poll::Ready(Some(chunks));
        }
        let position = self.beat.poll_told(cx, || stream.connection.position(ONLY));
        position.map(|position| Some(vec![frame::heartbeat(position)]))
    }

    fn set_outlet(&mut self, outlet: Weak<dyn Outlet>) {
        if let Some(stream) = &mut self.stream {
            stream.connection.set_outlet(outlet);
        }
    }

    fn message(&self, entry: &Entry) -> Option<Chunk> {
        self.stream.is_some().then(|| frame::message(entry))
    }
}
