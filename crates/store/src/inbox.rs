use std::time::Duration;

use async_trait::async_trait;
use model::app::AppKey;
use model::inbox::change::{ChangeCursor, Counts, Removal};
use model::inbox::{InboxId, InboxMessage};
use model::time::UnixMillis;

use crate::error::Result;

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// How many are new and stored.
    pub imported: u64,
    /// How many had an id that was there already, in the store or earlier in the import.
    pub duplicates: u64,
    /// The first such id, in the import's order.
    pub first_duplicate: Option<InboxId>,
}

/// What became of a retract.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retracted {
    /// How many went from imported to retracted.
    pub retracted: u64,
    /// The ids that did not, in the order they came.
    pub not_retracted: Vec<InboxId>,
}

/// Which messages a user asks for (api.md 4).
#[derive(Debug, Clone, Copy)]
pub struct ListQuery<'a> {
    /// The user.
    pub uid: &'a str,
    /// The client type.
    pub client: &'a str,
    /// The present: only messages already created and not yet expired.
    pub now: UnixMillis,
    /// So many at most.
    pub limit: usize,
    /// Go on behind this message of the user; where it is no longer listed, behind its place. Where
    /// there is no such message (any more), nothing can lie behind it: the list is empty.
    pub after: Option<&'a InboxId>,
}

/// What a user is shown, all of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The list.
    pub messages: Vec<InboxMessage>,
    /// How many there are, whatever the limit.
    pub counts: Counts,
    /// Goes on from here.
    pub cursor: ChangeCursor,
    /// When a message appears or expires next.
    pub next: Option<UnixMillis>,
}

/// Which changes are asked for.
#[derive(Debug, Clone, Copy)]
pub struct ChangesQuery<'a> {
    /// The user.
    pub uid: &'a str,
    /// The client type.
    pub client: &'a str,
    /// What is known.
    pub after: ChangeCursor,
    /// The present. Where it lies up to [`MAX_SKEW`] before `after`, that counts.
    pub now: UnixMillis,
    /// About so many changes at most: what one commit changed stays together.
    pub limit: usize,
}

/// How far the clock may have gone back against a cursor.
pub const MAX_SKEW: Duration = Duration::from_secs(5);

/// What happened to a message since, told by its state: a repeated one does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is shown now.
    Shown(Box<InboxMessage>),
    /// It was shown before and has a read mark now.
    Read(InboxId),
    /// It is no longer shown.
    Removed {
        /// Its id.
        id: InboxId,
        /// Why.
        reason: Removal,
    },
}

/// Changes in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What happened.
    pub changes: Vec<Change>,
    /// What is known with them.
    pub cursor: ChangeCursor,
    /// Whether there are further ones already.
    pub more: bool,
    /// How many messages the user is shown.
    pub counts: Counts,
    /// When a message appears or expires next.
    pub next: Option<UnixMillis>,
}

/// A batch of deleted messages that one sync call alone may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncBatch {
    /// The claim: a random number of the caller's.
    pub claim: u64,
    /// The ids, in a stable order.
    pub ids: Vec<InboxId>,
}

/// Inbox messages (api.md 4).
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores new messages in slices of whole messages; those whose id is there already are counted.
    /// A slice never holds up publishes for long. After an error some slices may be stored: importing
    /// again completes it. Nothing is stored for a deleted app ([`Error::Unavailable`]).
    ///
    /// [`Error::Unavailable`]: crate::error::Error::Unavailable
    async fn import(&self, app: AppKey, messages: Vec<InboxMessage>) -> Result<Imported>;

    /// The messages that a user is shown: higher `prio` first, then newer `created`, then `id`.
    async fn list(&self, app: AppKey, query: ListQuery<'_>) -> Result<Vec<InboxMessage>>;

    /// The list with what is needed to follow its changes. Changes that are committed when this is called
    /// are in; whatever comes later is behind the cursor.
    async fn snapshot(&self, app: AppKey, query: ListQuery<'_>) -> Result<Snapshot>;

    /// What a user is shown that the cursor does not know: applied in order to what the user was shown at
    /// the cursor it gives what the user is shown at the new one. `None` where that cannot be told any
    /// more: a cleanup has removed what the cursor does not know, the store was restored, or the clock
    /// went back.
    async fn changes(&self, app: AppKey, query: ChangesQuery<'_>) -> Result<Option<Changes>>;

    /// How many messages a user is shown.
    async fn count(&self, app: AppKey, uid: &str, client: &str, now: UnixMillis) -> Result<Counts>;

    /// Marks a message that the user is shown, on whatever client, as read; also one that is so already.
    /// `false` if the user is not shown it.
    async fn mark_read(&self, app: AppKey, id: &InboxId, uid: &str, now: UnixMillis) -> Result<bool>;

    /// One message in any state.
    async fn show(&self, app: AppKey, id: &InboxId) -> Result<Option<InboxMessage>>;

    /// imported → deleted; with `owner` only a message of that user. `false` if it was not so.
    async fn delete(&self, app: AppKey, id: &InboxId, owner: Option<&str>) -> Result<bool>;

    /// All imported messages of a user → deleted, in slices; how many.
    async fn delete_all(&self, app: AppKey, uid: &str) -> Result<u64>;

    /// imported → retracted, in slices. An id that comes twice is retracted once.
    async fn retract(&self, app: AppKey, ids: Vec<InboxId>) -> Result<Retracted>;

    /// Claims up to `limit` deleted messages until `until`, exclusive; what a claim holds that has not
    /// run out at `now` is left alone. Empty if nothing is left.
    async fn claim_deleted(
        &self,
        app: AppKey,
        claim: u64,
        limit: usize,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<SyncBatch>;

    /// deleted → synced for what the claim still holds; how many. A claim that has run out holds what
    /// nobody has claimed since.
    async fn mark_synced(&self, app: AppKey, batch: &SyncBatch) -> Result<u64>;

    /// Gives a claim back: its messages stay deleted and can be claimed at once.
    async fn release_claim(&self, app: AppKey, batch: &SyncBatch) -> Result<()>;

    /// How many messages stand as deleted.
    async fn count_deleted(&self, app: AppKey) -> Result<u64>;

    /// Removes synced, retracted and expired messages in slices; how many. An expired one that is
    /// deleted stays until it is synced if `keep_deleted`. The ids are free again.
    async fn cleanup(&self, app: AppKey, now: UnixMillis, keep_deleted: bool) -> Result<u64>;
}
