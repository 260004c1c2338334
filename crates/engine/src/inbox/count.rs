use model::inbox::change::Counts;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

impl Engine {
    /// How many messages the calling user is shown on a client (api.md 4).
    ///
    /// # Errors
    /// No user token, an unknown client type.
    pub async fn count_inbox(&self, caller: &Caller, client: &str) -> Result<Counts, Error> {
        let uid = caller.user()?;
        let client = caller.app.settings.inbox.clients.check(client)?;
        let now = self.clock.now();
        Ok(self.store.count(caller.app.key, uid, client, now).await?)
    }
}
