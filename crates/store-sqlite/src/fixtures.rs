use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::app::AppKey;
use model::headers::Headers;
use model::ids::IdSource;
use model::json::JsonText;
use model::message::Content;
use model::settings::AppSettings;
use model::time::UnixMillis;
use parking_lot::Mutex;
use store::apps::Apps as _;
use store::commits::{Commit, CommitSink};
use store::contract::clock::ManualClock;
use store::messages::Append;

use crate::{Durability, Role, SqliteOptions, SqliteStore};

/// Numbers spread over all bits (SplitMix64).
#[derive(Default)]
pub(crate) struct NumberedIds(AtomicU64);

impl IdSource for NumberedIds {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let mut bits = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
            part.copy_from_slice(&bits.to_le_bytes()[..part.len()]);
        }
    }
}

/// Keeps what it is told: the channel and seq of what was published.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<(String, u64)>>);

impl Told {
    pub(crate) fn published(&self) -> Vec<(String, u64)> {
        self.0.lock().clone()
    }
}

impl CommitSink for Told {
    fn committed(&self, commits: Vec<Commit>) {
        let published = commits.into_iter().filter_map(|commit| match commit {
            Commit::Published { channel, message, .. } => Some((channel.to_string(), message.seq)),
            Commit::ChannelDeleted { .. } | Commit::InboxChanged { .. } => None,
        });
        self.0.lock().extend(published);
    }
}

pub(crate) fn options(folder: &Path) -> SqliteOptions {
    SqliteOptions {
        durability: Durability::Off,
        maintenance_interval: Duration::from_millis(5),
        ..SqliteOptions::new(folder.join("postbell.db"), Role::Server)
    }
}

pub(crate) fn open(options: &SqliteOptions, sink: Arc<dyn CommitSink>) -> Arc<SqliteStore> {
    open_with_clock(options, sink, Arc::new(ManualClock::default()))
}

pub(crate) fn open_with_clock(
    options: &SqliteOptions,
    sink: Arc<dyn CommitSink>,
    clock: Arc<ManualClock>,
) -> Arc<SqliteStore> {
    let ids = Arc::new(NumberedIds(AtomicU64::new(1)));
    Arc::new(SqliteStore::open(options, clock, ids, sink).unwrap())
}

pub(crate) async fn new_app(store: &SqliteStore) -> AppKey {
    let id = "shop".parse().unwrap();
    let app = store
        .create_app(&id, &AppSettings::default(), UnixMillis(0))
        .await
        .unwrap();
    app.unwrap().key
}

pub(crate) fn appending(app: AppKey, channel: &str) -> Append {
    let content = Content {
        payload: JsonText::from_checked("1"),
        publisher_id: None,
        subtopic: None,
        headers: Headers::default(),
        publish_policy: None,
        echo: None,
    };
    Append {
        app,
        channel: channel.parse().unwrap(),
        content: Arc::new(content),
        principal: "anonymous".into(),
        idempotency: None,
        max_channels: 1_000,
    }
}

/// Schedules of tests.
pub(crate) mod schedules {
    use model::channel::ChannelName;
    use model::schedule::TimingFields;
    use model::schedule::due::Due;
    use model::time::Clock as _;
    use store::error::Result;
    use store::schedules::{Fired, Gate, NewSchedule, Owner, Scheduled, Schedules as _};
    use uuid::Uuid;

    use super::*;

    struct Open;

    impl Gate for Open {
        fn refusal(&self, _: AppKey, _: &ChannelName, _: &Owner, _: UnixMillis) -> Option<Box<str>> {
            None
        }
    }

    /// A schedule that is due first when a [`ManualClock`] begins, and every so many seconds after.
    pub(crate) fn every(app: AppKey, channel: &str, seconds: i64) -> NewSchedule {
        let append = appending(app, channel);
        NewSchedule {
            app,
            channel: append.channel,
            content: append.content,
            owner: Owner {
                principal: append.principal,
                roles: Vec::new(),
            },
            timing: TimingFields {
                repeat_every: Some(seconds),
                ..TimingFields::default()
            },
            first: Due {
                n: 1,
                at: ManualClock::default().now(),
            },
            idempotency: None,
            max_channels: 1_000,
            max_waiting: 1_000,
        }
    }

    pub(crate) async fn make(store: &SqliteStore, new: NewSchedule) -> Uuid {
        match store.schedule(new).await.unwrap() {
            Scheduled::New { id } => id,
            other => panic!("expected a new schedule, found {other:?}"),
        }
    }

    pub(crate) async fn fire(store: &SqliteStore) -> Result<Fired> {
        store.fire_due(512, Arc::new(Open)).await
    }
}
