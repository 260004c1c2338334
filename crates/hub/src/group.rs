use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;

use foldhash::quality::RandomState;
use model::message::Message;

use crate::filter::Filter;
use crate::parked::{Lent, Parked, Ticket, Unparked, Waiting};
use crate::signal::Seen;

/// The readers of a channel, by filter. Those without one are the first group; it always exists.
#[derive(Default)]
pub(crate) struct Groups {
    unfiltered: Parked,
    filtered: Vec<Option<Group>>,
    by_key: HashMap<Box<str>, u32, RandomState>,
    /// How many tickets were given out.
    tickets: u32,
}

/// Readers with the same filter.
struct Group {
    filter: Arc<dyn Filter>,
    readers: usize,
    parked: Parked,
    verdicts: Verdicts,
}

/// Which group of its channel a reader is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupId(u32);

const UNFILTERED: GroupId = GroupId(u32::MAX);

impl Groups {
    pub(crate) fn join(&mut self, filter: Option<&Arc<dyn Filter>>) -> GroupId {
        let Some(filter) = filter else { return UNFILTERED };
        if let Some(&index) = self.by_key.get(filter.key()) {
            if let Some(group) = &mut self.filtered[index as usize] {
                group.readers += 1;
            }
            return GroupId(index);
        }
        let group = Some(Group {
            filter: Arc::clone(filter),
            readers: 1,
            parked: Parked::default(),
            verdicts: Verdicts::default(),
        });
        let index = self
            .filtered
            .iter()
            .position(Option::is_none)
            .unwrap_or(self.filtered.len());
        match self.filtered.get_mut(index) {
            Some(place) => *place = group,
            None => self.filtered.push(group),
        }
        let index = index as u32;
        self.by_key.insert(filter.key().into(), index);
        GroupId(index)
    }

    pub(crate) fn leave(&mut self, id: GroupId) {
        let Some(place) = self.filtered.get_mut(id.0 as usize) else {
            return;
        };
        let Some(group) = place else { return };
        group.readers -= 1;
        if group.readers == 0 {
            self.by_key.remove(group.filter.key());
            *place = None;
        }
    }

    /// Parks a reader in its group.
    pub(crate) fn park(&mut self, id: GroupId, waiting: Waiting) -> Ticket {
        self.tickets = self.tickets.wrapping_add(1);
        let number = NonZeroU32::new(self.tickets).unwrap_or(NonZeroU32::MAX);
        self.parked(id).park(number, waiting)
    }

    /// The parked readers of a group.
    pub(crate) fn parked(&mut self, id: GroupId) -> &mut Parked {
        match self.filtered.get_mut(id.0 as usize) {
            Some(Some(group)) => &mut group.parked,
            _ => &mut self.unfiltered,
        }
    }

    /// Whether the group gets this message of the ring; computed once for a group and a message while
    /// the ring holds it. `ring_first` is the oldest seq in the ring.
    pub(crate) fn matches(&mut self, id: GroupId, ring_first: u64, message: &Message) -> bool {
        match self.filtered.get_mut(id.0 as usize) {
            Some(Some(group)) => group.matches(ring_first, message),
            _ => true,
        }
    }

    /// Lends the parked readers whom this new message concerns. Groups without parked readers are
    /// not computed: their readers do it when they come by.
    pub(crate) fn lend_matching(&mut self, ring_first: u64, message: &Message) -> Vec<Lent> {
        let mut lent = Vec::new();
        self.unfiltered.lend(UNFILTERED, &mut lent);
        for (index, place) in self.filtered.iter_mut().enumerate() {
            let Some(group) = place else { continue };
            if !group.parked.is_empty() && group.matches(ring_first, message) {
                group.parked.lend(GroupId(index as u32), &mut lent);
            }
        }
        lent
    }

    /// Takes out all parked readers.
    pub(crate) fn unpark_all(&mut self, seen: Seen, unparked: &mut Vec<Unparked>) {
        let groups = self.filtered.iter_mut().flatten().map(|group| &mut group.parked);
        for parked in groups.chain([&mut self.unfiltered]) {
            if !parked.is_empty() {
                unparked.push(parked.drain(seen));
            }
        }
    }

    /// Forgets what was computed: the ring starts anew.
    pub(crate) fn forget_verdicts(&mut self) {
        for group in self.filtered.iter_mut().flatten() {
            group.verdicts = Verdicts::default();
        }
    }
}

impl Group {
    fn matches(&mut self, ring_first: u64, message: &Message) -> bool {
        self.verdicts.forget_before(ring_first);
        if let Some(verdict) = self.verdicts.get(message.seq) {
            return verdict;
        }
        let verdict = self.filter.matches(message);
        self.verdicts.set(message.seq, verdict);
        verdict
    }
}

/// What a group's filter said about the messages of the ring: bits by seq, in blocks of 64.
#[derive(Default)]
struct Verdicts {
    /// The number of the first block; its first seq is 64 times that.
    first: u64,
    blocks: VecDeque<Block>,
}

#[derive(Clone, Copy, Default)]
struct Block {
    /// The messages that the filter was asked about.
    known: u64,
    /// Those of them that the group gets.
    wanted: u64,
}

impl Verdicts {
    fn forget_before(&mut self, seq: u64) {
        let block = seq / 64;
        if block < self.first {
            // The ring began anew with older messages.
            *self = Self::default();
        }
        while self.first < block && self.blocks.pop_front().is_some() {
            self.first += 1;
        }
        if self.blocks.is_empty() {
            self.first = block;
        }
    }

    fn get(&self, seq: u64) -> Option<bool> {
        let index = usize::try_from((seq / 64).checked_sub(self.first)?).ok()?;
        let (block, bit) = (self.blocks.get(index)?, 1 << (seq % 64));
        (block.known & bit != 0).then_some(block.wanted & bit != 0)
    }

    /// `seq` is at or after what was forgotten last, and less than a ring's length beyond it.
    fn set(&mut self, seq: u64, verdict: bool) {
        let Some(index) = (seq / 64).checked_sub(self.first) else {
            return;
        };
        let (index, bit) = (index as usize, 1 << (seq % 64));
        if self.blocks.len() <= index {
            self.blocks.resize(index + 1, Block::default());
        }
        let block = &mut self.blocks[index];
        block.known |= bit;
        if verdict {
            block.wanted |= bit;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
