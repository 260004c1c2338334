use model::inbox::InboxId;
use model::key::Scope;
use model::permission::Principal;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

impl Engine {
    /// Deletes a message: a user its own, a key with `inbox` any (api.md 4).
    ///
    /// # Errors
    /// Access, a bad id, [`Error::NotFound`] where it is absent, not the user's own, or not imported.
    pub async fn delete_inbox_message(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        let owner = match &caller.principal {
            Principal::User { id, .. } => Some(&**id),
            _ => {
                caller.needs(Scope::Inbox)?;
                None
            }
        };
        let id: InboxId = id.parse()?;
        match self.store.delete(caller.app.key, &id, owner).await? {
            true => Ok(()),
            false => Err(Error::NotFound { what: "message" }),
        }
    }
}
