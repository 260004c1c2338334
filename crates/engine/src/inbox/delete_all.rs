use model::key::Scope;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

impl Engine {
    /// Deletes all imported messages of a user (api.md 4); how many.
    ///
    /// # Errors
    /// Access (`inbox`).
    pub async fn delete_all_of_user(&self, caller: &Caller, uid: &str) -> Result<u64, Error> {
        caller.needs(Scope::Inbox)?;
        Ok(self.store.delete_all(caller.app.key, uid).await?)
    }
}
