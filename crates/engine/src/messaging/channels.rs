use model::channel::ChannelName;
use model::key::Scope;
use store::messages::Channel;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

/// Channels of one page of the list at most.
const MOST: usize = 1_000;

impl Engine {
    /// The app's channels by name, after `after` (api.md 3.7). The flag tells whether there are more.
    ///
    /// # Errors
    /// Access (`admin`), a bad name or limit.
    pub async fn channels(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Channel>, bool), Error> {
        caller.needs(Scope::Admin)?;
        if !(1..=MOST).contains(&limit) {
            return Err(Error::parameter(
                "limit",
                format!("expected 1 to {MOST}, found {limit}"),
            ));
        }
        let after = after.map(str::parse::<ChannelName>).transpose()?;
        let mut channels = self
            .store
            .channels(caller.app.key, after.as_ref(), limit + 1)
            .await?;
        let more = channels.len() > limit;
        channels.truncate(limit);
        Ok((channels, more))
    }

    /// Deletes a channel with its history and subscriptions; its readers end with a reason (api.md 3.7).
    ///
    /// # Errors
    /// Access (`admin`), a bad name, [`Error::NotFound`].
    pub async fn delete_channel(&self, caller: &Caller, channel: &str) -> Result<(), Error> {
        caller.needs(Scope::Admin)?;
        let channel: ChannelName = channel.parse()?;
        match self.store.delete_channel(caller.app.key, &channel).await? {
            true => Ok(()),
            false => Err(Error::NotFound { what: "channel" }),
        }
    }
}
