use model::key::Scope;
use model::message::MessageId;
use model::permission::{Access, Principal};
use store::schedules::Schedule;

use crate::Engine;
use crate::access::caller::Caller;
use crate::access::error::AccessError;
use crate::error::Error;

impl Engine {
    /// Cancels what waits; how many occurrences were published before. Nothing of it is published after
    /// this returns (api.md 3.3).
    ///
    /// # Errors
    /// Access, [`Error::NotWaiting`].
    pub async fn cancel(&self, caller: &Caller, id: MessageId) -> Result<u64, Error> {
        let schedule = self.own_schedule(caller, id).await?.ok_or(Error::NotWaiting)?;
        let cancelled = self.store.cancel_schedule(caller.app.key, schedule.id).await?;
        cancelled.ok_or(Error::NotWaiting)
    }

    /// The schedule of this id, which must be the caller's own or the caller `admin` (api.md 2); `None` if
    /// there is none.
    pub(super) async fn own_schedule(
        &self,
        caller: &Caller,
        id: MessageId,
    ) -> Result<Option<Schedule>, Error> {
        if matches!(caller.principal, Principal::Key { .. }) {
            caller.needs(Scope::Schedule)?;
        }
        let found = match id.occurrence {
            None => self.store.find_schedule(caller.app.key, id.base).await?,
            // An occurrence is published already, or is none.
            Some(_) => None,
        };
        match &found {
            Some(schedule) => {
                caller.may(Access::Publish, schedule.channel.as_str())?;
                if !caller.owns(&schedule.owner.principal) {
                    return Err(refused(caller).into());
                }
            }
            // A stranger learns nothing, not even that there is nothing.
            None if caller.principal == Principal::Anonymous => return Err(refused(caller).into()),
            None => {}
        }
        Ok(found)
    }
}

fn refused(caller: &Caller) -> AccessError {
    match caller.principal {
        Principal::Anonymous => AccessError::NoCredential,
        Principal::Key { .. } | Principal::User { .. } => AccessError::Forbidden,
    }
}
