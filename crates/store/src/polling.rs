use async_trait::async_trait;
use model::app::AppKey;
use model::channel::ChannelName;
use model::position::Position;
use model::time::UnixMillis;
use uuid::Uuid;

use crate::error::Result;

/// A subscription that is polled, to be stored.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// Its id, random.
    pub id: Uuid,
    /// The channel; it need not be there.
    pub channel: ChannelName,
    /// Who made it, as [`model::permission::Principal`] is written.
    pub owner: Box<str>,
    /// The condition over headers, in canonical form.
    pub selector: Option<Box<str>>,
    /// The pattern over subtopics, in canonical form.
    pub subtopic: Option<Box<str>>,
    /// It begins with the first message of the history that is not older than this.
    pub since: UnixMillis,
    /// From when on it is gone, unless it is polled before.
    pub expires: UnixMillis,
    /// How many subscriptions the app may have: making one more is refused.
    pub max_subscriptions: u64,
}

/// What became of a [`NewSubscription`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is durable and stands at this position.
    New(Position),
    /// The app has as many subscriptions as it may; nothing was done.
    TooMany,
}

/// A subscription that is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The channel.
    pub channel: ChannelName,
    /// Who made it, as [`model::permission::Principal`] is written.
    pub owner: Box<str>,
    /// The condition over headers, as it was stored.
    pub selector: Option<Box<str>>,
    /// The pattern over subtopics, as it was stored.
    pub subtopic: Option<Box<str>>,
    /// Everything up to here was handed out.
    pub position: Position,
    /// From when on it is gone, unless it is polled before.
    pub expires: UnixMillis,
}

/// A cursor on its way from one position to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    /// The subscription.
    pub id: Uuid,
    /// Where its cursor must stand now.
    pub from: Position,
    /// Where it stands afterwards; going back is fine.
    pub to: Position,
    /// From when on the subscription is gone, unless it is polled before.
    pub expires: UnixMillis,
}

/// What became of an [`Advance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advanced {
    /// The cursor stands at the new position, durably.
    Done,
    /// It did not stand where it had to: somebody else moved it. Nothing was done.
    Moved,
    /// There is no such subscription.
    Gone,
}

/// Subscriptions that are polled (api.md 3.6): each is a durable cursor over a channel's log.
///
/// Whoever polls reads the log after the cursor and then advances it by compare-and-set: of two polls at
/// once one succeeds, the other reads again from where the first one left off. So a message is handed
/// out once, and the writer never waits for a read. Deleting a channel takes its subscriptions with it; one that has
/// expired is gone at once and its row removed later.
#[async_trait]
pub trait Polling: Send + Sync {
    /// Stores a subscription at `now`. The cap counts those that have expired and are not removed yet.
    async fn create_subscription(
        &self,
        app: AppKey,
        new: NewSubscription,
        now: UnixMillis,
    ) -> Result<Created>;

    /// A subscription; `None` if there is none of this id at `now`.
    async fn subscription(&self, app: AppKey, id: Uuid, now: UnixMillis) -> Result<Option<Subscription>>;

    /// Moves a cursor if it stands where it must, durable when this returns.
    async fn advance_subscription(&self, app: AppKey, advance: Advance) -> Result<Advanced>;

    /// Ends a subscription; `false` if there is none of this id at `now`.
    async fn delete_subscription(&self, app: AppKey, id: Uuid, now: UnixMillis) -> Result<bool>;
}
