use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use hub::{ChannelKey, EndReason, Fanout, Hub};
use model::position::Epoch;
use parking_lot::Mutex;
use store::commits::{Commit, CommitSink};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::inbox::watchers::Watchers;

/// Bytes of messages, and of users, that may wait for the readers. What comes on top is only hinted at:
/// readers then fetch it from the store.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What waits for the hub. The store's writer never waits for it: its way here is bounded, and beyond the
/// bound a channel's head stands for its messages.
#[derive(Default)]
struct Waiting {
    commits: VecDeque<Commit>,
    bytes: usize,
    hints: HashMap<ChannelKey, (Epoch, u64)>,
    /// Whether inboxes changed that no waiting commit tells of.
    any_inbox: bool,
}

#[derive(Default)]
struct Shared {
    // Taken for a push or a swap only.
    waiting: Mutex<Waiting>,
    filled: Notify,
}

/// The end of the feed that the store writes to.
pub struct FeedSink(Arc<Shared>);

/// The end of the feed that the engine reads.
pub struct Feed(Arc<Shared>);

/// Makes a feed: the sink is for the store, the feed for [`crate::Engine::start`].
pub fn feed() -> (Arc<FeedSink>, Feed) {
    let shared = Arc::new(Shared::default());
    (Arc::new(FeedSink(Arc::clone(&shared))), Feed(shared))
}

impl CommitSink for FeedSink {
    fn committed(&self, commits: Vec<Commit>) {
        let mut waiting = self.0.waiting.lock();
        for commit in commits {
            waiting.push(commit);
        }
        drop(waiting);
        self.0.filled.notify_one();
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.hints.is_empty() && !self.any_inbox
    }

    fn push(&mut self, commit: Commit) {
        match &commit {
            Commit::Published {
                app,
                channel,
                epoch,
                message,
            } => {
                let size = message.content.size();
                if self.bytes + size > MAX_BYTES {
                    let key = ChannelKey {
                        app: *app,
                        name: channel.clone(),
                    };
                    self.hints.insert(key, (*epoch, message.seq));
                    return;
                }
                self.bytes += size;
            }
            Commit::ChannelDeleted { app, channel, .. } => {
                self.hints.remove(&ChannelKey {
                    app: *app,
                    name: channel.clone(),
                });
            }
            Commit::InboxChanged { users, .. } => {
                let size = size_of_val(&**users);
                if self.bytes + size > MAX_BYTES {
                    self.any_inbox = true;
                    return;
                }
                self.bytes += size;
            }
        }
        self.commits.push_back(commit);
    }
}

impl Feed {
    /// Hands on what is committed, in commit order, until `shutdown`.
    pub(crate) async fn run(self, hub: Hub, inboxes: Watchers, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.0.filled.notified() => {}
            }
            loop {
                let waiting = std::mem::take(&mut *self.0.waiting.lock());
                if waiting.is_empty() {
                    break;
                }
                // First: a commit that is told behind one that was not would hide it.
                if waiting.any_inbox {
                    inboxes.all_changed();
                }
                let fanouts: Vec<_> = waiting
                    .commits
                    .into_iter()
                    .filter_map(|commit| deliver(&hub, &inboxes, commit))
                    .collect();
                for (channel, (epoch, head)) in waiting.hints {
                    hub.advance(&channel, epoch, head);
                }
                hub::run_all(fanouts);
                // A burst must not keep the runtime's thread from those who write to sockets.
                tokio::task::yield_now().await;
            }
        }
    }
}

fn deliver(hub: &Hub, inboxes: &Watchers, commit: Commit) -> Option<Fanout> {
    match commit {
        Commit::Published {
            app,
            channel,
            epoch,
            message,
        } => return hub.publish(&ChannelKey { app, name: channel }, epoch, message),
        Commit::ChannelDeleted { app, channel, epoch } => {
            let reason = EndReason {
                code: 5909,
                message: "the channel was deleted".into(),
            };
            hub.end_channel(&ChannelKey { app, name: channel }, epoch, reason);
        }
        Commit::InboxChanged { change, users } => inboxes.changed(change, &users),
    }
    None
}

#[cfg(test)]
mod tests;
