use model::message::MessageId;
use model::permission::Access;
use store::messages::Published;
use store::schedules::Schedule;

use crate::Engine;
use crate::access::caller::Caller;
use crate::access::error::AccessError;
use crate::error::Error;

/// What is known of a message (api.md 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It is in its channel's log.
    Published(Published),
    /// It is published later or repeatedly, or was.
    Scheduled(Box<Schedule>),
    /// No such id, or past its channel's history window.
    Unknown,
}

impl Engine {
    /// The status of a message (api.md 3.2). What the caller may not read is unknown to it.
    ///
    /// # Errors
    /// No credential where one is needed; the store.
    pub async fn status(&self, caller: &Caller, id: MessageId) -> Result<Status, Error> {
        let app = caller.app.key;
        if id.occurrence.is_none()
            && let Some(schedule) = self.store.find_schedule(app, id.base).await?
        {
            caller.may(Access::Subscribe, schedule.channel.as_str())?;
            return Ok(Status::Scheduled(Box::new(schedule)));
        }
        let found = self.store.published(app, id, self.clock.now()).await?;
        let Some(published) = found else {
            // A stranger learns nothing, not even that there is nothing.
            return match caller.may(Access::Subscribe, "") {
                Err(error @ AccessError::NoCredential) if !self.has_public_channel(caller) => {
                    Err(error.into())
                }
                _ => Ok(Status::Unknown),
            };
        };
        caller.may(Access::Subscribe, published.channel.as_str())?;
        Ok(Status::Published(published))
    }

    /// Whether anyone may read some channel of the app.
    fn has_public_channel(&self, caller: &Caller) -> bool {
        let rules = &caller.app.settings.channels;
        rules
            .iter()
            .any(|rule| rule.subscribe.contains(&model::permission::Who::Anyone))
    }
}
