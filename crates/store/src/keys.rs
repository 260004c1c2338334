use async_trait::async_trait;
use model::app::AppKey;
use model::key::ApiKey;
use model::time::UnixMillis;

use crate::error::Result;

/// API keys (api.md 2).
#[async_trait]
pub trait Keys: Send + Sync {
    /// Stores a new key. `false` if the app has a key with this digest already. Nothing is stored for a
    /// deleted app ([`Error::Unavailable`]).
    ///
    /// [`Error::Unavailable`]: crate::error::Error::Unavailable
    async fn create_key(&self, app: AppKey, key: &ApiKey) -> Result<bool>;

    /// The keys of an app, oldest first, revoked and expired ones too.
    async fn keys(&self, app: AppKey) -> Result<Vec<ApiKey>>;

    /// Revokes the key with this id. `false` if there is none or it is revoked already.
    async fn revoke_key(&self, app: AppKey, id: &str, now: UnixMillis) -> Result<bool>;
}
