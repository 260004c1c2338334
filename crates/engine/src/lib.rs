//! What Postbell does: who may do what, publishing, subscribing, the inbox, the jobs that time drives.
//!
//! Requests and time both end here; the engine calls the store and the hub. It must never see axum, SQL,
//! NATS or the wire's JSON shapes: a payload is text that passes through.
//!
//! # Layout
//!
//! - [`Engine`]: everything together, shared by all handlers.
//! - [`access`]: who calls and what they may do.
//! - [`messaging`]: one operation of api.md 3 a file.
//! - [`inbox`]: one operation of api.md 4 a file.
//! - [`feed`]: the way of committed messages from the store to the hub.
//! - [`presence`]: who is connected to a channel, and commands.
//! - [`streams`]: open streams and whether they may go on.
//! - [`jobs`]: what time drives.
//! - [`advance_clock`]: time moved by hand.

use std::sync::Arc;

use hub::{EndReason, Hub, HubOptions};
use model::ids::IdSource;
use model::time::Clock;
use store::SharedStore;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::advance_clock::Movable;
use crate::error::Error;
use crate::feed::Feed;
use crate::filters::Filters;
use crate::history::StoreHistory;
use crate::inbox::Imports;
use crate::inbox::sync::CampaignClient;
use crate::inbox::watchers::Watchers;
use crate::jobs::Jobs;
use crate::jobs::schedules::Alarm;
use crate::presence::Presence;
use crate::streams::Streams;

/// Who calls and what they may do.
pub mod access;
/// Time moved by hand.
pub mod advance_clock;
/// The error of every operation.
pub mod error;
/// From the store's commits to the hub.
pub mod feed;
/// Which messages readers get.
mod filters;
/// The store as the hub sees it.
mod history;
/// Inbox messages.
pub mod inbox;
/// What time drives: schedules, sync and cleanup.
pub mod jobs;
/// Publishing, reading and administering channels.
pub mod messaging;
/// Who is connected, and commands: of this node and of now.
pub mod presence;
/// Open streams.
pub mod streams;
/// The ambient clock and randomness.
pub mod system;

/// Bounds of one node. Those of an app are in its settings.
#[derive(Debug, Clone)]
pub struct Options {
    /// Imports that run at once; further ones wait (api.md 4).
    pub imports: usize,
    /// How long an import waits for its turn before 503.
    pub import_wait: std::time::Duration,
    /// How long a poll may ask to wait (api.md 3.6); over it 400/5908.
    pub poll_wait: std::time::Duration,
    /// Messages in the ring of one channel.
    pub ring_messages: usize,
    /// Bytes of all rings together.
    pub ring_bytes: usize,
    /// Bytes of the history pages that readers share.
    pub page_cache_bytes: usize,
    /// Reads of the history at the same time for readers that fell behind; and as many for live inboxes.
    pub concurrent_reads: usize,
    /// How access is kept up to date.
    pub access: access::Options,
    /// The clock, if requests may move it (api.md 5).
    pub manual_clock: Option<Arc<dyn Movable>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            imports: 4,
            import_wait: std::time::Duration::from_secs(10),
            poll_wait: std::time::Duration::from_secs(60),
            ring_messages: 1_024,
            ring_bytes: 64 * 1024 * 1024,
            page_cache_bytes: 16 * 1024 * 1024,
            concurrent_reads: 8,
            access: access::Options::default(),
            manual_clock: None,
        }
    }
}

/// Ends of polling subscriptions that a waiting poll may fall behind.
const ENDED_POLLS: usize = 1_024;

/// Postbell without its edges. Shared by all handlers and jobs.
pub struct Engine {
    store: SharedStore,
    hub: Hub,
    access: Access,
    streams: Streams,
    filters: Filters,
    presence: Presence,
    imports: Imports,
    watchers: Watchers,
    watch_reads: Arc<Semaphore>,
    campaigns: CampaignClient,
    alarm: Alarm,
    poll_wait: std::time::Duration,
    /// Polling subscriptions that were ended by request, for polls that wait.
    ended_polls: tokio::sync::broadcast::Sender<uuid::Uuid>,
    clock: Arc<dyn Clock>,
    manual_clock: Option<Arc<dyn Movable>>,
    /// Held while the clock is moved step by step; tokio's, because what is due in between awaits the store.
    clock_moves: tokio::sync::Mutex<()>,
    jobs: Jobs,
    ids: Arc<dyn IdSource>,
    tasks: TaskTracker,
    streams_end: CancellationToken,
    stopping: CancellationToken,
}

impl Engine {
    /// Starts the engine over an open store whose commits come through `feed`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(
        store: SharedStore,
        feed: Feed,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        options: Options,
    ) -> Result<Arc<Self>, Error> {
        let access = Access::start(store.clone(), Arc::clone(&clock), options.access).await?;
        let history = StoreHistory {
            store: store.clone(),
            clock: Arc::clone(&clock),
        };
        let (jobs, asked) = Jobs::new();
        let engine = Arc::new(Self {
            hub: Hub::new(hub_options(&options), Arc::new(history)),
            streams: Streams::default(),
            filters: Filters::default(),
            presence: Presence::default(),
            streams_end: CancellationToken::new(),
            imports: Imports::new(options.imports, options.import_wait),
            watchers: Watchers::default(),
            watch_reads: Arc::new(Semaphore::new(options.concurrent_reads.max(1))),
            campaigns: CampaignClient::new()?,
            alarm: Alarm::default(),
            poll_wait: options.poll_wait,
            ended_polls: tokio::sync::broadcast::Sender::new(ENDED_POLLS),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            access,
            store,
            manual_clock: options.manual_clock,
            clock_moves: tokio::sync::Mutex::default(),
            jobs,
            clock,
            ids,
        });
        let stopping = &engine.stopping;
        engine.tasks.spawn(engine.access.clone().run(stopping.clone()));
        let watchers = &engine.watchers;
        engine
            .tasks
            .spawn(feed.run(engine.hub.clone(), watchers.clone(), stopping.clone()));
        engine
            .tasks
            .spawn(watchers.clone().run(Arc::clone(&engine.clock), stopping.clone()));
        engine
            .tasks
            .spawn(streams::watch(Arc::clone(&engine), stopping.clone()));
        engine
            .tasks
            .spawn(jobs::run(Arc::clone(&engine), asked, stopping.clone()));
        engine
            .tasks
            .spawn(jobs::schedules::run(Arc::clone(&engine), stopping.clone()));
        Ok(engine)
    }

    /// Apps, their settings and keys.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The clock that everything goes by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Where randomness comes from.
    pub fn ids(&self) -> &Arc<dyn IdSource> {
        &self.ids
    }

    /// Whether the node can serve (`/readyz`).
    ///
    /// # Errors
    /// The store cannot be read or written, or the node is stopping.
    pub async fn check(&self) -> Result<(), Error> {
        if self.stopping.is_cancelled() {
            return Err(Error::Unavailable {
                reason: "the server is shutting down".into(),
            });
        }
        Ok(self.store.check().await?)
    }

    /// Runs a future to its end, also when nobody waits for it any more; [`Engine::stop`] does.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(future)
    }

    /// Ends every open stream with a reason; requests still work. The first step of a stop.
    pub fn end_streams(&self) {
        self.streams_end.cancel();
        let reason = EndReason {
            code: 5914,
            message: "the server is shutting down".into(),
        };
        self.watchers.close_all(&reason);
        self.hub.close_all(reason);
    }

    /// How many streams and subscriptions are open on this node.
    pub fn open_streams(&self) -> usize {
        self.streams.count()
    }

    /// Cancelled by [`Engine::end_streams`]: for connections that are open without reading a channel.
    pub fn streams_end(&self) -> &CancellationToken {
        &self.streams_end
    }

    /// Stops the jobs, then closes the store. The last step of a stop.
    pub async fn stop(&self) {
        self.end_streams();
        self.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.store.close().await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the store could not be closed cleanly"
            );
        }
    }
}

fn hub_options(options: &Options) -> HubOptions {
    HubOptions {
        ring_messages: options.ring_messages,
        ring_bytes: options.ring_bytes,
        page_messages: 256,
        page_bytes: 1024 * 1024,
        page_cache_bytes: options.page_cache_bytes,
        concurrent_reads: options.concurrent_reads,
        gone: EndReason {
            code: 5909,
            message: "the channel was deleted".into(),
        },
        unreadable: EndReason {
            code: 5919,
            message: "the channel's history cannot be read".into(),
        },
    }
}
