//! Work that goes on until the stop comes further.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::sync::watch;
use tokio::task::coop::has_budget_remaining;

use super::Phase;

/// Polls `work` until it is ready; `None` once the phase has changed. Asking a watch again at every poll
/// would take a lock that all connections share: it is asked once, and when it has something to say.
pub(super) async fn unless_stopped<T>(
    stop: &mut watch::Receiver<Phase>,
    mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let seen = stop.clone();
    let mut changed = pin!(stop.changed());
    let mut is_watched = false;
    poll_fn(|cx| {
        if let Poll::Ready(done) = work(cx) {
            return Poll::Ready(Some(done));
        }
        let is_quiet = is_watched && matches!(seen.has_changed(), Ok(false));
        if is_quiet {
            return Poll::Pending;
        }
        let changed = changed.as_mut().poll(cx);
        // Without budget it is told to wait, and keeps no waker: the task is woken at once, to ask again.
        is_watched = changed.is_pending() && has_budget_remaining();
        changed.map(|_| None)
    })
    .await
}

/// How far the stop is. Where nobody is left to tell, as after a server that was dropped, it is at its end.
pub(super) fn phase(stop: &mut watch::Receiver<Phase>) -> Phase {
    match stop.has_changed() {
        Ok(_) => *stop.borrow_and_update(),
        Err(_) => Phase::Closing,
    }
}

#[cfg(test)]
mod tests;
