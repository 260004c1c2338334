use model::channel::ChannelName;
use model::key::Scope;
use model::message::MessageId;
use model::permission::{Access, Principal};
use store::schedules::{SchedulePage, ScheduleQuery};

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

/// Bytes of one page at most, about; the first schedule always comes.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

impl Engine {
    /// The caller's own schedules, for `admin` all, after `after`; those that have ended too, as long as
    /// they are kept (api.md 3.3).
    ///
    /// # Errors
    /// Access, a bad name or limit.
    pub async fn scheduled(
        &self,
        caller: &Caller,
        channel: Option<&str>,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<SchedulePage, Error> {
        if !matches!(caller.principal, Principal::User { .. }) {
            caller.needs(Scope::Schedule)?;
        }
        let channel = channel.map(str::parse::<ChannelName>).transpose()?;
        if let Some(channel) = &channel {
            caller.may(Access::Publish, channel.as_str())?;
        }
        check_limit(caller, limit)?;
        let query = ScheduleQuery {
            principal: (!caller.principal.is_admin()).then(|| caller.principal.owner_name()),
            channel,
            after: after.map(|id| id.base),
            limit,
            max_bytes: PAGE_BYTES,
        };
        Ok(self.store.schedules(caller.app.key, query).await?)
    }
}

pub(super) fn check_limit(caller: &Caller, limit: usize) -> Result<(), Error> {
    let most = caller.app.settings.limits.schedule_page;
    match (1..=most).contains(&limit) {
        true => Ok(()),
        false => Err(Error::parameter(
            "limit",
            format!("expected 1 to {most}, found {limit}"),
        )),
    }
}
