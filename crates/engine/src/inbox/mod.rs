//! The inbox: campaign messages of users (api.md 4).

/// Removing what nobody needs any more.
pub mod cleanup;
/// Deleting one message.
pub mod delete;
/// Deleting all messages of a user.
pub mod delete_all;
/// Storing what the campaign system sends.
pub mod import;
/// The caller's own messages.
pub mod list;
/// Taking messages back.
pub mod retract;
/// One message, for keys.
pub mod show;
/// Standard Webhooks signatures.
mod signature;
/// Telling the campaign system what was deleted.
pub mod sync;

pub use import::Imports;
