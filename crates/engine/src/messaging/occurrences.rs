use model::message::MessageId;
use store::schedules::Occurrence;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::scheduled::check_limit;

impl Engine {
    /// The due times of a schedule that have passed, after number `after` (api.md 3.3). The flag tells
    /// whether there are more.
    ///
    /// # Errors
    /// Access, a bad limit, [`Error::NotFound`].
    pub async fn occurrences(
        &self,
        caller: &Caller,
        id: MessageId,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Occurrence>, bool), Error> {
        let schedule = self.own_schedule(caller, id).await?;
        let schedule = schedule.ok_or(Error::NotFound { what: "schedule" })?;
        check_limit(caller, limit)?;
        let app = caller.app.key;
        let mut found = self.store.occurrences(app, schedule.id, after, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }
}
