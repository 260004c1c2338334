use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ::model::app::AppKey;
use ::model::channel::ChannelName;
use ::model::headers::Headers;
use ::model::json::JsonText;
use ::model::message::{Content, Message, MessageId};
use ::model::position::{Epoch, Position};
use ::model::time::UnixMillis;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use postbell_hub::{
    BatchLimits, ChannelKey, Connection, Delivery, EndReason, Entry, Fanout, Filter, History, HistoryError,
    HistoryPage, HistoryQuery, Hub, HubOptions, Offered, Outlet, Start, SubscriptionId,
};

pub const LIMITS: BatchLimits = BatchLimits {
    max_messages: 100,
    max_bytes: 1 << 20,
};

pub fn key(name: &str) -> ChannelKey {
    ChannelKey {
        app: AppKey(1),
        name: ChannelName::from_stored(name),
    }
}

pub fn reason(code: u32) -> EndReason {
    EndReason {
        code,
        message: "for a test".into(),
    }
}

pub fn at(epoch: Epoch, seq: u64) -> Position {
    Position::At { epoch, seq }
}

/// A reader that starts live, told of this head.
pub fn live(epoch: Epoch, head: u64) -> Start {
    from(epoch, head, head)
}

pub fn from(epoch: Epoch, after: u64, head: u64) -> Start {
    Start {
        epoch: Some(epoch),
        after,
        head,
        gap: None,
    }
}

/// A reader of a channel that does not exist.
pub const WAITING: Start = Start {
    epoch: None,
    after: 0,
    head: 0,
    gap: None,
};

pub fn message(seq: u64, bytes: usize) -> Arc<Message> {
    Arc::new(content(seq, bytes, Headers::default()))
}

/// A message with these headers.
pub fn message_with(seq: u64, headers: &[(&str, &str)]) -> Arc<Message> {
    let pairs = headers
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Arc::new(content(seq, 10, Headers::from_stored(pairs.collect())))
}

fn content(seq: u64, bytes: usize, headers: Headers) -> Message {
    Message {
        id: MessageId::one_shot(uuid::Uuid::from_u128(u128::from(seq))),
        seq,
        published_at: UnixMillis(0),
        content: Arc::new(Content {
            payload: JsonText::from_checked(&format!("\"{}\"", "x".repeat(bytes))),
            publisher_id: None,
            subtopic: None,
            headers,
            publish_policy: None,
            echo: None,
        }),
    }
}

/// Matches the multiples of a number, and counts how often it is asked.
pub struct Multiples {
    pub of: u64,
    key: String,
    pub asked: AtomicUsize,
}

impl Multiples {
    pub fn new(of: u64) -> Arc<Self> {
        Arc::new(Self {
            of,
            key: format!("multiples of {of}"),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Filter for Multiples {
    fn key(&self) -> &str {
        &self.key
    }

    fn matches(&self, message: &Message) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        message.seq.is_multiple_of(self.of)
    }
}

/// One channel's log in the store.
#[derive(Default, Clone)]
pub struct Log {
    pub epoch: Option<Epoch>,
    pub floor: u64,
    pub messages: Vec<Arc<Message>>,
}

impl Log {
    pub fn head(&self) -> u64 {
        self.messages.len() as u64
    }
}

/// A store in memory that counts its reads.
#[derive(Default)]
pub struct FakeStore {
    pub logs: Mutex<HashMap<ChannelKey, Log>>,
    pub reads: AtomicUsize,
    pub fails: Mutex<bool>,
    running: AtomicUsize,
    pub most_running: AtomicUsize,
}

impl FakeStore {
    pub fn log(&self, channel: &ChannelKey) -> Log {
        self.logs.lock().get(channel).cloned().unwrap_or_default()
    }

    pub fn change<T>(&self, channel: &ChannelKey, change: impl FnOnce(&mut Log) -> T) -> T {
        change(self.logs.lock().entry(channel.clone()).or_default())
    }

    /// Commits the next message.
    pub fn append(&self, channel: &ChannelKey, epoch: Epoch, bytes: usize) -> Arc<Message> {
        self.change(channel, |log| {
            log.epoch = Some(epoch);
            let message = message(log.head() + 1, bytes);
            log.messages.push(Arc::clone(&message));
            message
        })
    }

    fn page(&self, query: &HistoryQuery) -> HistoryPage {
        let log = self.log(&query.channel);
        let known = query.epoch.is_none_or(|epoch| log.epoch == Some(epoch));
        let live = log
            .messages
            .iter()
            .filter(|message| message.seq > query.after.max(log.floor) && known && log.epoch.is_some());
        let mut bytes = 0;
        let fits = |message: &&Arc<Message>| {
            let first = bytes == 0;
            bytes += message.content.size();
            first || bytes <= query.max_bytes
        };
        HistoryPage {
            messages: live.take(query.max_messages).take_while(fits).cloned().collect(),
            floor: log.floor,
            epoch: log.epoch,
            head: log.head(),
        }
    }
}

/// The store as the hub reads it.
pub struct Reads(pub Arc<FakeStore>);

impl History for Reads {
    fn read(&self, query: HistoryQuery) -> BoxFuture<'static, Result<HistoryPage, HistoryError>> {
        let store = Arc::clone(&self.0);
        Box::pin(async move {
            let running = 1 + store.running.fetch_add(1, Ordering::Relaxed);
            store.most_running.fetch_max(running, Ordering::Relaxed);
            tokio::task::yield_now().await;
            let page = store.page(&query);
            tokio::task::yield_now().await;
            store.running.fetch_sub(1, Ordering::Relaxed);
            store.reads.fetch_add(1, Ordering::Relaxed);
            match *store.fails.lock() {
                true => Err(HistoryError("the disk is gone".into())),
                false => Ok(page),
            }
        })
    }
}

pub const OPTIONS: fn() -> HubOptions = || HubOptions {
    ring_messages: 8,
    ring_bytes: 1 << 20,
    page_messages: 5,
    page_bytes: 1 << 20,
    page_cache_bytes: 1 << 20,
    concurrent_reads: 2,
    gone: reason(101),
    unreadable: reason(102),
};

pub fn hub(options: HubOptions) -> (Hub, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    (Hub::new(options, Arc::new(Reads(Arc::clone(&store)))), store)
}

/// Publishes, and brings the message to its readers at once.
pub fn publish(hub: &Hub, channel: &ChannelKey, epoch: Epoch, message: Arc<Message>) {
    hub.publish(channel, epoch, message)
        .into_iter()
        .for_each(Fanout::run);
}

/// A waker that counts.
#[derive(Default)]
pub struct Wakes(pub AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A socket that says to each message what it is told to, in turn, and keeps those it takes.
pub struct Socket {
    says: Vec<Offered>,
    asked: AtomicUsize,
    taken: Mutex<Vec<Delivery>>,
}

impl Socket {
    pub fn new(says: &[Offered]) -> Arc<Self> {
        Arc::new(Self {
            says: says.to_vec(),
            asked: AtomicUsize::new(0),
            taken: Mutex::default(),
        })
    }

    /// What it took since the last time.
    pub fn taken(&self) -> Vec<Delivery> {
        std::mem::take(&mut self.taken.lock())
    }

    /// The same as short texts.
    pub fn lines(&self) -> Vec<String> {
        self.taken().iter().map(line).collect()
    }
}

impl Outlet for Socket {
    fn offer(&self, subscription: SubscriptionId, entry: &Arc<Entry>) -> Offered {
        let says = self.says[self.asked.fetch_add(1, Ordering::Relaxed) % self.says.len()];
        if says != Offered::Refused {
            let entry = Arc::clone(entry);
            self.taken.lock().push(Delivery::Message { subscription, entry });
        }
        says
    }
}

/// Polls a connection once with a counting waker.
pub fn poll(connection: &mut Connection, wakes: &Arc<Wakes>, limits: BatchLimits) -> Poll<Vec<Delivery>> {
    let waker = Waker::from(Arc::clone(wakes));
    connection.poll_batch(&mut Context::from_waker(&waker), limits)
}

/// All that comes before the connection has nothing to do; the history answers meanwhile.
pub async fn drain(connection: &mut Connection) -> Vec<String> {
    let mut lines = Vec::new();
    let mut idle = 0;
    while idle < 50 {
        match poll_fn(|context| Poll::Ready(connection.poll_batch(context, LIMITS))).await {
            Poll::Ready(batch) => {
                lines.extend(batch.iter().map(line));
                idle = 0;
            }
            Poll::Pending => idle += 1,
        }
        tokio::task::yield_now().await;
    }
    lines
}

/// A delivery as a short text: `1: 5` is message 5 for subscription 1.
pub fn line(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Message { subscription, entry } => format!("{}: {}", subscription.0, entry.message.seq),
        Delivery::Gap {
            subscription,
            from,
            to,
        } => format!("{}: gap {from} to {to}", subscription.0),
        Delivery::End { subscription, reason } => format!("{}: end {}", subscription.0, reason.code),
        Delivery::Closed { reason } => format!("closed {}", reason.code),
    }
}
