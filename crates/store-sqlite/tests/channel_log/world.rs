use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::app::AppKey;
use model::channel::{ChannelName, ChannelPattern};
use model::headers::Headers;
use model::json::JsonText;
use model::message::{Content, Message};
use model::settings::{AppSettings, HistorySettings, HistoryWindow};
use model::time::{Clock, Span};
use postbell_store_sqlite::{Durability, Role, SqliteOptions, SqliteStore};
use rusqlite::Connection;
use store::apps::Apps as _;
use store::contract::clock::ManualClock;
use store::messages::{Append, Appended, Messages as _, Page, Range};
use tempfile::TempDir;

use crate::fakes::{Nobody, NumberedIds};

const INTERVAL: Duration = Duration::from_millis(5);

/// A store in a temporary folder that can be closed, crashed and opened again.
pub struct World {
    pub folder: TempDir,
    pub clock: Arc<ManualClock>,
    pub ids: Arc<NumberedIds>,
    pub store: Arc<SqliteStore>,
    interval: Duration,
}

impl World {
    pub fn new() -> Self {
        Self::with_maintenance_every(INTERVAL)
    }

    pub fn with_maintenance_every(interval: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let ids = Arc::new(NumberedIds::default());
        let store = open_as(Role::Server, &file_in(&folder), &clock, &ids, interval).unwrap();
        Self {
            interval,
            folder,
            clock,
            ids,
            store: Arc::new(store),
        }
    }

    pub fn file(&self) -> PathBuf {
        file_in(&self.folder)
    }

    /// A connection of our own to look into the file.
    pub fn look(&self) -> Connection {
        let connection = Connection::open(self.file()).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.look().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Waits until a query counts what is expected.
    pub fn wait_for(&self, sql: &str, expected: i64) {
        let look = self.look();
        let began = Instant::now();
        loop {
            let found: i64 = look.query_row(sql, [], |row| row.get(0)).unwrap();
            if found == expected {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{sql}: expected {expected}, found {found}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn open(&self, path: &Path) -> SqliteStore {
        open_as(Role::Server, path, &self.clock, &self.ids, self.interval).unwrap()
    }

    /// Closes and opens again.
    pub async fn reopen(&mut self) {
        store::Store::close(&*self.store).await.unwrap();
        self.store = Arc::new(self.open(&self.file()));
    }

    /// Goes on with what a crash at this moment leaves on the disk.
    pub fn crash(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        {
            // Nothing is committed and nothing checkpointed while we hold the write lock.
            let look = self.look();
            look.execute_batch("BEGIN IMMEDIATE").unwrap();
            for suffix in ["", "-wal"] {
                let name = format!("postbell.db{suffix}");
                std::fs::copy(self.folder.path().join(&name), folder.path().join(&name)).unwrap();
            }
            look.execute_batch("ROLLBACK").unwrap();
        }
        self.store = Arc::new(self.open(&file_in(&folder)));
        self.folder = folder;
    }

    pub async fn app(&self, id: &str, history: HistorySettings) -> AppKey {
        let settings = AppSettings {
            history,
            ..AppSettings::default()
        };
        let id = id.parse().unwrap();
        let app = self.store.create_app(&id, &settings, self.clock.now()).await;
        app.unwrap().unwrap().key
    }

    pub async fn publish(&self, app: AppKey, channel: &str, number: u64) -> Arc<Message> {
        publish(&self.store, app, channel, number).await
    }

    pub async fn publish_many(&self, app: AppKey, channel: &str, count: u64) {
        for number in 0..count {
            self.publish(app, channel, number).await;
        }
    }

    pub async fn read(&self, app: AppKey, channel: &str, after: u64) -> Option<Page> {
        read(&self.store, app, channel, after, self.clock.now()).await
    }
}

pub async fn publish(store: &SqliteStore, app: AppKey, channel: &str, number: u64) -> Arc<Message> {
    match store.append(appending(app, channel, number)).await.unwrap() {
        Appended::New { message, .. } => message,
        other => panic!("expected a new message, found {other:?}"),
    }
}

pub async fn read(
    store: &SqliteStore,
    app: AppKey,
    channel: &str,
    after: u64,
    now: model::time::UnixMillis,
) -> Option<Page> {
    let range = Range {
        after,
        max_messages: 1_000,
        max_bytes: usize::MAX,
    };
    store.read(app, &name(channel), range, now).await.unwrap()
}

pub fn seqs(page: &Page) -> Vec<u64> {
    page.messages.iter().map(|message| message.seq).collect()
}

pub fn open(
    path: &Path,
    clock: &Arc<ManualClock>,
    ids: &Arc<NumberedIds>,
) -> store::error::Result<SqliteStore> {
    open_as(Role::Server, path, clock, ids, INTERVAL)
}

pub fn open_as(
    role: Role,
    path: &Path,
    clock: &Arc<ManualClock>,
    ids: &Arc<NumberedIds>,
    interval: Duration,
) -> store::error::Result<SqliteStore> {
    let (clock, ids) = (Arc::clone(clock), Arc::clone(ids));
    let options = SqliteOptions {
        durability: Durability::Off,
        maintenance_interval: interval,
        ..SqliteOptions::new(path, role)
    };
    SqliteStore::open(&options, clock, ids, Arc::new(Nobody))
}

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("postbell.db")
}

pub fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

pub fn appending(app: AppKey, channel: &str, number: u64) -> Append {
    let content = Content {
        payload: JsonText::from_checked(&number.to_string()),
        publisher_id: None,
        subtopic: None,
        headers: Headers::default(),
        publish_policy: None,
        echo: None,
    };
    Append {
        app,
        channel: name(channel),
        content: Arc::new(content),
        principal: "anonymous".into(),
        idempotency: None,
        max_channels: 1_000_000,
    }
}

pub fn keeping(count: u64, age: Duration) -> HistorySettings {
    HistorySettings {
        age: Span(age),
        count,
        windows: Vec::new(),
    }
}

pub fn window(pattern: &str, count: u64, age: Duration) -> HistoryWindow {
    HistoryWindow {
        pattern: ChannelPattern::new(pattern),
        age: Span(age),
        count,
    }
}
