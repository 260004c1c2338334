use async_trait::async_trait;
use model::app::{AppId, AppKey};
use model::settings::AppSettings;
use model::time::UnixMillis;

use crate::error::Result;

/// An app as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its surrogate.
    pub key: AppKey,
    /// Its name.
    pub id: AppId,
    /// Its settings.
    pub settings: AppSettings,
    /// When it was made.
    pub created: UnixMillis,
}

/// Apps and their settings (api.md 1).
#[async_trait]
pub trait Apps: Send + Sync {
    /// A number that grows with every change of an app, its settings or a key: what a node polls to
    /// see changes that others made.
    async fn access_version(&self) -> Result<u64>;

    /// Makes an app. `None` if the name is taken.
    async fn create_app(&self, id: &AppId, settings: &AppSettings, now: UnixMillis) -> Result<Option<App>>;

    /// Replaces an app's settings. `false` if there is no such app.
    async fn set_app(&self, id: &AppId, settings: &AppSettings) -> Result<bool>;

    /// An app by its name.
    async fn app(&self, id: &AppId) -> Result<Option<App>>;

    /// All apps, by name.
    async fn apps(&self) -> Result<Vec<App>>;

    /// Deletes an app with all that it has; the rows go in slices later. The name is free at once.
    /// `false` if there is no such app.
    async fn delete_app(&self, id: &AppId) -> Result<bool>;
}
