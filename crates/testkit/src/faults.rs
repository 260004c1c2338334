use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use model::app::{AppId, AppKey};
use model::channel::ChannelName;
use model::inbox::change::Counts;
use model::inbox::{InboxId, InboxMessage};
use model::key::ApiKey;
use model::message::MessageId;
use model::position::Since;
use model::settings::AppSettings;
use model::time::UnixMillis;
use store::apps::{App, Apps};
use store::error::{Error, Result};
use store::inbox::{Changes, ChangesQuery, Imported, Inbox, ListQuery, Retracted, Snapshot, SyncBatch};
use store::keys::Keys;
use store::messages::{Append, Appended, Channel, Head, Messages, Page, Published, Range, Start};
use store::polling::{Advance, Advanced, Created, NewSubscription, Polling, Subscription};
use store::schedules::{
    Edit, Edited, Fired, Gate, NewSchedule, Occurrence, Schedule, SchedulePage, ScheduleQuery, Scheduled,
    Schedules,
};
use store::{SharedStore, Store};
use uuid::Uuid;

/// How the store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Not at all.
    None,
    /// It takes nothing: nothing is done.
    Unavailable,
    /// The operation is done, and then its outcome is not known.
    Unknown,
    /// The cursor of a poll is moved, and then that is not known; all else works.
    UnknownPoll,
    /// It reports an error: nothing is done.
    Broken,
}

/// A store whose operations on channels and the inbox fail when a test says so. Apps and keys, which the
/// engine reads by itself, always work.
pub struct FaultyStore {
    inner: SharedStore,
    fault: AtomicU8,
}

impl FaultyStore {
    /// A store that works until it is told to fail.
    pub fn new(inner: SharedStore) -> Self {
        Self {
            inner,
            fault: AtomicU8::new(Fault::None as u8),
        }
    }

    /// How it fails from now on.
    pub fn fail(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault.load(Ordering::SeqCst) == fault as u8
    }

    /// The operation, or the failure in its place or behind it.
    async fn run<T>(&self, operation: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let source = || Box::new(io::Error::other("the disk is on fire"));
        if self.is(Fault::Unavailable) {
            let reason = "the queue is full".to_owned();
            return Err(Error::Unavailable { reason });
        }
        if self.is(Fault::Broken) {
            return Err(Error::Backend { source: source() });
        }
        let done = operation.await?;
        match self.is(Fault::Unknown) {
            true => Err(Error::OutcomeUnknown { source: source() }),
            false => Ok(done),
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn check(&self) -> Result<()> {
        self.run(self.inner.check()).await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

#[async_trait]
impl Apps for FaultyStore {
    async fn access_version(&self) -> Result<u64> {
        self.inner.access_version().await
    }

    async fn create_app(&self, id: &AppId, settings: &AppSettings, now: UnixMillis) -> Result<Option<App>> {
        self.inner.create_app(id, settings, now).await
    }

    async fn set_app(&self, id: &AppId, settings: &AppSettings) -> Result<bool> {
        self.inner.set_app(id, settings).await
    }

    async fn app(&self, id: &AppId) -> Result<Option<App>> {
        self.inner.app(id).await
    }

    async fn apps(&self) -> Result<Vec<App>> {
        self.inner.apps().await
    }

    async fn delete_app(&self, id: &AppId) -> Result<bool> {
        self.inner.delete_app(id).await
    }
}

#[async_trait]
impl Keys for FaultyStore {
    async fn create_key(&self, app: AppKey, key: &ApiKey) -> Result<bool> {
        self.inner.create_key(app, key).await
    }

    async fn keys(&self, app: AppKey) -> Result<Vec<ApiKey>> {
        self.inner.keys(app).await
    }

    async fn revoke_key(&self, app: AppKey, id: &str, now: UnixMillis) -> Result<bool> {
        self.inner.revoke_key(app, id, now).await
    }
}

#[async_trait]
impl Messages for FaultyStore {
    async fn append(&self, append: Append) -> Result<Appended> {
        self.run(self.inner.append(append)).await
    }

    async fn head(&self, app: AppKey, channel: &ChannelName) -> Result<Option<Head>> {
        self.run(self.inner.head(app, channel)).await
    }

    async fn start(
        &self,
        app: AppKey,
        channel: &ChannelName,
        since: Option<Since>,
        now: UnixMillis,
    ) -> Result<Start> {
        self.run(self.inner.start(app, channel, since, now)).await
    }

    async fn read(
        &self,
        app: AppKey,
        channel: &ChannelName,
        range: Range,
        now: UnixMillis,
    ) -> Result<Option<Page>> {
        self.run(self.inner.read(app, channel, range, now)).await
    }

    async fn published(&self, app: AppKey, id: MessageId, now: UnixMillis) -> Result<Option<Published>> {
        self.run(self.inner.published(app, id, now)).await
    }

    async fn channels(&self, app: AppKey, after: Option<&ChannelName>, limit: usize) -> Result<Vec<Channel>> {
        self.run(self.inner.channels(app, after, limit)).await
    }

    async fn delete_channel(&self, app: AppKey, channel: &ChannelName) -> Result<bool> {
        self.run(self.inner.delete_channel(app, channel)).await
    }
}

#[async_trait]
impl Polling for FaultyStore {
    async fn create_subscription(
        &self,
        app: AppKey,
        new: NewSubscription,
        now: UnixMillis,
    ) -> Result<Created> {
        self.run(self.inner.create_subscription(app, new, now)).await
    }

    async fn subscription(&self, app: AppKey, id: Uuid, now: UnixMillis) -> Result<Option<Subscription>> {
        self.run(self.inner.subscription(app, id, now)).await
    }

    async fn advance_subscription(&self, app: AppKey, advance: Advance) -> Result<Advanced> {
        let advanced = self.run(self.inner.advance_subscription(app, advance)).await?;
        match self.is(Fault::UnknownPoll) {
            true => Err(Error::OutcomeUnknown {
                source: "the disk is on fire".into(),
            }),
            false => Ok(advanced),
        }
    }

    async fn delete_subscription(&self, app: AppKey, id: Uuid, now: UnixMillis) -> Result<bool> {
        self.run(self.inner.delete_subscription(app, id, now)).await
    }
}

#[async_trait]
impl Inbox for FaultyStore {
    async fn import(&self, app: AppKey, messages: Vec<InboxMessage>) -> Result<Imported> {
        self.run(self.inner.import(app, messages)).await
    }

    async fn list(&self, app: AppKey, query: ListQuery<'_>) -> Result<Vec<InboxMessage>> {
        self.run(self.inner.list(app, query)).await
    }

    async fn snapshot(&self, app: AppKey, query: ListQuery<'_>) -> Result<Snapshot> {
        self.run(self.inner.snapshot(app, query)).await
    }

    async fn changes(&self, app: AppKey, query: ChangesQuery<'_>) -> Result<Option<Changes>> {
        self.run(self.inner.changes(app, query)).await
    }

    async fn count(&self, app: AppKey, uid: &str, client: &str, now: UnixMillis) -> Result<Counts> {
        self.run(self.inner.count(app, uid, client, now)).await
    }

    async fn mark_read(&self, app: AppKey, id: &InboxId, uid: &str, now: UnixMillis) -> Result<bool> {
        self.run(self.inner.mark_read(app, id, uid, now)).await
    }

    async fn show(&self, app: AppKey, id: &InboxId) -> Result<Option<InboxMessage>> {
        self.run(self.inner.show(app, id)).await
    }

    async fn delete(&self, app: AppKey, id: &InboxId, owner: Option<&str>) -> Result<bool> {
        self.run(self.inner.delete(app, id, owner)).await
    }

    async fn delete_all(&self, app: AppKey, uid: &str) -> Result<u64> {
        self.run(self.inner.delete_all(app, uid)).await
    }

    async fn retract(&self, app: AppKey, ids: Vec<InboxId>) -> Result<Retracted> {
        self.run(self.inner.retract(app, ids)).await
    }

    async fn claim_deleted(
        &self,
        app: AppKey,
        claim: u64,
        limit: usize,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<SyncBatch> {
        self.run(self.inner.claim_deleted(app, claim, limit, now, until))
            .await
    }

    async fn mark_synced(&self, app: AppKey, batch: &SyncBatch) -> Result<u64> {
        self.run(self.inner.mark_synced(app, batch)).await
    }

    async fn release_claim(&self, app: AppKey, batch: &SyncBatch) -> Result<()> {
        self.run(self.inner.release_claim(app, batch)).await
    }

    async fn count_deleted(&self, app: AppKey) -> Result<u64> {
        self.run(self.inner.count_deleted(app)).await
    }

    async fn cleanup(&self, app: AppKey, now: UnixMillis, keep_deleted: bool) -> Result<u64> {
        self.run(self.inner.cleanup(app, now, keep_deleted)).await
    }
}

#[async_trait]
impl Schedules for FaultyStore {
    async fn schedule(&self, new: NewSchedule) -> Result<Scheduled> {
        self.run(self.inner.schedule(new)).await
    }

    async fn find_schedule(&self, app: AppKey, id: Uuid) -> Result<Option<Schedule>> {
        self.run(self.inner.find_schedule(app, id)).await
    }

    async fn cancel_schedule(&self, app: AppKey, id: Uuid) -> Result<Option<u64>> {
        self.run(self.inner.cancel_schedule(app, id)).await
    }

    async fn edit_schedule(&self, app: AppKey, id: Uuid, edit: Edit) -> Result<Edited> {
        self.run(self.inner.edit_schedule(app, id, edit)).await
    }

    async fn schedules(&self, app: AppKey, query: ScheduleQuery) -> Result<SchedulePage> {
        self.run(self.inner.schedules(app, query)).await
    }

    async fn occurrences(&self, app: AppKey, id: Uuid, after: u64, limit: usize) -> Result<Vec<Occurrence>> {
        self.run(self.inner.occurrences(app, id, after, limit)).await
    }

    async fn next_due(&self) -> Result<Option<UnixMillis>> {
        self.run(self.inner.next_due()).await
    }

    async fn fire_due(&self, limit: usize, gate: Arc<dyn Gate>) -> Result<Fired> {
        self.run(self.inner.fire_due(limit, gate)).await
    }
}
