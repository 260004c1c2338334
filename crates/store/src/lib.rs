//! The storage port of Postbell: one trait a resource, [`Store`] their sum, and the contract suite that
//! every backend passes (feature `contract`).
//!
//! Operations are coarse and atomic: no transaction type crosses the port. This crate must never see
//! axum or a database driver.
//!
//! # Layout
//!
//! - [`apps`], [`keys`]: apps, their settings and API keys, with the version that tells of changes.
//! - [`messages`]: channels, their logs, idempotency.
//! - [`polling`]: subscriptions that are polled, with their cursors.
//! - [`inbox`]: inbox messages in all their states.
//! - [`schedules`]: what is to be published later or repeatedly.
//! - [`commits`]: what a node is told after each commit.
//! - [`error`]: the one error of the port.

use std::sync::Arc;

use async_trait::async_trait;

/// Apps and their settings.
pub mod apps;
/// What leaves the store after a commit.
pub mod commits;
/// The error of every operation.
pub mod error;
/// Inbox messages.
pub mod inbox;
/// API keys.
pub mod keys;
/// Channels and their messages.
pub mod messages;
/// Subscriptions that are polled.
pub mod polling;
/// What is to be published later or repeatedly.
pub mod schedules;

/// The contract suite: plain async functions over `&dyn Store`, one named test each per backend.
#[cfg(feature = "contract")]
pub mod contract;

/// A storage backend: everything that a node keeps.
#[async_trait]
pub trait Store:
    apps::Apps
    + keys::Keys
    + messages::Messages
    + polling::Polling
    + inbox::Inbox
    + schedules::Schedules
    + Send
    + Sync
    + 'static
{
    /// Whether the store can be read and written now (`/readyz`).
    async fn check(&self) -> Result<(), error::Error>;

    /// Flushes what lags, ends background work and closes. Operations after it fail with
    /// [`error::Error::Unavailable`].
    async fn close(&self) -> Result<(), error::Error>;
}

/// A store shared by a whole node.
pub type SharedStore = Arc<dyn Store>;
