use std::sync::Arc;
use std::time::Duration;

use model::app::AppKey;
use model::inbox::change::ChangeCursor;
use model::time::Clock;
use store::SharedStore;
use store::inbox::{Changes, ChangesQuery, ListQuery, Snapshot};
use tokio::sync::Semaphore;

use crate::error::Error;

/// Changes of one read, about.
const PAGE: usize = 100;
/// Tries before a stream is given up, and the pause before the second one, which doubles.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// Whose inbox a live inbox reads, and how.
pub(super) struct Reader {
    pub(super) store: SharedStore,
    pub(super) clock: Arc<dyn Clock>,
    /// A campaign wakes all its users at once: only so many read at the same time.
    pub(super) permits: Arc<Semaphore>,
    pub(super) app: AppKey,
    pub(super) uid: Box<str>,
    pub(super) client: Box<str>,
    pub(super) limit: usize,
}

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    List { is_reset: bool },
    Changes(ChangeCursor),
}

/// What was read.
pub(super) enum Answer {
    List { snapshot: Snapshot, is_reset: bool },
    Changes(Option<Changes>),
}

impl Reader {
    /// Reads, several times if the store fails.
    pub(super) async fn read(self: Arc<Self>, wanted: Wanted) -> Result<Answer, Error> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.try_read(wanted).await {
                Ok(answer) => return Ok(answer),
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "read again"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.try_read(wanted).await
    }

    async fn try_read(&self, wanted: Wanted) -> Result<Answer, Error> {
        let _permit = self.permits.acquire().await;
        let now = self.clock.now();
        match wanted {
            Wanted::List { is_reset } => {
                let query = ListQuery {
                    uid: &self.uid,
                    client: &self.client,
                    now,
                    limit: self.limit,
                    after: None,
                };
                let snapshot = self.store.snapshot(self.app, query).await?;
                Ok(Answer::List { snapshot, is_reset })
            }
            Wanted::Changes(after) => {
                let query = ChangesQuery {
                    uid: &self.uid,
                    client: &self.client,
                    after,
                    now,
                    limit: PAGE,
                };
                Ok(Answer::Changes(self.store.changes(self.app, query).await?))
            }
        }
    }
}
