use model::inbox::InboxId;
use model::key::Scope;
use store::inbox::Retracted;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

impl Engine {
    /// Takes messages back (api.md 4).
    ///
    /// # Errors
    /// Access (`import`), too many ids, [`Error::NotFound`] where none could be retracted.
    pub async fn retract(&self, caller: &Caller, ids: Vec<InboxId>) -> Result<Retracted, Error> {
        caller.needs(Scope::Import)?;
        let limit = caller.app.settings.limits.retract_ids;
        if ids.len() > limit {
            return Err(Error::TooLarge {
                what: "messages of a retract",
                limit,
            });
        }
        let retracted = self.store.retract(caller.app.key, ids).await?;
        match retracted.retracted {
            0 => Err(Error::NotFound {
                what: "imported message among those named",
            }),
            _ => Ok(retracted),
        }
    }
}
