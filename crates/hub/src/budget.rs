use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::channel::Channel;

/// One byte budget for all rings. Over it, the rings take turns in giving up their older half: big ones
/// lose most, and as every message is dropped once the cost is O(1) a message.
pub(crate) struct Budget {
    max_bytes: usize,
    used: Arc<AtomicUsize>,
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    channels: VecDeque<Weak<Channel>>,
    /// At this length, channels that are gone are sorted out.
    sweep_at: usize,
}

impl Budget {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            used: Arc::default(),
            turns: Mutex::default(),
        }
    }

    /// The sum that the rings keep up to date.
    pub(crate) fn counter(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.used)
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// A channel whose ring is in use from now on.
    pub(crate) fn add(&self, channel: &Arc<Channel>) {
        let mut turns = self.turns.lock();
        turns.channels.push_back(Arc::downgrade(channel));
        if turns.channels.len() > turns.sweep_at.max(64) {
            turns.channels.retain(|channel| channel.strong_count() > 0);
            turns.sweep_at = 2 * turns.channels.len();
        }
    }

    /// Drops messages until the budget is kept.
    pub(crate) fn enforce(&self) {
        if self.used() <= self.max_bytes {
            return;
        }
        let mut turns = self.turns.lock();
        while self.used() > self.max_bytes {
            let Some(channel) = turns.channels.pop_front() else {
                break;
            };
            if channel.upgrade().is_some_and(|channel| channel.evict_half()) {
                turns.channels.push_back(channel);
            }
        }
    }
}
