use std::sync::Arc;
use std::time::Duration;

use hub::Entry;
use model::channel::ChannelName;
use model::permission::Access;
use model::position::{Position, Since};
use model::selector::Selector;
use model::subtopic::SubtopicPattern;
use store::polling::{Advance, Advanced, Created, NewSubscription, Subscription};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;
use uuid::Uuid;

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::Wanted;

/// Reading what a poll is answered with.
mod gather;

/// How often a poll begins anew because another one of the same subscription was faster. Each time some
/// other poll got messages.
const ATTEMPTS: usize = 32;

/// A subscription that is polled although nothing comes is written so often at most.
const TOUCH: Duration = Duration::from_secs(60);

/// How a subscription is polled (api.md 3.6).
#[derive(Debug, Clone, Copy, Default)]
pub struct Poll {
    /// Reads again from here instead of going on; ordinary polls go on behind what this one answers.
    pub since: Option<Since>,
    /// How long the answer is held while there is nothing.
    pub wait: Duration,
}

/// What a poll is answered with.
pub struct Polled {
    /// Ascending.
    pub messages: Vec<Arc<Entry>>,
    /// Where the subscription stands now.
    pub position: Position,
    /// Messages are lost to this subscription: from where it stood to where the messages begin.
    pub gap: Option<(Since, Position)>,
}

impl Engine {
    /// Makes a subscription that is polled: durable, the caller's own (api.md 3.6). The channel need not be
    /// there.
    ///
    /// # Errors
    /// Access, the name, the filters, [`Error::TooMany`].
    pub async fn create_polling(
        &self,
        caller: &Caller,
        channel: &str,
        wanted: &Wanted,
    ) -> Result<Uuid, Error> {
        let channel: ChannelName = channel.parse()?;
        caller.may(Access::Subscribe, channel.as_str())?;
        let selector = Selector::parse_optional(wanted.selector.as_deref().unwrap_or_default())?;
        let subtopic = SubtopicPattern::parse_optional(wanted.subtopic.as_deref().unwrap_or_default())
            .map_err(|error| Error::parameter("subtopic", error))?;
        let (settings, now) = (&caller.app.settings, self.clock.now());
        let limit = settings.limits.subscriptions as u64;
        let new = NewSubscription {
            id: self.ids.random_uuid(),
            channel,
            owner: caller.principal.owner_name(),
            selector: selector.map(|selector| selector.to_string().into()),
            subtopic: subtopic.map(|subtopic| subtopic.to_string().into()),
            since: now - settings.polling.first_window.0,
            expires: now + settings.polling.idle.0,
            max_subscriptions: limit,
        };
        let id = new.id;
        match self.store.create_subscription(caller.app.key, new, now).await? {
            Created::New(_) => Ok(id),
            Created::TooMany => Err(Error::TooMany {
                what: "polling subscriptions",
                limit,
            }),
        }
    }

    /// Takes what came since the last poll (api.md 3.6). The cursor has moved, durably, when this returns: two
    /// polls at once never get the same message.
    ///
    /// # Errors
    /// Access, the name, [`Error::NoSubscription`] for one that is not the caller's own, a wait over
    /// [`crate::Options::poll_wait`], [`Error::TooMany`] while it waits.
    pub async fn poll(&self, caller: &Caller, channel: &str, id: &str, poll: Poll) -> Result<Polled, Error> {
        let channel: ChannelName = channel.parse()?;
        caller.may(Access::Subscribe, channel.as_str())?;
        if poll.wait > self.poll_wait {
            let (most, found) = (self.poll_wait.as_secs(), poll.wait.as_secs());
            return Err(Error::parameter(
                "wait",
                format!("expected at most {most} seconds, found {found}"),
            ));
        }
        let id = subscription_id(id)?;
        let deadline = Instant::now() + poll.wait;
        let idle = caller.app.settings.polling.idle.0;
        // Listened to before the subscription is looked up, so that no end falls in between.
        let mut ends = self.ended_polls.subscribe();
        for _ in 0..ATTEMPTS {
            let subscription = self.own_subscription(caller, &channel, id).await?;
            let since = poll.since.unwrap_or_else(|| since(subscription.position));
            let polled = tokio::select! {
                polled = self.gather(caller, &subscription, since, deadline) => polled?,
                () = has_ended(&mut ends, id) => return Err(Error::NoSubscription),
            };
            let expires = self.clock.now() + idle;
            let is_fresh = subscription.expires + TOUCH.min(idle / 16) >= expires;
            if polled.position == subscription.position && is_fresh {
                return Ok(polled);
            }
            let advance = Advance {
                id,
                from: subscription.position,
                to: polled.position,
                expires,
            };
            match self.store.advance_subscription(caller.app.key, advance).await? {
                Advanced::Done => return Ok(polled),
                Advanced::Moved => {}
                Advanced::Gone => return Err(Error::NoSubscription),
            }
        }
        Err(Error::Unavailable {
            reason: "too many others poll this subscription at once".into(),
        })
    }

    /// Ends a subscription that is polled (api.md 3.6).
    ///
    /// # Errors
    /// Access, the name, [`Error::NoSubscription`] for one that is not the caller's own.
    pub async fn end_polling(&self, caller: &Caller, channel: &str, id: &str) -> Result<(), Error> {
        let channel: ChannelName = channel.parse()?;
        caller.may(Access::Subscribe, channel.as_str())?;
        let id = subscription_id(id)?;
        self.own_subscription(caller, &channel, id).await?;
        let now = self.clock.now();
        match self.store.delete_subscription(caller.app.key, id, now).await? {
            true => {
                // Nobody may wait: then nobody is told.
                let _ = self.ended_polls.send(id);
                Ok(())
            }
            false => Err(Error::NoSubscription),
        }
    }

    /// The subscription, which belongs to its creator and to one channel.
    async fn own_subscription(
        &self,
        caller: &Caller,
        channel: &ChannelName,
        id: Uuid,
    ) -> Result<Subscription, Error> {
        let found = self
            .store
            .subscription(caller.app.key, id, self.clock.now())
            .await?;
        let owner = caller.principal.owner_name();
        found
            .filter(|found| found.channel == *channel && *found.owner == *owner)
            .ok_or(Error::NoSubscription)
    }
}

/// Waits until this subscription was ended. Under so many ends at once that one is missed, its poll waits to
/// its own end.
async fn has_ended(ends: &mut broadcast::Receiver<Uuid>, id: Uuid) {
    loop {
        match ends.recv().await {
            Ok(ended) if ended == id => return,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn subscription_id(text: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_| Error::NoSubscription)
}

/// A position in the form in which a reader asks for it.
fn since(position: Position) -> Since {
    match position {
        Position::Start => Since::Seq(0),
        Position::At { epoch, seq } => Since::Position { epoch, seq },
    }
}
