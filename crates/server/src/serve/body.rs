//! A request body that fails when it pauses for too long, so that a silent sender costs a bounded time,
//! and whose rest is read when a handler leaves it, so that the sender reads the answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use http::header::EXPECT;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::task::TaskTracker;

/// How a request body is read.
#[derive(Clone)]
pub(super) struct Reading {
    /// The longest pause.
    pub(super) idle_timeout: Duration,
    /// For reading what a handler left.
    pub(super) drain_timeout: Duration,
    pub(super) tracker: TaskTracker,
}

pub(super) struct RequestBody {
    /// Absent only while dropping.
    body: Option<Incoming>,
    reading: Reading,
    /// Runs only while a reader waits: most bodies are there at the first poll.
    pause: Option<Pin<Box<Sleep>>>,
    /// What is left is on its way already. With `Expect: 100-continue` reading would call for it.
    is_coming: bool,
}

/// Told to the handler in place of the rest of the body.
#[derive(Debug, thiserror::Error)]
#[error("the request body paused for more than {} s", limit.as_secs_f64())]
pub(super) struct Paused {
    limit: Duration,
}

impl RequestBody {
    pub(super) fn new(parts: &Parts, body: Incoming, reading: Reading) -> Self {
        Self {
            body: Some(body),
            reading,
            pause: None,
            is_coming: !parts.headers.contains_key(EXPECT),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.is_coming = true;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            self.pause = None;
            if !matches!(frame, Some(Ok(_))) {
                self.is_coming = false;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let limit = self.reading.idle_timeout;
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(pause.as_mut().poll(cx));
        self.is_coming = false;
        Poll::Ready(Some(Err(Box::new(Paused { limit }))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    /// A connection that is closed while the peer still sends is reset, and the reset can overtake
    /// the answer (say, 401 to a large import). So the rest is read for a short while.
    fn drop(&mut self) {
        let Some(mut rest) = self.body.take() else {
            return;
        };
        let in_runtime = tokio::runtime::Handle::try_current().is_ok();
        if !self.is_coming || rest.is_end_stream() || !in_runtime {
            return;
        }
        let limit = self.reading.drain_timeout;
        self.reading.tracker.spawn(async move {
            let reading = async { while let Some(Ok(_)) = rest.frame().await {} };
            let _ = timeout(limit, reading).await;
        });
    }
}
