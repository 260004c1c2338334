use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::app::{AppId, AppKey};
use model::ids::IdSource;
use model::key::{ApiKey, KeyName, Scope};
use model::settings::AppSettings;
use model::time::{Clock, UnixMillis};
use parking_lot::Mutex;
use store::apps::{App, Apps};
use store::error::Error;
use store::keys::Keys;
use tokio::sync::watch;

use crate::access::caller::Caller;
use crate::access::credentials::Credentials;
use crate::access::error::AccessError;
use crate::access::key::new_key;
use crate::access::snapshot::AppState;
use crate::access::{Access, Options};

/// 2027-01-15T08:00:00Z, in seconds.
pub(super) const NOW: i64 = 1_800_000_000;

pub(super) const NO_KEY: [&str; 0] = [];

/// A clock that stands until a test moves it.
pub(super) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW * 1_000)))
    }

    pub(super) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Fills with 0, then with 1, and so on.
#[derive(Default)]
pub(super) struct CountingIds(AtomicU8);

impl IdSource for CountingIds {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::SeqCst));
    }
}

/// Apps and keys in memory.
#[derive(Default)]
pub(super) struct Directory {
    state: Mutex<State>,
    /// Counts the operations that failed.
    failures: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    version: u64,
    broken: bool,
    next: i64,
    apps: Vec<App>,
    keys: HashMap<AppKey, Vec<ApiKey>>,
}

impl Directory {
    /// Lets every operation fail, or work again.
    pub(super) fn set_broken(&self, broken: bool) {
        self.state.lock().broken = broken;
    }

    /// Waits until so many operations have failed.
    pub(super) async fn failed(&self, count: u64) {
        let mut failures = self.failures.subscribe();
        failures.wait_for(|failed| *failed >= count).await.unwrap();
    }

    fn state(&self) -> Result<parking_lot::MutexGuard<'_, State>> {
        let state = self.state.lock();
        if state.broken {
            self.failures.send_modify(|count| *count += 1);
            let reason = "broken by the test".into();
            return Err(Error::Unavailable { reason });
        }
        Ok(state)
    }
}

#[async_trait]
impl Apps for Directory {
    async fn access_version(&self) -> Result<u64> {
        Ok(self.state()?.version)
    }

    async fn create_app(&self, id: &AppId, settings: &AppSettings, now: UnixMillis) -> Result<Option<App>> {
        let mut state = self.state()?;
        if state.apps.iter().any(|app| app.id == *id) {
            return Ok(None);
        }
        state.version += 1;
        state.next += 1;
        let app = App {
            key: AppKey(state.next),
            id: id.clone(),
            settings: settings.clone(),
            created: now,
        };
        state.apps.push(app.clone());
        Ok(Some(app))
    }

    async fn set_app(&self, id: &AppId, settings: &AppSettings) -> Result<bool> {
        let mut state = self.state()?;
        state.version += 1;
        let app = state.apps.iter_mut().find(|app| app.id == *id);
        Ok(app.map(|app| app.settings = settings.clone()).is_some())
    }

    async fn app(&self, id: &AppId) -> Result<Option<App>> {
        Ok(self.state()?.apps.iter().find(|app| app.id == *id).cloned())
    }

    async fn apps(&self) -> Result<Vec<App>> {
        Ok(self.state()?.apps.clone())
    }

    async fn delete_app(&self, id: &AppId) -> Result<bool> {
        let mut state = self.state()?;
        state.version += 1;
        let before = state.apps.len();
        state.apps.retain(|app| app.id != *id);
        Ok(state.apps.len() < before)
    }
}

#[async_trait]
impl Keys for Directory {
    async fn create_key(&self, app: AppKey, key: &ApiKey) -> Result<bool> {
        let mut state = self.state()?;
        state.version += 1;
        state.keys.entry(app).or_default().push(key.clone());
        Ok(true)
    }

    async fn keys(&self, app: AppKey) -> Result<Vec<ApiKey>> {
        Ok(self.state()?.keys.get(&app).cloned().unwrap_or_default())
    }

    async fn revoke_key(&self, app: AppKey, id: &str, now: UnixMillis) -> Result<bool> {
        let mut state = self.state()?;
        state.version += 1;
        let mut keys = state.keys.entry(app).or_default().iter_mut();
        let key = keys.find(|key| *key.id == *id && key.revoked.is_none());
        Ok(key.map(|key| key.revoked = Some(now)).is_some())
    }
}

/// The app `default` with its callers.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) directory: Arc<Directory>,
    pub(super) access: Access,
    ids: CountingIds,
}

/// Options under which nothing but the test itself moves anything on.
pub(super) fn still() -> Options {
    Options {
        poll: Duration::from_millis(5),
        fetch_cool_down: Duration::from_secs(3_600),
        fetch_interval: Duration::from_secs(3_600),
        fetch_timeout: Duration::from_secs(5),
    }
}

pub(super) fn settings(json: serde_json::Value) -> AppSettings {
    serde_json::from_value(json).unwrap()
}

pub(super) fn app_id() -> AppId {
    AppId::default_app()
}

impl World {
    pub(super) async fn new(json: serde_json::Value) -> Self {
        Self::with_options(json, still()).await
    }

    pub(super) async fn with_options(json: serde_json::Value, options: Options) -> Self {
        let clock = ManualClock::new();
        let directory = Arc::new(Directory::default());
        let created = directory
            .create_app(&app_id(), &settings(json), clock.now())
            .await
            .unwrap();
        assert!(created.is_some());
        let access = Access::start_with(directory.clone(), directory.clone(), clock.clone(), options)
            .await
            .unwrap();
        Self {
            clock,
            directory,
            access,
            ids: CountingIds::default(),
        }
    }

    pub(super) fn app(&self) -> Arc<AppState> {
        self.access.app(app_id().as_str()).unwrap()
    }

    /// Stores a key and puts it in force.
    pub(super) async fn key(
        &self,
        name: &str,
        secret: &str,
        scopes: &[Scope],
        ttl: Option<Duration>,
    ) -> ApiKey {
        let name: KeyName = name.parse().unwrap();
        let now = self.clock.now();
        let expires = ttl.map(|ttl| now + ttl);
        let scopes = scopes.iter().copied().collect();
        let key = new_key(name, scopes, expires, secret, &self.ids, now);
        assert!(self.directory.create_key(self.app().key, &key).await.unwrap());
        self.access.refresh().await.unwrap();
        key
    }

    pub(super) async fn set(&self, json: serde_json::Value) {
        let stored = self.directory.set_app(&app_id(), &settings(json)).await.unwrap();
        assert!(stored);
        self.access.refresh().await.unwrap();
    }

    pub(super) async fn with_key(&self, secret: &str) -> Result<Caller, AccessError> {
        let credentials = Credentials::new([secret], None::<String>);
        self.access.authenticate(&self.app(), &credentials).await
    }

    pub(super) async fn with_token(&self, token: &str) -> Result<Caller, AccessError> {
        let credentials = Credentials::new(NO_KEY, Some(token));
        self.access.authenticate(&self.app(), &credentials).await
    }

    pub(super) async fn anonymous(&self) -> Caller {
        let credentials = Credentials::new(NO_KEY, None::<String>);
        self.access.authenticate(&self.app(), &credentials).await.unwrap()
    }
}

type Result<T, E = Error> = std::result::Result<T, E>;
