use std::sync::Arc;

use model::app::AppKey;
use model::channel::ChannelName;
use model::message::Message;
use model::position::Epoch;

/// One thing that happened in a commit and that live readers want to know.
#[derive(Debug, Clone)]
pub enum Commit {
    /// A message was appended.
    Published {
        /// The app.
        app: AppKey,
        /// The channel.
        channel: ChannelName,
        /// Its incarnation.
        epoch: Epoch,
        /// The message.
        message: Arc<Message>,
    },
    /// A channel was deleted.
    ChannelDeleted {
        /// The app.
        app: AppKey,
        /// The channel.
        channel: ChannelName,
        /// The incarnation that ended.
        epoch: Epoch,
    },
    /// What users are shown changed: who has an open stream looks again ([`Inbox::changes`]).
    ///
    /// [`Inbox::changes`]: crate::inbox::Inbox::changes
    InboxChanged {
        /// Every change up to this number is committed and was told, now or before; 0 where that is not
        /// known, as after a commit that failed. Numbers are those of [`ChangeCursor`].
        ///
        /// [`ChangeCursor`]: model::inbox::change::ChangeCursor
        change: u64,
        /// Whose inbox it is ([`inbox_user`]). One may be told without a change, none is left out.
        users: Box<[u64]>,
    },
}

/// What stands for a user of an app in [`Commit::InboxChanged`]: a number in the place of a text for each
/// message of a large import. The same on every node; two users may share one (FNV-1a, 64 bits).
pub fn inbox_user(app: AppKey, uid: &str) -> u64 {
    let bytes = app.0.to_le_bytes();
    let bytes = bytes.iter().chain(uid.as_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Who is told of commits, in commit order. The store's writes wait for it: it must not block.
pub trait CommitSink: Send + Sync + 'static {
    /// The commits of one transaction, durable now.
    fn committed(&self, commits: Vec<Commit>);
}
