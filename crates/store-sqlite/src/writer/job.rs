use std::panic::{AssertUnwindSafe, catch_unwind};

use store::error::{Error, Result};
use tokio::sync::oneshot;

use crate::error::JobError;
use crate::writer::transaction::Tx;

/// A piece of work for the writer.
pub(crate) trait Job: Send {
    /// Runs inside a transaction; may run again after a rollback.
    fn run(&mut self, tx: &mut Tx<'_>) -> std::result::Result<(), JobError>;

    /// Answers the caller: `Ok` after the commit, else why not.
    fn answer(self: Box<Self>, outcome: Result<()>);

    /// Whether nobody waits for the answer any more and nothing has been done yet.
    fn is_abandoned(&self) -> bool;
}

/// A job made of a closure.
pub(crate) struct FnJob<T, F> {
    job: F,
    result: Option<T>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> FnJob<T, F> {
    pub(crate) fn new(job: F, answer: oneshot::Sender<Result<T>>) -> Self {
        Self {
            job,
            result: None,
            answer,
        }
    }
}

impl<T, F> Job for FnJob<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> std::result::Result<T, JobError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> std::result::Result<(), JobError> {
        // A job that panics must not end the writer: it fails like any other.
        let run = catch_unwind(AssertUnwindSafe(|| (self.job)(tx)));
        let panicked = || Error::Backend {
            source: "a job of the store panicked".into(),
        };
        self.result = Some(run.map_err(|_| panicked())??);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let missing = || Error::Backend {
            source: "a job of the store has no result".into(),
        };
        let Self { result, answer, .. } = *self;
        let _ = answer.send(outcome.and_then(|()| result.ok_or_else(missing)));
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}
