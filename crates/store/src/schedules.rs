use std::sync::Arc;

use async_trait::async_trait;
use model::app::AppKey;
use model::channel::ChannelName;
use model::message::Content;
use model::schedule::TimingFields;
use model::schedule::due::Due;
use model::time::UnixMillis;
use uuid::Uuid;

use crate::error::Result;
use crate::messages::Idempotency;

/// Who published a schedule, as far as its occurrences are judged by it (api.md 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The principal, as [`model::permission::Principal`] is written: a key by its name, a user by its id.
    pub principal: Box<str>,
    /// The roles that a user had at publishing.
    pub roles: Vec<Box<str>>,
}

/// A schedule to be stored.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// The app.
    pub app: AppKey,
    /// The channel; made if it is not there, so that deleting it ends the schedule.
    pub channel: ChannelName,
    /// What is published at every occurrence.
    pub content: Arc<Content>,
    /// Who published.
    pub owner: Owner,
    /// The timing fields as published, checked.
    pub timing: TimingFields,
    /// The first due time.
    pub first: Due,
    /// The idempotency key, if one came.
    pub idempotency: Option<Idempotency>,
    /// How many channels the app may have: making one more is refused.
    pub max_channels: u64,
    /// How many schedules of the app may wait: one more is refused.
    pub max_waiting: u64,
}

/// What became of a [`NewSchedule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduled {
    /// It is durable.
    New {
        /// Its id.
        id: Uuid,
    },
    /// The same key and body came before: this was the answer.
    Replayed {
        /// The id that was answered.
        id: Uuid,
    },
    /// The same key came before with another body; nothing was done.
    KeyReused,
    /// The app has as many channels as it may; nothing was done.
    TooManyChannels,
    /// As many schedules of the app wait as may; nothing was done.
    TooManySchedules,
}

/// What state a schedule is in (api.md 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleState {
    /// It has a due time to come.
    Waiting {
        /// Which.
        next: Due,
    },
    /// It has ended by itself.
    Published,
    /// It was cancelled.
    Cancelled,
    /// It ended before its time.
    Failed {
        /// Why, for people.
        reason: Box<str>,
    },
}

/// A schedule as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id: that of the message, where it is published once.
    pub id: Uuid,
    /// The channel.
    pub channel: ChannelName,
    /// Who published it.
    pub owner: Owner,
    /// What is published.
    pub content: Arc<Content>,
    /// The timing fields.
    pub timing: TimingFields,
    /// What state it is in.
    pub state: ScheduleState,
    /// How many occurrences were published.
    pub occurrences: u64,
    /// How many due times were skipped.
    pub skipped: u64,
    /// Place and time of the occurrence that was published last.
    pub last: Option<LastOccurrence>,
    /// Counts its changes: what an [`Edit`] is based on.
    pub revision: u64,
}

/// The last occurrence of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastOccurrence {
    /// Its seq in the channel.
    pub seq: u64,
    /// When it was published.
    pub published_at: UnixMillis,
}

/// A change of a schedule that waits. What is `None` stays.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The [`Schedule::revision`] that it is based on.
    pub revision: u64,
    /// What is published from now on.
    pub content: Option<Arc<Content>>,
    /// The timing fields, and the due time that comes next; none: the schedule ends with the edit.
    pub timing: Option<(TimingFields, Option<Due>)>,
}

/// What became of an [`Edit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// It is durable.
    Done,
    /// The schedule has changed since; nothing was done.
    Changed,
    /// There is no such schedule that waits; nothing was done.
    NotWaiting,
}

/// Which schedules to list.
#[derive(Debug, Clone)]
pub struct ScheduleQuery {
    /// Of this principal alone.
    pub principal: Option<Box<str>>,
    /// Into this channel alone.
    pub channel: Option<ChannelName>,
    /// Those after this id.
    pub after: Option<Uuid>,
    /// So many at most, at least 1.
    pub limit: usize,
    /// About so many bytes at most; the first always comes.
    pub max_bytes: usize,
}

/// A page of schedules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePage {
    /// In the order of their ids, which is that in which they were made.
    pub schedules: Vec<Schedule>,
    /// Whether there are more.
    pub more: bool,
}

/// A due time that has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Which, and when it was due.
    pub due: Due,
    /// What was published; `None`: it was skipped.
    pub published: Option<LastOccurrence>,
}

/// Who decides at a due time whether the owner may still publish (api.md 3.1). Asked inside the
/// transaction: it must not block.
pub trait Gate: Send + Sync + 'static {
    /// Why the owner may not; `None`: it may.
    fn refusal(&self, app: AppKey, channel: &ChannelName, owner: &Owner, now: UnixMillis)
    -> Option<Box<str>>;
}

/// What a call of [`Schedules::fire_due`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fired {
    /// How many schedules it picked up.
    pub picked: usize,
    /// How many occurrences it published.
    pub published: usize,
    /// The earliest due time that is left, past ones included.
    pub next: Option<UnixMillis>,
}

/// Schedules: what is to be published later or repeatedly (api.md 3.1 to 3.3, 3.8).
///
/// A schedule whose channel was deleted has failed from that moment on, whatever its row says.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// Stores a schedule, durable when this returns. The store mints the id and remembers the idempotency
    /// key as [`crate::messages::Messages::append`] does.
    async fn schedule(&self, new: NewSchedule) -> Result<Scheduled>;

    /// A schedule; `None` if there is none of this id, or no more.
    async fn find_schedule(&self, app: AppKey, id: Uuid) -> Result<Option<Schedule>>;

    /// Cancels a schedule that waits; how many occurrences were published before. Nothing of it is
    /// appended after this returns. `None` if it does not wait.
    async fn cancel_schedule(&self, app: AppKey, id: Uuid) -> Result<Option<u64>>;

    /// Changes a schedule that waits.
    async fn edit_schedule(&self, app: AppKey, id: Uuid, edit: Edit) -> Result<Edited>;

    /// The app's schedules, those that have ended included, as long as they are kept.
    async fn schedules(&self, app: AppKey, query: ScheduleQuery) -> Result<SchedulePage>;

    /// The due times of a schedule that have passed, after number `after`, `limit` at most, ascending.
    /// Only the last [`model::limits::OCCURRENCES_KEPT`] are known for certain.
    async fn occurrences(&self, app: AppKey, id: Uuid, after: u64, limit: usize) -> Result<Vec<Occurrence>>;

    /// The earliest due time of all apps, past ones included.
    async fn next_due(&self) -> Result<Option<UnixMillis>>;

    /// Picks up at most `limit` schedules that are due by the store's clock. For each, in one transaction
    /// with all others: the latest due time is published, those before it are skipped, and the schedule
    /// advances or ends; where `gate` refuses, the schedule fails and nothing is published.
    ///
    /// An occurrence of a repetition has the id `<id>-<n>`, a one-shot keeps its id.
    async fn fire_due(&self, limit: usize, gate: Arc<dyn Gate>) -> Result<Fired>;
}
