use model::inbox::{InboxId, InboxMessage};
use store::inbox::ListQuery;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

impl Engine {
    /// The messages that the calling user is shown (api.md 4).
    ///
    /// # Errors
    /// No user token, an unknown client type, a bad limit.
    pub async fn list_inbox(
        &self,
        caller: &Caller,
        client: &str,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Vec<InboxMessage>, Error> {
        let uid = caller.user()?;
        check_list(caller, client, limit)?;
        let after: Option<InboxId> = after.map(str::parse).transpose()?;
        let query = ListQuery {
            uid,
            client,
            now: self.clock.now(),
            limit,
            after: after.as_ref(),
        };
        Ok(self.store.list(caller.app.key, query).await?)
    }
}

/// Checks what a list and a live inbox are asked for.
pub(super) fn check_list(caller: &Caller, client: &str, limit: usize) -> Result<(), Error> {
    let settings = &caller.app.settings;
    settings.inbox.clients.check(client)?;
    let most = settings.limits.inbox_list;
    if !(1..=most).contains(&limit) {
        return Err(Error::parameter(
            "limit",
            format!("expected 1 to {most}, found {limit}"),
        ));
    }
    Ok(())
}
