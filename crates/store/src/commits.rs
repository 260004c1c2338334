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
}

/// Who is told of commits, in commit order. Called on the store's writer: it must not block.
pub trait CommitSink: Send + Sync + 'static {
    /// The commits of one transaction, durable now.
    fn committed(&self, commits: Vec<Commit>);
}
