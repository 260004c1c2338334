use model::key::Scope;

use crate::Engine;
use crate::access::caller::Caller;
use crate::access::snapshot::AppState;
use crate::error::Error;

impl Engine {
    /// Removes what nobody needs any more (api.md 4); how many.
    ///
    /// # Errors
    /// Access (`cleanup`).
    pub async fn cleanup(&self, caller: &Caller) -> Result<u64, Error> {
        caller.needs(Scope::Cleanup)?;
        self.cleanup_app(&caller.app).await
    }

    /// The same for the built-in timer.
    pub(crate) async fn cleanup_app(&self, app: &AppState) -> Result<u64, Error> {
        let keep_deleted = app.settings.sync.url.is_some();
        Ok(self
            .store
            .cleanup(app.key, self.clock.now(), keep_deleted)
            .await?)
    }
}
