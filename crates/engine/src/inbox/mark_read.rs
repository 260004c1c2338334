use model::inbox::InboxId;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

impl Engine {
    /// Marks a message of the calling user as read, also one that is so already (api.md 4).
    ///
    /// # Errors
    /// No user token, a bad id, [`Error::NotFound`] where the user is not shown such a message.
    pub async fn mark_inbox_message_read(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        let uid = caller.user()?;
        let id: InboxId = id.parse()?;
        let now = self.clock.now();
        match self.store.mark_read(caller.app.key, &id, uid, now).await? {
            true => Ok(()),
            false => Err(Error::NotFound { what: "message" }),
        }
    }
}
