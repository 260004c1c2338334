//! Every interleaving of publishers and readers over the synchronising core.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::Poll;

use ::loom::future::block_on;
use ::loom::thread;
use model::message::Message;
use model::position::Position;

use crate::channel::{Channel, Next};
use crate::cursor::{Cursor, Quota};
use crate::entry::Entry;
use crate::fanout::Fanout;
use crate::filter::Filter;
use crate::fixture::{FIRST, key, message, reason};
use crate::outlet::{Offered, Outlet};
use crate::signal::{Signal, Slot, SubscriptionId};
use crate::sync::Mutex;

const SLOT: Slot = Slot {
    index: 0,
    generation: 1,
};

/// Runs the model with few enough switches between threads to end, and enough to show a lost wake-up.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = ::loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// What a reader of one channel got.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Message(u64),
    End(u32),
}

/// A connection with one subscription, reduced to its use of the core.
struct Reader {
    channel: Arc<Channel>,
    cursor: Cursor,
    signal: Arc<Signal>,
}

impl Reader {
    fn join(channel: &Arc<Channel>, filter: Option<Arc<dyn Filter>>) -> Self {
        Self {
            channel: Arc::clone(channel),
            cursor: channel.join(filter.as_ref()),
            signal: Arc::new(Signal::new()),
        }
    }

    /// Parks the reader, which must be up to date.
    fn park(&mut self) {
        let next = self.read(&mut Vec::new());
        assert!(matches!(next, Next::Parked));
    }

    fn read(&mut self, got: &mut Vec<Got>) -> Next {
        let mut quota = Quota::new(8, 1 << 20);
        let whom = (&self.signal, SLOT, SubscriptionId(1));
        self.channel.read(&mut self.cursor, whom, &mut quota, |entry| {
            got.push(Got::Message(entry.message.seq));
        })
    }

    /// Reads until `enough` came.
    fn read_until(&mut self, enough: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        let mut got = Vec::new();
        block_on(poll_fn(|context| {
            loop {
                let (dirty, orders) = self.signal.take();
                assert!(orders.is_none());
                for dirty in dirty {
                    self.cursor.unpark(dirty.seen);
                }
                while self.cursor.ticket.is_none() && !enough(&got) {
                    match self.read(&mut got) {
                        Next::Moved | Next::Parked => {}
                        Next::End(reason) => got.push(Got::End(reason.code)),
                        _ => panic!("everything is in the ring"),
                    }
                }
                if enough(&got) {
                    return Poll::Ready(());
                }
                if self.signal.sleep(context.waker()) {
                    return Poll::Pending;
                }
            }
        }));
        got
    }
}

fn channel() -> Arc<Channel> {
    Arc::new(Channel::new(key("news"), Arc::default()))
}

fn publish(channel: &Arc<Channel>, message: Arc<Message>) {
    let (fanout, _) = channel.publish(FIRST, message, 8);
    fanout.into_iter().for_each(Fanout::run);
}

#[test]
fn loom_no_message_and_no_wake_up_is_lost() {
    check(|| {
        let channel = channel();
        let mut reader = Reader::join(&channel, None);
        let publisher = thread::spawn(move || {
            publish(&channel, message(1));
            publish(&channel, message(2));
        });
        let got = reader.read_until(|got| got.len() == 2);
        assert_eq!(got, [Got::Message(1), Got::Message(2)]);
        publisher.join().unwrap();
    });
}

struct Even;

impl Filter for Even {
    fn key(&self) -> &str {
        "even"
    }

    fn matches(&self, message: &Message) -> bool {
        message.seq.is_multiple_of(2)
    }
}

#[test]
fn loom_a_filtered_reader_wakes_for_its_message_alone() {
    check(|| {
        let channel = channel();
        channel.begin(Some(FIRST), 0);
        let mut reader = Reader::join(&channel, Some(Arc::new(Even)));
        let publisher = thread::spawn(move || {
            publish(&channel, message(1));
            publish(&channel, message(2));
        });
        let got = reader.read_until(|got| !got.is_empty());
        assert_eq!(got, [Got::Message(2)]);
        publisher.join().unwrap();
    });
}

#[test]
fn loom_an_end_comes_after_the_messages_before_it() {
    check(|| {
        let channel = channel();
        channel.begin(Some(FIRST), 0);
        let mut reader = Reader::join(&channel, None);
        reader.cursor.epoch = Some(FIRST);
        let publisher = thread::spawn(move || {
            publish(&channel, message(1));
            channel.end(Some(FIRST), reason(7));
        });
        let got = reader.read_until(|got| matches!(got.last(), Some(Got::End(_))));
        assert_eq!(got, [Got::Message(1), Got::End(7)]);
        publisher.join().unwrap();
    });
}

#[test]
fn loom_a_reader_that_leaves_takes_nobody_elses_place() {
    check(|| {
        let channel = channel();
        let mut leaving = Reader::join(&channel, None);
        let mut staying = Reader::join(&channel, None);
        leaving.park();
        staying.park();
        let publishing = Arc::clone(&channel);
        let publisher = thread::spawn(move || {
            publish(&publishing, message(1));
        });
        assert!(!channel.leave(&leaving.cursor));
        let got = staying.read_until(|got| !got.is_empty());
        assert_eq!(got, [Got::Message(1)]);
        assert!(channel.leave(&staying.cursor));
        publisher.join().unwrap();
    });
}

#[test]
fn loom_who_registers_before_asking_the_store_gets_all_that_follows() {
    check(|| {
        let channel = channel();
        let store = Arc::new(Mutex::new(0));
        let publisher = {
            let (channel, store) = (Arc::clone(&channel), Arc::clone(&store));
            thread::spawn(move || {
                for seq in 1..=2 {
                    *store.lock() = seq;
                    publish(&channel, message(seq));
                }
            })
        };
        let mut reader = Reader::join(&channel, None);
        let head = *store.lock();
        channel.begin(Some(FIRST), head);
        (reader.cursor.epoch, reader.cursor.seq) = (Some(FIRST), head);
        let expected: Vec<_> = (head + 1..=2).map(Got::Message).collect();
        let got = reader.read_until(|got| got.len() == expected.len());
        assert_eq!(got, expected);
        publisher.join().unwrap();
    });
}

#[test]
fn loom_an_order_wakes_a_sleeping_connection() {
    check(|| {
        let signal = Arc::new(Signal::new());
        let ordering = Arc::clone(&signal);
        let other = thread::spawn(move || ordering.order(|orders| orders.close = Some(reason(3))));
        block_on(poll_fn(|context| {
            loop {
                if signal.take().1.is_some() {
                    return Poll::Ready(());
                }
                if signal.sleep(context.waker()) {
                    return Poll::Pending;
                }
            }
        }));
        other.join().unwrap();
    });
}

/// A socket: its task holds the lock while it polls.
struct Socket(::loom::sync::Mutex<Vec<Got>>);

impl Outlet for Socket {
    fn offer(&self, _: SubscriptionId, entry: &Arc<Entry>) -> Offered {
        let Ok(mut got) = self.0.try_lock() else {
            return Offered::Refused;
        };
        got.push(Got::Message(entry.message.seq));
        Offered::Written
    }
}

#[test]
fn loom_who_publishes_and_who_reads_write_each_message_once_and_in_order() {
    check(|| {
        let channel = channel();
        channel.begin(Some(FIRST), 0);
        let mut reader = Reader::join(&channel, None);
        reader.cursor.epoch = Some(FIRST);
        let socket = Arc::new(Socket(::loom::sync::Mutex::new(Vec::new())));
        let outlet: Weak<Socket> = Arc::downgrade(&socket);
        reader.signal.set_outlet(outlet);
        reader.park();
        // The second one may come while the first is on its way.
        let (first, _) = channel.publish(FIRST, message(1), 8);
        let fanning = thread::spawn(move || first.into_iter().for_each(Fanout::run));
        let publisher = thread::spawn(move || publish(&channel, message(2)));
        let mut poll = || {
            let mut got = socket
                .0
                .lock()
                .expect("no thread panics while it holds this lock");
            for dirty in reader.signal.take().0 {
                reader.cursor.unpark(dirty.seen);
            }
            while reader.cursor.ticket.is_none() {
                reader.read(&mut got);
            }
            // What is told of a position is not behind what is written.
            if let Some(position) = reader.channel.position(&mut reader.cursor) {
                let seq = got.len() as u64;
                assert!(matches!(position, Position::At { seq: told, .. } if told >= seq));
            }
        };
        poll();
        fanning.join().unwrap();
        publisher.join().unwrap();
        poll();
        let got = socket
            .0
            .lock()
            .expect("no thread panics while it holds this lock");
        assert_eq!(*got, [Got::Message(1), Got::Message(2)]);
    });
}
