use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use reqwest::{Client, Url, redirect};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::key_set::{self, FetchError, KeySet};
use crate::access::Options;

/// The longest time for which a server's `max-age` is believed: a key that it takes back is refused then.
const LONGEST_FRESH: Duration = Duration::from_secs(3_600);

/// What all JWK sets of a node share: the HTTP client and the tasks that fetch.
#[derive(Debug)]
pub(in crate::access) struct Fetcher {
    cool_down: Duration,
    interval: Duration,
    timeout: Duration,
    /// Made at the first use: most nodes have no JWK set, and a client reads the system's certificates.
    client: OnceLock<Option<Client>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Fetcher {
    pub(in crate::access) fn new(options: &Options) -> Self {
        Self {
            cool_down: options.fetch_cool_down,
            interval: options.fetch_interval,
            timeout: options.fetch_timeout,
            client: OnceLock::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Ends all fetches and waits for their ends. Later ones end at once.
    pub(in crate::access) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn client(&self) -> Option<&Client> {
        let make = || {
            let client = Client::builder()
                .timeout(self.timeout)
                .redirect(redirect::Policy::none())
                .build();
            client
                .inspect_err(|error| {
                    tracing::error!(error = %error, cause = ?error.source(), "no HTTP client can be made; are the system's CA certificates there?");
                })
                .ok()
        };
        self.client.get_or_init(make).as_ref()
    }
}

/// The JWK set of one app, kept in memory. It is fetched in tasks of its own, one at a time, and never
/// more often than the cool-down allows; while it cannot be fetched, the last one stays.
#[derive(Debug)]
pub(super) struct Jwks {
    url: Url,
    fetcher: Arc<Fetcher>,
    keys: ArcSwap<KeySet>,
    /// Short: flags and times only.
    state: Mutex<FetchState>,
    /// Counts the fetches that have ended; the keys are in place before it is raised.
    ended: watch::Sender<u64>,
    /// Counts the sets that were put in place.
    generation: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct FetchState {
    running: bool,
    began: Option<Instant>,
    due: Option<Instant>,
}

impl Jwks {
    pub(super) fn new(url: Url, fetcher: Arc<Fetcher>) -> Self {
        Self {
            url,
            fetcher,
            keys: ArcSwap::default(),
            state: Mutex::default(),
            ended: watch::Sender::new(0),
            generation: watch::Sender::new(0),
        }
    }

    /// The keys of now.
    pub(super) fn keys(&self) -> Arc<KeySet> {
        self.keys.load_full()
    }

    /// How many sets were put in place so far: what was verified with another one is to be verified anew.
    pub(super) fn generation(&self) -> u64 {
        *self.generation.borrow()
    }

    /// Begins a fetch if the set has reached its age and the cool-down is over.
    pub(super) fn refresh_if_due(self: &Arc<Self>) {
        let now = Instant::now();
        let due = self.state.lock().due.is_none_or(|due| now >= due);
        if due {
            self.begin(now);
        }
    }

    /// Sees the ends of the fetches from now on.
    pub(super) fn ends(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// Waits for the fetch that runs, or for one that begins now if the cool-down is over. `false` if none
    /// was to be had since `ended` was taken: tokens with made-up keys cause no requests and no waiting.
    pub(super) async fn fetched_anew(self: &Arc<Self>, mut ended: watch::Receiver<u64>) -> bool {
        if !self.begin(Instant::now()) {
            return ended.has_changed().unwrap_or(false);
        }
        let limit = self.fetcher.timeout;
        matches!(tokio::time::timeout(limit, ended.changed()).await, Ok(Ok(())))
    }

    /// Whether a fetch runs: one that ran already, or one begun now.
    fn begin(self: &Arc<Self>, now: Instant) -> bool {
        let mut state = self.state.lock();
        if state.running {
            return true;
        }
        let cooling = state
            .began
            .is_some_and(|began| now.duration_since(began) < self.fetcher.cool_down);
        if cooling {
            return false;
        }
        state.running = true;
        state.began = Some(now);
        drop(state);
        let running = Running(self.clone());
        self.fetcher.tasks.spawn(async move {
            tokio::select! {
                () = running.0.fetcher.stop.cancelled() => {}
                () = running.0.fetch() => {}
            }
        });
        true
    }

    /// A failure is logged, and the set stays as it is and due.
    async fn fetch(&self) {
        let fetched = match self.fetcher.client() {
            Some(client) => key_set::fetch(client, &self.url).await,
            None => Err(FetchError::Client),
        };
        let host = self.url.host_str().unwrap_or_default();
        match fetched {
            Ok((keys, fresh)) => {
                if keys.len() == 0 {
                    tracing::warn!(jwks.host = host, "the JWK set has no key that can verify tokens");
                }
                let age = fresh.unwrap_or(self.fetcher.interval).min(LONGEST_FRESH);
                self.state.lock().due = Some(Instant::now() + age.max(self.fetcher.cool_down));
                self.keys.store(Arc::new(keys));
                self.generation.send_modify(|count| *count += 1);
            }
            Err(error) => {
                tracing::warn!(jwks.host = host, error = %error, cause = ?error.source(), "the JWK set cannot be fetched; the last known keys stay");
            }
        }
    }
}

/// A fetch that runs; its end is told however it ends.
struct Running(Arc<Jwks>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state.lock().running = false;
        self.0.ended.send_modify(|count| *count += 1);
    }
}
