use std::collections::HashMap;
use std::time::Instant;

use engine::presence::{Joined, Listening};
use engine::streams::OpenStream;
use hub::{Connection, SubscriptionId};
use model::position::{Position, Since};

/// The subscriptions of a session.
#[derive(Default)]
pub struct Subscriptions {
    by_number: HashMap<u64, Subscription>,
    /// Their numbers by the ids that the client gave them, as JSON.
    by_id: HashMap<Box<str>, u64>,
    next: u64,
}

/// One subscription.
pub struct Subscription {
    /// The client's id, as JSON.
    pub id: Box<str>,
    /// The channel.
    pub channel: Box<str>,
    /// What it is for.
    pub kind: Kind,
    /// Its place on the list of open streams.
    pub open: OpenStream,
}

/// What a subscription is for.
pub enum Kind {
    /// `PUB_SUB_CONNECT`.
    Connect(Joined),
    /// `PUB_SUB_COMMANDS`, `PUB_SUB_USERS`.
    Listen {
        /// Held, not read.
        _listening: Listening,
    },
    /// `PUB_SUB_MESSAGES`.
    Messages {
        /// The selector that the client gave.
        selector: Option<String>,
        /// Up to where the client has confirmed what it got.
        confirmed: Option<Position>,
        /// Up to where the next confirmation will confirm.
        marked: Option<Position>,
    },
}

/// Where a subscription of messages stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The channel.
    pub channel: Box<str>,
    /// From where it goes on.
    pub since: Since,
}

/// What the last session of a client left.
#[derive(Debug, Default)]
pub struct Resumable {
    stopped: HashMap<Box<str>, Stopped>,
    until: Option<Instant>,
}

impl Subscriptions {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_number.len()
    }

    /// The number of the next one.
    pub fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether there is one of this id.
    pub fn by_id(&self, id: &str) -> Option<&Subscription> {
        self.by_number.get(self.by_id.get(id)?)
    }

    /// One by its number.
    pub fn get(&self, number: u64) -> Option<&Subscription> {
        self.by_number.get(&number)
    }

    /// One by its number, to be changed.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut Subscription> {
        self.by_number.get_mut(&number)
    }

    /// Adds one under its number.
    pub fn insert(&mut self, number: u64, subscription: Subscription) {
        self.by_id.insert(subscription.id.clone(), number);
        self.by_number.insert(number, subscription);
    }

    /// Takes one out.
    pub fn remove(&mut self, number: u64) -> Option<Subscription> {
        let subscription = self.by_number.remove(&number)?;
        self.by_id.remove(&subscription.id);
        Some(subscription)
    }

    /// Takes one out by its id.
    pub fn remove_by_id(&mut self, id: &str) -> Option<(u64, Subscription)> {
        let number = *self.by_id.get(id)?;
        Some((number, self.remove(number)?))
    }

    /// The numbers of all, oldest first.
    pub fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<_> = self.by_number.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// Remembers where each reader of messages is: what it got up to there is confirmed next.
    pub fn mark(&mut self, connection: &mut Connection) {
        for (number, subscription) in &mut self.by_number {
            if let Kind::Messages { marked, .. } = &mut subscription.kind {
                *marked = connection.position(SubscriptionId(*number));
            }
        }
    }

    /// What was marked has arrived.
    pub fn confirm(&mut self) {
        for subscription in self.by_number.values_mut() {
            if let Kind::Messages {
                confirmed, marked, ..
            } = &mut subscription.kind
                && marked.is_some()
            {
                *confirmed = *marked;
            }
        }
    }

    /// Takes all out, and tells where each reader of messages stopped for its client.
    pub fn stop(&mut self, resumable: &mut Resumable) -> (Vec<Subscription>, HashMap<Box<str>, Stopped>) {
        let mut stopped = resumable.take();
        let all: Vec<_> = std::mem::take(self).by_number.into_values().collect();
        for subscription in &all {
            if let Kind::Messages {
                confirmed: Some(position),
                ..
            } = &subscription.kind
            {
                let channel = subscription.channel.clone();
                let since = since(*position);
                stopped.insert(subscription.id.clone(), Stopped { channel, since });
            }
        }
        (all, stopped)
    }
}

impl Resumable {
    /// What was left, and until when it may be used.
    pub fn new(stopped: HashMap<Box<str>, Stopped>, until: Instant) -> Self {
        Self {
            stopped,
            until: Some(until),
        }
    }

    /// Where the subscription of this id and channel stopped, once.
    pub fn resume(&mut self, id: &str, channel: &str) -> Option<Since> {
        let stopped = self.stopped.remove(id)?;
        let is_good = self.until.is_some_and(|until| Instant::now() < until);
        (is_good && *stopped.channel == *channel).then_some(stopped.since)
    }

    /// What is left of it, if it may still be used.
    fn take(&mut self) -> HashMap<Box<str>, Stopped> {
        match self.until {
            Some(until) if Instant::now() < until => std::mem::take(&mut self.stopped),
            _ => HashMap::new(),
        }
    }
}

/// A position in the form in which a reader asks for it.
pub fn since(position: Position) -> Since {
    match position {
        Position::Start => Since::Seq(0),
        Position::At { epoch, seq } => Since::Position { epoch, seq },
    }
}
