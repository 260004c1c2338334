use std::sync::Arc;

use model::position::Epoch;

use super::Next;
use crate::cursor::{Cursor, Quota};
use crate::end::EndReason;
use crate::entry::Entry;
use crate::group::Groups;
use crate::parked::Unparked;
use crate::ring::Ring;
use crate::signal::Seen;

/// How many messages of the ring one look at the channel goes over: bounds the time under its lock.
const SCAN: usize = 256;

/// What is known of a channel with readers; see [`super::Channel`] for its lock.
pub(super) struct State {
    /// The current incarnation, as far as known; `None` while the channel does not exist.
    pub(super) epoch: Option<Epoch>,
    pub(super) head: u64,
    /// Counts the changes of epoch and head, so that a slow answer of the history is known to be stale.
    pub(super) version: u64,
    /// What the history no longer holds, once it has confirmed the current epoch.
    pub(super) confirmed: Option<u64>,
    pub(super) ring: Ring,
    /// Whether the budget of the rings knows this one.
    pub(super) budgeted: bool,
    pub(super) groups: Groups,
    pub(super) readers: usize,
    pub(super) ended: Option<Ended>,
}

pub(super) struct Ended {
    pub(super) reason: EndReason,
    /// The incarnation whose readers end; `None` for all.
    pub(super) epoch: Option<Epoch>,
}

impl Ended {
    pub(super) fn concerns(&self, epoch: Option<Epoch>) -> bool {
        self.epoch.is_none() || self.epoch == epoch
    }
}

impl State {
    pub(super) fn seen(&self) -> Seen {
        Seen {
            epoch: self.epoch,
            seq: self.head,
        }
    }

    pub(super) fn is_latest(&self, entry: &Entry) -> bool {
        self.epoch == Some(entry.epoch) && self.head == entry.message.seq && self.ended.is_none()
    }

    /// Another incarnation. Readers that waited for the first one have seen it up to 0.
    pub(super) fn renew(&mut self, epoch: Option<Epoch>, head: u64, unparked: &mut Vec<Unparked>) {
        let seen = match self.epoch {
            Some(_) => self.seen(),
            None => Seen { epoch, seq: 0 },
        };
        self.epoch = epoch;
        self.head = head;
        self.version += 1;
        self.confirmed = None;
        self.ring.clear();
        self.groups.forget_verdicts();
        self.groups.unpark_all(seen, unparked);
    }

    /// The store holds more than came by here: the readers fetch it.
    pub(super) fn raise(&mut self, head: u64, unparked: &mut Vec<Unparked>) {
        let seen = self.seen();
        self.head = head;
        self.version += 1;
        self.groups.unpark_all(seen, unparked);
    }

    /// Sees to it that cursor and channel speak of the same incarnation.
    pub(super) fn settle(&self, cursor: &mut Cursor) -> Option<Next> {
        if let Some(ended) = &self.ended {
            if !ended.concerns(cursor.epoch) {
                return Some(Next::Rejoin);
            }
            if cursor.epoch != self.epoch {
                return Some(Next::End(ended.reason.clone()));
            }
        }
        if cursor.epoch.is_none() && self.epoch.is_some() {
            cursor.epoch = self.epoch;
            cursor.seq = 0;
            cursor.check = false;
        }
        if cursor.epoch != self.epoch {
            // Hints may come late: the history decides which incarnation is the current one.
            let (Some(epoch), Some(floor), false) = (self.epoch, self.confirmed, cursor.check) else {
                return Some(Next::History { fresh: true });
            };
            let from = cursor.position();
            cursor.epoch = Some(epoch);
            cursor.seq = floor;
            return Some(Next::Gap {
                from,
                to: cursor.position(),
            });
        }
        cursor.check &= cursor.epoch.is_none() && self.ended.is_none();
        cursor.check.then_some(Next::History { fresh: true })
    }

    pub(super) fn read_ring(
        &mut self,
        cursor: &mut Cursor,
        quota: &mut Quota,
        mut give: impl FnMut(&Arc<Entry>),
    ) -> Next {
        let Some(first) = self.ring.first() else {
            return Next::History { fresh: false };
        };
        if self.ring.get(cursor.seq + 1).is_none() {
            return Next::History { fresh: false };
        }
        for _ in 0..SCAN {
            let Some(entry) = self.ring.get(cursor.seq + 1) else {
                break;
            };
            if self.groups.matches(cursor.group, first, &entry.message) {
                if !quota.take(entry.wire_size()) {
                    break;
                }
                give(entry);
            }
            cursor.seq += 1;
        }
        Next::Moved
    }
}
