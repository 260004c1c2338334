use std::sync::Arc;
use std::task::{Context, Poll};

use engine::inbox::watch::InboxWatch;

use super::event;
use crate::messaging::events::heartbeats::{Beat, Heartbeats};
use crate::serve::streaming::{Chunk, Chunks};

/// Bytes of one write, about: a reader of a long list shares the thread with others.
const WRITE: usize = 64 * 1024;

/// The events of a live inbox: all that waits at once, and nothing is kept for a reader that does not read
/// but the events of one read of the store.
pub(super) struct Events {
    /// Absent once the stream has ended.
    watch: Option<InboxWatch>,
    beat: Arc<Beat>,
}

impl Events {
    pub(super) fn new(watch: InboxWatch, heartbeats: &Arc<Heartbeats>) -> Self {
        Self {
            watch: Some(watch),
            beat: heartbeats.join(),
        }
    }
}

impl Chunks for Events {
    fn poll_chunks(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<Chunk>>> {
        let Some(watch) = &mut self.watch else {
            return Poll::Ready(None);
        };
        let mut out = Vec::new();
        let has_ended = loop {
            match watch.poll_next(cx) {
                Poll::Ready(Some(next)) => event::write(&mut out, &next),
                Poll::Ready(None) => break true,
                Poll::Pending => break false,
            }
            if out.len() >= WRITE {
                break false;
            }
        };
        if !has_ended && out.is_empty() && self.beat.poll_due(cx) {
            event::write_heartbeat(&mut out, watch.cursor());
        }
        if has_ended {
            self.watch = None;
        }
        match (out.is_empty(), has_ended) {
            (false, _) => {
                let write = |chunk: &mut Vec<u8>| chunk.extend_from_slice(&out);
                Poll::Ready(Some(vec![Chunk::new(out.len(), write)]))
            }
            (true, true) => Poll::Ready(None),
            (true, false) => Poll::Pending,
        }
    }
}
