use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use model::position::Position;
use tokio::task::JoinHandle;

use super::turn::{Batch, asked, message};
use super::{Behind, Connection, Work};
use crate::fetch::{Fetched, Wanted, cached, fetch};
use crate::history::HistoryError;
use crate::signal::Slot;

/// A page on its way, in a task of its own: a connection that does not poll, because its client does not
/// read, must not keep its turn at the store from others. Dropping it stops the task.
pub(super) struct Reading(JoinHandle<Result<Fetched, HistoryError>>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reading {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Fetched, HistoryError>> {
        let joined = Pin::new(&mut self.0).poll(context);
        joined.map(|joined| joined.unwrap_or_else(|error| Err(HistoryError(Box::new(error)))))
    }
}

impl Connection {
    /// Asks for the page of the next subscription that is behind, or takes it from the cache; false when
    /// there is none, or one is on its way already.
    pub(super) fn start_reading(&mut self, work: &mut Work, batch: &mut Batch) -> bool {
        if work.reading.is_some() {
            return false;
        }
        let Some(Behind { slot, fresh }) = work.behind.pop_front() else {
            return false;
        };
        let Some(subscription) = self.get(slot) else {
            return true;
        };
        let registration = &subscription.registration;
        let (channel, cursor) = (Arc::clone(&registration.channel), &registration.cursor);
        let wanted = Wanted {
            epoch: cursor.epoch,
            after: cursor.seq,
            fresh,
        };
        match cached(&self.shared, &channel, wanted) {
            Some(fetched) => self.take_page(slot, fetched, work, batch),
            None => {
                let reading = tokio::spawn(fetch(Arc::clone(&self.shared), channel, wanted));
                work.reading = Some((slot, Reading(reading)));
            }
        }
        true
    }

    /// Takes the page that was on its way; false when none has come.
    pub(super) fn poll_reading(
        &mut self,
        work: &mut Work,
        context: &mut Context<'_>,
        batch: &mut Batch,
    ) -> bool {
        let Some((slot, reading)) = &mut work.reading else {
            return false;
        };
        let Poll::Ready(fetched) = reading.poll(context) else {
            return false;
        };
        let slot = *slot;
        work.reading = None;
        match fetched {
            Ok(fetched) => self.take_page(slot, fetched, work, batch),
            Err(error) => self.give_up(slot, &error, batch),
        }
        true
    }

    /// Ends a subscription whose history cannot be read; its client comes back where it was.
    fn give_up(&mut self, slot: Slot, error: &HistoryError, batch: &mut Batch) {
        let reason = self.shared.options.unreadable.clone();
        let Some(subscription) = self.get(slot) else {
            return;
        };
        let key = subscription.registration.channel();
        tracing::error!(app.key = key.app.0, channel = %key.name, error = error as &dyn std::error::Error, "a subscription ends because its history cannot be read");
        batch.end(subscription.id, reason);
        self.remove(slot);
    }

    /// Brings a subscription forward by a page.
    fn take_page(&mut self, slot: Slot, fetched: Fetched, work: &mut Work, batch: &mut Batch) {
        let gone = self.shared.options.gone.clone();
        let Some(subscription) = self.get(slot) else {
            return;
        };
        let id = subscription.id;
        let registration = &mut subscription.registration;
        let cursor = &mut registration.cursor;
        if let Some(truth) = fetched.truth {
            // Where they differ, this may be older or newer than what the channel knows: ask again.
            cursor.check = !registration.channel.learn(truth);
            if cursor.epoch.is_some() && cursor.epoch != truth.epoch {
                // Its incarnation is no more: one that is known to have ended says why.
                let ended = registration.channel.end_reason(cursor.epoch);
                if let Some(reason) = ended.or(truth.epoch.is_none().then_some(gone)) {
                    batch.end(id, reason);
                    return self.remove(slot);
                }
            }
            if let Some(epoch) = truth.epoch {
                let from = cursor.position();
                let is_other = cursor.epoch.is_some_and(|known| known != epoch);
                if is_other || cursor.seq < truth.floor {
                    cursor.seq = truth.floor;
                    let to = Position::At {
                        epoch,
                        seq: cursor.seq,
                    };
                    batch.gap(id, asked(from), to);
                }
                cursor.epoch = Some(epoch);
                if is_other {
                    return work.ready.push_back(slot);
                }
            }
        }
        let page = &fetched.page;
        batch.quota.next_share();
        let first = page
            .entries
            .partition_point(|entry| entry.message.seq <= cursor.seq);
        for entry in &page.entries[first..] {
            let wanted = registration
                .filter
                .as_ref()
                .is_none_or(|filter| filter.matches(&entry.message));
            if wanted && !batch.quota.take(entry.wire_size()) {
                return work.ready.push_back(slot);
            }
            if wanted {
                batch.deliveries.push(message(id, entry));
            }
            cursor.seq = entry.message.seq;
        }
        cursor.seq = cursor.seq.max(page.end);
        work.ready.push_back(slot);
    }
}
