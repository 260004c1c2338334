use model::inbox::{InboxId, InboxMessage};
use model::key::Scope;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

impl Engine {
    /// Any message in any state (api.md 4).
    ///
    /// # Errors
    /// Access (`inbox`), a bad id, [`Error::NotFound`].
    pub async fn show_inbox_message(&self, caller: &Caller, id: &str) -> Result<InboxMessage, Error> {
        caller.needs(Scope::Inbox)?;
        let id: InboxId = id.parse()?;
        let found = self.store.show(caller.app.key, &id).await?;
        found.ok_or(Error::NotFound { what: "message" })
    }
}
