//! Who calls and what they may do (api.md 2).
//!
//! # Layout
//!
//! - `Access`: the handle; it keeps all apps, their settings and keys in memory and follows changes.
//! - `snapshot`: what it keeps.
//! - `credentials`, `authenticate`: from what a request gives to a caller.
//! - `caller`: what the caller may do, also later in a stream that stays open.
//! - `owner`: what the owner of a schedule may still do when an occurrence is due.
//! - `token`: user tokens: verifying and minting.
//! - `key`: making API keys.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use model::app::AppKey;
use model::settings::AppSettings;
use model::settings::check::SettingsError;
use model::time::{Clock, UnixMillis};
use store::SharedStore;
use store::apps::Apps;
use store::keys::Keys;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// From credentials to a caller.
pub mod authenticate;
/// Who calls.
pub mod caller;
/// What a request gives to say who calls.
pub mod credentials;
/// Why a caller is not let in.
pub mod error;
/// Making API keys.
pub mod key;
/// Who owns what works on without a request.
pub mod owner;
/// Apps as they are held in memory.
pub mod snapshot;
/// User tokens.
pub mod token;

use self::snapshot::{AppState, Snapshot};
use self::token::Fetcher;

/// How often and how long [`Access`] asks others.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Interval at which the store is asked for its access version.
    pub poll: Duration,
    /// Shortest time between two fetches of one JWK set, whatever tokens ask for.
    pub fetch_cool_down: Duration,
    /// Age at which a JWK set is fetched again if its server states none.
    pub fetch_interval: Duration,
    /// Time-out of one fetch, and the longest that a request waits for one.
    pub fetch_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            fetch_cool_down: Duration::from_secs(10),
            fetch_interval: Duration::from_secs(600),
            fetch_timeout: Duration::from_secs(5),
        }
    }
}

/// All apps with their settings, keys and token verifiers, in memory. A handle: clones are the same.
#[derive(Clone)]
pub struct Access {
    shared: Arc<Shared>,
}

struct Shared {
    apps: Arc<dyn Apps>,
    keys: Arc<dyn Keys>,
    clock: Arc<dyn Clock>,
    options: Options,
    fetcher: Arc<Fetcher>,
    snapshot: ArcSwap<Snapshot>,
    /// Held while a snapshot is read, so that an older one never replaces a newer one. It is tokio's
    /// because the reading awaits the store.
    loading: tokio::sync::Mutex<()>,
    version: watch::Sender<u64>,
}

impl Access {
    /// Reads all apps and hands out the handle; [`Access::run`] then follows changes.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(
        store: SharedStore,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> store::error::Result<Self> {
        Self::start_with(store.clone(), store, clock, options).await
    }

    /// The same for the two parts of the store that it reads.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start_with(
        apps: Arc<dyn Apps>,
        keys: Arc<dyn Keys>,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> store::error::Result<Self> {
        let access = Self {
            shared: Arc::new(Shared {
                apps,
                keys,
                clock,
                options,
                fetcher: Arc::new(Fetcher::new(&options)),
                snapshot: ArcSwap::default(),
                loading: tokio::sync::Mutex::default(),
                version: watch::Sender::new(0),
            }),
        };
        access.refresh().await?;
        Ok(access)
    }

    /// Follows changes until `shutdown`: asks for the access version at every [`Options::poll`], reads all
    /// anew when it has changed, and keeps JWK sets fresh. While the store cannot be read, what was read
    /// last stays in force. Cancel safe; it has no error.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(self.shared.options.poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        let follow = async {
            loop {
                ticks.tick().await;
                match self.poll().await {
                    Ok(()) if failing => {
                        tracing::info!("apps and keys can be read again");
                        failing = false;
                    }
                    Ok(()) => {}
                    Err(error) if !failing => {
                        tracing::error!(error = %error, cause = ?std::error::Error::source(&error), "apps and keys cannot be read; the last known ones stay in force");
                        failing = true;
                    }
                    Err(_) => {}
                }
                self.refresh_key_sets();
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = follow => {}
        }
        self.shared.fetcher.stop().await;
    }

    /// Reads all apps anew, at once: for a change that this very process has made.
    ///
    /// # Errors
    /// The store cannot be read; what was read last stays in force.
    pub async fn refresh(&self) -> store::error::Result<()> {
        let shared = &self.shared;
        let _loading = shared.loading.lock().await;
        let previous = shared.snapshot.load_full();
        let loaded = snapshot::load(&*shared.apps, &*shared.keys, &previous, &shared.fetcher).await?;
        let version = loaded.version;
        shared.snapshot.store(Arc::new(loaded));
        shared.version.send_replace(version);
        self.refresh_key_sets();
        Ok(())
    }

    /// An app by its name, whatever its case; a text that is no app id names none.
    pub fn app(&self, name: &str) -> Option<Arc<AppState>> {
        let apps = &self.shared.snapshot.load().by_id;
        match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => apps.get(name.to_ascii_lowercase().as_str()).cloned(),
            false => apps.get(name).cloned(),
        }
    }

    /// An app by its surrogate.
    pub fn app_by_key(&self, key: AppKey) -> Option<Arc<AppState>> {
        self.shared.snapshot.load().by_key.get(&key).cloned()
    }

    /// All apps, in no order.
    pub fn apps(&self) -> Vec<Arc<AppState>> {
        self.shared.snapshot.load().by_key.values().cloned().collect()
    }

    /// The access version that is in force, and its changes: what open streams re-check themselves on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.shared.clock.now()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    async fn poll(&self) -> store::error::Result<()> {
        let version = self.shared.apps.access_version().await?;
        if version != self.shared.snapshot.load().version {
            self.refresh().await?;
        }
        Ok(())
    }

    fn refresh_key_sets(&self) {
        for app in self.shared.snapshot.load().by_key.values() {
            if let Some(tokens) = &app.tokens {
                tokens.refresh_if_due();
            }
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.shared.snapshot.load().version;
        f.debug_struct("Access")
            .field("version", &version)
            .finish_non_exhaustive()
    }
}

/// Checks an app's settings with what only their use shows: whether the token keys can be read and fit
/// the algorithms, and whether a sync could be sent and signed. For `app set`, before the settings are stored.
///
/// # Errors
/// The first setting that cannot be, with what was expected and found.
pub fn check_settings(settings: &AppSettings) -> Result<(), SettingsError> {
    settings.check()?;
    token::check(&settings.jwt)?;
    crate::inbox::sync::check(&settings.sync)
}

#[cfg(test)]
mod tests;
