use std::sync::Arc;
use std::time::Duration;

use model::inbox::InboxMessage;
use model::key::Scope;
use store::inbox::Imported;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

/// The imports that run at once on this node: each holds its body in memory.
pub struct Imports {
    permits: Arc<Semaphore>,
    wait: Duration,
}

/// The right to read and store one import.
pub struct ImportPermit(#[expect(dead_code, reason = "held until the import is over")] OwnedSemaphorePermit);

impl Imports {
    pub(crate) fn new(count: usize, wait: Duration) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(count.max(1))),
            wait,
        }
    }
}

impl Engine {
    /// Asks for the right to read an import, before its body is read (api.md 4).
    ///
    /// # Errors
    /// Access (`import`); [`Error::Unavailable`] when too many imports run for too long.
    pub async fn begin_import(&self, caller: &Caller) -> Result<ImportPermit, Error> {
        caller.needs(Scope::Import)?;
        let permit = tokio::time::timeout(
            self.imports.wait,
            Arc::clone(&self.imports.permits).acquire_owned(),
        );
        match permit.await {
            Ok(Ok(permit)) => Ok(ImportPermit(permit)),
            _ => Err(Error::Unavailable {
                reason: "too many imports are running; try again in some seconds".into(),
            }),
        }
    }

    /// Stores the messages of an import that was validated to its last byte.
    ///
    /// # Errors
    /// The store; what was stored before the error stays, and importing again completes it.
    pub async fn import(
        &self,
        caller: &Caller,
        _permit: &ImportPermit,
        messages: Vec<InboxMessage>,
    ) -> Result<Imported, Error> {
        Ok(self.store.import(caller.app.key, messages).await?)
    }
}
