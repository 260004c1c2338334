use std::sync::Arc;
use std::task::{Context, Poll};

use model::position::{Position, Since};

use super::{BatchLimits, Behind, Connection, Delivery, Work};
use crate::channel::Next;
use crate::cursor::Quota;
use crate::end::EndReason;
use crate::entry::Entry;
use crate::signal::SubscriptionId;

/// The most looks at channels and pages before the task yields: filters may refuse a lot.
const LOOKS: usize = 64;

/// A batch in the making.
pub(super) struct Batch {
    pub(super) deliveries: Vec<Delivery>,
    pub(super) quota: Quota,
}

impl Connection {
    /// One look at what waits. News first, then heads: see [`crate::signal::Signal`].
    pub(super) fn turn(
        &mut self,
        work: &mut Work,
        context: &mut Context<'_>,
        limits: BatchLimits,
    ) -> Poll<Vec<Delivery>> {
        let mut batch = Batch {
            deliveries: Vec::new(),
            quota: Quota::new(limits.max_messages, limits.max_bytes),
        };
        let mut looks = LOOKS;
        loop {
            self.take_news(work, &mut batch);
            while looks > 0 && !batch.quota.is_full() {
                looks -= 1;
                let moved = self.poll_reading(work, context, &mut batch)
                    | self.look(work, &mut batch)
                    | self.start_reading(work, &mut batch);
                if !moved {
                    break;
                }
            }
            if !batch.deliveries.is_empty() {
                return Poll::Ready(batch.deliveries);
            }
            if looks == 0 {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.signal.sleep(context.waker()) {
                return Poll::Pending;
            }
        }
    }

    /// Takes over what others left: orders, and cursors that were unparked.
    fn take_news(&mut self, work: &mut Work, batch: &mut Batch) {
        let (dirty, orders) = self.signal.take();
        for dirty in dirty {
            if let Some(subscription) = self.get(dirty.slot) {
                subscription.registration.cursor.unpark(dirty.seen);
                work.ready.push_back(dirty.slot);
            }
        }
        let Some(orders) = orders else { return };
        for (subscription, reason) in orders.ends {
            if self.unsubscribe(subscription) {
                batch.end(subscription, reason);
            }
        }
        if let Some(reason) = orders.close {
            self.subscriptions = Vec::new();
            *work = Work::default();
            batch.deliveries.push(Delivery::Closed { reason });
        }
    }

    /// Lets the next subscription read from its ring; false when none is ready.
    fn look(&mut self, work: &mut Work, batch: &mut Batch) -> bool {
        let Some(slot) = work.ready.pop_front() else {
            return false;
        };
        let signal = Arc::clone(&self.signal);
        let Some(subscription) = self.get(slot) else {
            return true;
        };
        let id = subscription.id;
        let registration = &mut subscription.registration;
        if let Some(from) = subscription.gap.take() {
            batch.gap(id, *from, registration.cursor.position());
        }
        let Batch { deliveries, quota } = batch;
        quota.next_share();
        let next = registration
            .channel
            .read(&mut registration.cursor, (&signal, slot, id), quota, |entry| {
                deliveries.push(message(id, entry));
            });
        match next {
            Next::Moved => work.ready.push_back(slot),
            Next::Parked => {}
            Next::History { fresh } => work.behind.push_back(Behind { slot, fresh }),
            Next::Gap { from, to } => {
                batch.gap(id, asked(from), to);
                work.ready.push_back(slot);
            }
            Next::End(reason) => {
                batch.end(id, reason);
                self.remove(slot);
            }
            Next::Rejoin => {
                registration.rejoin();
                work.ready.push_back(slot);
            }
        }
        true
    }
}

impl Batch {
    pub(super) fn gap(&mut self, subscription: SubscriptionId, from: Since, to: Position) {
        self.deliveries.push(Delivery::Gap {
            subscription,
            from,
            to,
        });
    }

    pub(super) fn end(&mut self, subscription: SubscriptionId, reason: EndReason) {
        self.deliveries.push(Delivery::End { subscription, reason });
    }
}

pub(super) fn message(subscription: SubscriptionId, entry: &Arc<Entry>) -> Delivery {
    Delivery::Message {
        subscription,
        entry: Arc::clone(entry),
    }
}

/// A position in the form in which a reader asks for it.
pub(super) fn asked(position: Position) -> Since {
    match position {
        Position::Start => Since::Seq(0),
        Position::At { epoch, seq } => Since::Position { epoch, seq },
    }
}
