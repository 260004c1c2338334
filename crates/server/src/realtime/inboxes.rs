use std::task::{Context, Poll};

use engine::access::caller::Caller;
use engine::inbox::watch::{Happening, InboxWatch};
use hub::EndReason;

use super::answer;
use super::request::Id;
use crate::websocket::output::Output;

/// The live inboxes of a connection: few, mostly none.
#[derive(Default)]
pub(super) struct Inboxes(Vec<(Id, Box<InboxWatch>)>);

impl Inboxes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn has(&self, id: &Id) -> bool {
        self.0.iter().any(|(open, _)| open == id)
    }

    pub(super) fn add(&mut self, id: Id, watch: Box<InboxWatch>) {
        self.0.push((id, watch));
    }

    /// Whether there was one of this id.
    pub(super) fn remove(&mut self, id: &Id) -> bool {
        let before = self.0.len();
        self.0.retain(|(open, _)| open != id);
        self.0.len() < before
    }

    /// Ends those that the new caller may not have.
    pub(super) fn change_caller(&mut self, caller: &Caller, output: &mut Output) {
        self.0.retain(|(id, watch)| match watch.change_caller(caller) {
            Ok(()) => true,
            Err(reason) => {
                answer::end(output, id, reason.code, &reason.message);
                false
            }
        });
    }

    /// Adds what waits, about up to so many bytes of output.
    pub(super) fn fill(&mut self, cx: &mut Context<'_>, output: &mut Output, bytes: usize) {
        self.0.retain_mut(|(id, watch)| {
            while output.len() < bytes {
                match watch.poll_next(cx) {
                    Poll::Pending => return true,
                    Poll::Ready(None) => return false,
                    Poll::Ready(Some(happened)) => match &happened.what {
                        Happening::End(reason) => {
                            answer::end(output, id, reason.code, &reason.message);
                            return false;
                        }
                        _ => answer::inbox(output, id, &happened),
                    },
                }
            }
            true
        });
    }

    /// Tells how far those have come that have told everything.
    pub(super) fn tell_positions(&self, output: &mut Output) {
        for (id, watch) in &self.0 {
            if let Some(cursor) = watch.cursor() {
                answer::position(output, id, cursor);
            }
        }
    }

    pub(super) fn end_all(&mut self, reason: &EndReason, output: &mut Output) {
        for (id, _) in self.0.drain(..) {
            answer::end(output, &id, reason.code, &reason.message);
        }
    }
}
