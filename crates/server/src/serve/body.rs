//! A request body that fails when it pauses for too long, so that a silent sender costs a bounded time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

pub(super) struct IdleLimited {
    body: Incoming,
    limit: Duration,
    /// Runs only while a reader waits: most bodies are there at the first poll.
    pause: Option<Pin<Box<Sleep>>>,
}

/// Told to the handler in place of the rest of the body.
#[derive(Debug, thiserror::Error)]
#[error("the request body paused for more than {} s", limit.as_secs_f64())]
pub(super) struct Paused {
    limit: Duration,
}

impl IdleLimited {
    pub(super) fn new(body: Incoming, limit: Duration) -> Self {
        Self {
            body,
            limit,
            pause: None,
        }
    }
}

impl Body for IdleLimited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.pause = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let limit = self.limit;
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(pause.as_mut().poll(cx));
        Poll::Ready(Some(Err(Box::new(Paused { limit }))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
