use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use engine::inbox::watch::InboxWatch;
use http_body::{Body, Frame};

use super::event;
use crate::messaging::events::heartbeats::{Beat, Heartbeats};

/// Bytes of one write, about: a reader of a long list shares the thread with others.
const WRITE: usize = 64 * 1024;

/// The body of a live inbox: all that waits goes into one frame, and nothing is kept for a reader that does
/// not read but the events of one read of the store.
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

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let events = &mut *self;
        let Some(watch) = &mut events.watch else {
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
        if !has_ended && out.is_empty() && events.beat.poll_due(cx) {
            event::write_heartbeat(&mut out, watch.cursor());
        }
        if has_ended {
            events.watch = None;
        }
        match (out.is_empty(), has_ended) {
            (false, _) => Poll::Ready(Some(Ok(Frame::data(out.into())))),
            (true, true) => Poll::Ready(None),
            (true, false) => Poll::Pending,
        }
    }
}
