use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use crate::client::Client;
use crate::oracle::Reader;
use crate::support::*;
use ::model::message::Message;
use ::model::position::{Epoch, Position};
use postbell_hub::{
    BatchLimits, ChannelKey, Fanout, Filter, Hub, HubOptions, Registration, Start, SubscriptionId,
};
use proptest::prelude::*;

const CHANNELS: usize = 2;
const CONNECTIONS: usize = 3;

/// How a committed message reaches the hub.
#[derive(Debug, Clone, Copy)]
enum Way {
    Published,
    Hinted,
    HintedTooHigh,
    Lost,
}

#[derive(Debug, Clone)]
enum Op {
    Append {
        channel: usize,
        way: Way,
    },
    /// Lets the hub have the next of what was committed.
    Feed {
        count: usize,
    },
    /// Brings the oldest of it to the readers.
    FanOut {
        count: usize,
    },
    Retain {
        channel: usize,
        keep: u64,
    },
    Delete {
        channel: usize,
        told: bool,
    },
    /// A hint of an incarnation that is no more.
    Stale {
        channel: usize,
    },
    Register {
        connection: usize,
        channel: usize,
        filter: u64,
    },
    /// Starts the oldest registered reader, this many messages back.
    Start {
        back: u64,
    },
    Poll {
        connection: usize,
        max_messages: usize,
        yields: usize,
    },
    Unsubscribe {
        connection: usize,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let channel = 0..CHANNELS;
    let connection = 0..CONNECTIONS;
    let way = prop_oneof![
        6 => Just(Way::Published),
        1 => Just(Way::Hinted),
        1 => Just(Way::HintedTooHigh),
        1 => Just(Way::Lost),
    ];
    prop_oneof![
        12 => (channel.clone(), way).prop_map(|(channel, way)| Op::Append { channel, way }),
        8 => (1..6usize).prop_map(|count| Op::Feed { count }),
        8 => (1..6usize).prop_map(|count| Op::FanOut { count }),
        1 => (channel.clone(), 0..6u64).prop_map(|(channel, keep)| Op::Retain { channel, keep }),
        1 => (channel.clone(), any::<bool>()).prop_map(|(channel, told)| Op::Delete { channel, told }),
        1 => channel.clone().prop_map(|channel| Op::Stale { channel }),
        3 => (connection.clone(), channel, 0..4u64)
            .prop_map(|(connection, channel, filter)| Op::Register { connection, channel, filter }),
        4 => (0..12u64).prop_map(|back| Op::Start { back }),
        8 => (connection.clone(), 1..20usize, 0..8usize)
            .prop_map(|(connection, max_messages, yields)| Op::Poll { connection, max_messages, yields }),
        1 => connection.prop_map(|connection| Op::Unsubscribe { connection }),
    ]
}

/// What the feed brings to the hub, in commit order.
enum Feed {
    Message(ChannelKey, Epoch, Arc<Message>),
    Hint(ChannelKey, Epoch, u64),
    End(ChannelKey, Epoch),
}

struct World {
    hub: Hub,
    store: Arc<FakeStore>,
    feed: VecDeque<Feed>,
    fanouts: VecDeque<Fanout>,
    clients: Vec<Client>,
    registered: VecDeque<(usize, u64, Registration)>,
    next_id: u64,
    next_epoch: u64,
    /// The logs that are no more.
    dead: Vec<(ChannelKey, Log)>,
}

impl World {
    fn new() -> Self {
        let (hub, store) = hub(HubOptions {
            ring_messages: 4,
            ring_bytes: 6_000,
            page_messages: 3,
            page_cache_bytes: 8_000,
            ..OPTIONS()
        });
        Self {
            clients: (0..CONNECTIONS).map(|nth| Client::new(&hub, nth)).collect(),
            hub,
            store,
            feed: VecDeque::new(),
            fanouts: VecDeque::new(),
            registered: VecDeque::new(),
            next_id: 0,
            next_epoch: 1,
            dead: Vec::new(),
        }
    }

    async fn run(&mut self, op: Op) {
        match op {
            Op::Append { channel, way } => self.append(&channel_key(channel), way),
            Op::Feed { count } => self.feed(count),
            Op::FanOut { count } => self.fan_out(count),
            Op::Retain { channel, keep } => self.store.change(&channel_key(channel), |log| {
                log.floor = log.floor.max(log.head().saturating_sub(keep));
            }),
            Op::Delete { channel, told } => self.delete(&channel_key(channel), told),
            Op::Stale { channel } => {
                let channel = channel_key(channel);
                if let Some((channel, log)) = self.dead.iter().find(|dead| dead.0 == channel) {
                    self.hub
                        .advance(channel, log.epoch.expect("it existed"), log.head());
                }
            }
            Op::Register {
                connection,
                channel,
                filter,
            } => {
                let multiples = (filter > 1).then(|| Multiples::new(filter) as Arc<dyn Filter>);
                let registration = self.hub.register(&channel_key(channel), multiples);
                self.registered
                    .push_back((connection, filter.max(1), registration));
            }
            Op::Start { back } => self.start(back),
            Op::Poll {
                connection,
                max_messages,
                yields,
            } => {
                self.poll(connection, max_messages);
                for _ in 0..yields {
                    tokio::task::yield_now().await;
                }
            }
            Op::Unsubscribe { connection } => {
                let client = &mut self.clients[connection];
                client.hold_taken(&self.store, &self.dead);
                if let Some(&id) = client.readers.keys().min() {
                    let ended = client.readers.remove(&id).is_some_and(|reader| reader.ended);
                    assert_eq!(client.connection.unsubscribe(id), !ended);
                }
            }
        }
    }

    fn append(&mut self, channel: &ChannelKey, way: Way) {
        let epoch = self.store.log(channel).epoch.unwrap_or(Epoch(self.next_epoch));
        self.next_epoch = self.next_epoch.max(epoch.0 + 1);
        let message = self.store.append(channel, epoch, 10);
        let seq = message.seq;
        self.feed.extend(match way {
            Way::Published => Some(Feed::Message(channel.clone(), epoch, message)),
            Way::Hinted => Some(Feed::Hint(channel.clone(), epoch, seq)),
            Way::HintedTooHigh => Some(Feed::Hint(channel.clone(), epoch, seq + 3)),
            Way::Lost => None,
        });
    }

    fn feed(&mut self, count: usize) {
        for _ in 0..count.min(self.feed.len()) {
            match self.feed.pop_front().expect("counted") {
                Feed::Message(channel, epoch, message) => {
                    self.fanouts.extend(self.hub.publish(&channel, epoch, message));
                }
                Feed::Hint(channel, epoch, head) => self.hub.advance(&channel, epoch, head),
                Feed::End(channel, epoch) => self.hub.end_channel(&channel, epoch, reason(7)),
            }
        }
    }

    fn fan_out(&mut self, count: usize) {
        let count = count.min(self.fanouts.len());
        self.fanouts.drain(..count).for_each(Fanout::run);
    }

    fn delete(&mut self, channel: &ChannelKey, told: bool) {
        let log = self.store.change(channel, std::mem::take);
        let Some(epoch) = log.epoch else { return };
        self.dead.push((channel.clone(), log));
        if told {
            self.feed.push_back(Feed::End(channel.clone(), epoch));
        }
    }

    fn start(&mut self, back: u64) {
        let Some((connection, filter, registration)) = self.registered.pop_front() else {
            return;
        };
        let channel = registration.channel().clone();
        let log = self.store.log(&channel);
        let start = Start {
            epoch: log.epoch,
            after: log.head().saturating_sub(back).max(log.floor),
            head: log.head(),
            gap: None,
        };
        let position = log.epoch.map_or(Position::Start, |epoch| at(epoch, start.after));
        self.next_id += 1;
        let id = SubscriptionId(self.next_id);
        let client = &mut self.clients[connection];
        client.connection.subscribe(id, registration, start);
        client.readers.insert(
            id,
            Reader {
                channel,
                filter,
                position,
                ended: false,
            },
        );
    }

    /// Polls once and holds what comes against the oracle; true when a batch came.
    fn poll(&mut self, connection: usize, max_messages: usize) -> bool {
        let limits = BatchLimits {
            max_messages,
            max_bytes: 1_000,
        };
        let client = &mut self.clients[connection];
        let batch = poll(&mut client.connection, &client.wakes, limits);
        client.hold_taken(&self.store, &self.dead);
        let Poll::Ready(batch) = batch else {
            client.hold_positions();
            return false;
        };
        assert!(!batch.is_empty());
        for delivery in batch {
            client.hold(&delivery, &self.store, &self.dead);
        }
        true
    }

    /// Lets everything come to rest, polling only connections that were woken, and looks whether each
    /// reader has all there is.
    async fn settle(&mut self) {
        while !self.registered.is_empty() {
            self.start(3);
        }
        self.feed(usize::MAX);
        self.fan_out(usize::MAX);
        let mut woken = [true; CONNECTIONS];
        for channel in (0..CHANNELS).map(channel_key) {
            let log = self.store.log(&channel);
            if let Some(epoch) = log.epoch {
                self.hub.advance(&channel, epoch, log.head());
            }
            // A deletion that nobody told of is found by asking; readers are made to ask.
            for (channel, dead) in self.dead.iter().filter(|(dead, _)| *dead == channel) {
                if log.epoch.is_none() {
                    self.hub
                        .advance(channel, dead.epoch.expect("it existed"), dead.head() + 1);
                }
            }
        }
        let mut idle = 0;
        while idle < 40 {
            idle += 1;
            for (connection, woken) in woken.iter_mut().enumerate() {
                let wakes = self.clients[connection].wakes.0.swap(0, Ordering::Relaxed);
                if *woken || wakes > 0 {
                    *woken = self.poll(connection, 7);
                    idle = 0;
                }
            }
            tokio::task::yield_now().await;
        }
        for client in &mut self.clients {
            client.hold_taken(&self.store, &self.dead);
            for (id, reader) in client.readers.iter().filter(|(_, reader)| !reader.ended) {
                let log = self.store.log(&reader.channel);
                let Some(epoch) = log.epoch else {
                    assert_eq!(reader.position, Position::Start, "its channel is no more");
                    continue;
                };
                let Position::At { epoch: known, seq } = reader.position else {
                    assert!(log.head() < reader.filter, "a reader missed the beginning");
                    continue;
                };
                assert_eq!(known, epoch);
                assert!(reader.next_match(seq) > log.head(), "a reader misses the end");
                assert_eq!(client.connection.position(*id), Some(at(epoch, log.head())));
            }
        }
        self.clients.clear();
        assert_eq!((self.hub.channels(), self.hub.ring_bytes()), (0, 0));
    }
}

fn channel_key(nth: usize) -> ChannelKey {
    key(["news", "sport"][nth])
}

fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: 2 * default.cases,
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_reader_gets_its_messages_or_gaps_that_cover_what_was_lost(
        ops in proptest::collection::vec(op(), 1..150),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for op in ops {
                world.run(op).await;
            }
            world.settle().await;
        });
    }
}
