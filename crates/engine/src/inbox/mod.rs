//! The inbox: campaign messages of users (api.md 4).

/// Removing what nobody needs any more.
pub mod cleanup;
/// How many messages the caller has.
pub mod count;
/// Deleting one message.
pub mod delete;
/// Deleting all messages of a user.
pub mod delete_all;
/// Storing what the campaign system sends.
pub mod import;
/// The caller's own messages.
pub mod list;
/// Read marks.
pub mod mark_read;
/// Taking messages back.
pub mod retract;
/// One message, for keys.
pub mod show;
/// Standard Webhooks signatures.
mod signature;
/// Telling the campaign system what was deleted.
pub mod sync;
/// The caller's own messages, live.
pub mod watch;
/// What a live inbox reads from the store.
mod watch_read;
/// Who follows whose inbox, and what wakes them.
pub(crate) mod watchers;

pub use import::Imports;
