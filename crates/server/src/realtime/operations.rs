use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use engine::access::caller::Caller;
use engine::access::error::AccessError;
use engine::error::Error;
use engine::inbox::watch::InboxWatch;
use engine::messaging::publish::{Publish, Published};
use engine::messaging::subscribe::Opening;
use http::StatusCode;
use hub::SubscriptionId;
use model::permission::Access;
use model::position::Position;

use super::answer;
use super::request::{Id, Operation, Refused, Request};
use super::session::{Realtime, Subscription, index};
use crate::error::ChannelError;
use crate::inbox::list::DEFAULT_CLIENT;
use crate::messaging::publish::Answer;
use crate::messaging::publish::fields;
use crate::websocket::output::Output;

/// What runs until it is polled to its end.
pub(super) type Doing<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A publish on its way.
pub(super) struct Publishing {
    id: Option<Id>,
    size: usize,
    published: Doing<Result<Published, Error>>,
}

/// What came of an operation.
pub(super) enum Done {
    Subscribed(Id, SubscriptionId, Result<Opening, Error>),
    Opened(Id, Result<Box<InboxWatch>, Error>),
    Authenticated(Option<Id>, Result<Caller, AccessError>),
}

impl Realtime {
    /// Begins what is asked for, or refuses it.
    pub(super) fn begin(&mut self, text: &str, request: Request, output: &mut Output) -> Result<(), Refused> {
        let Request { id, operation } = request;
        let begun = match (operation, &id) {
            (Operation::Auth { token }, _) => {
                self.authenticate(id.clone(), token);
                Ok(())
            }
            (Operation::Publish { channel }, _) => self.publish(id.clone(), channel, text),
            (Operation::Unsubscribe, Some(id)) => self.unsubscribe(id, output),
            (operation @ Operation::Subscribe { .. }, Some(id)) => self.subscribe(id, operation),
            (Operation::Inbox { client, since }, Some(id)) => self.open_inbox(id, client, since),
            (_, None) => Err(Error::parameter("id", "expected an id, found none").into()),
        };
        begun.map_err(|error| Refused { id, error })
    }

    fn subscribe(&mut self, id: &Id, operation: Operation) -> Result<(), ChannelError> {
        let Operation::Subscribe {
            channel,
            wanted,
            since,
        } = operation
        else {
            return Ok(());
        };
        let caller = self.caller.renewed().map_err(Error::from)?;
        let limit = caller.app.settings.limits.connection_subscriptions;
        self.check_new(id, limit)?;
        let number = self.free_place();
        let engine = Arc::clone(&self.shared.state.engine);
        let (handle, id) = (self.connection.handle(), id.clone());
        self.doing = Some(Box::pin(async move {
            let reader = (handle, number);
            let opening = engine
                .open_subscription(&caller, &channel, since, &wanted, reader)
                .await;
            Done::Subscribed(id, number, opening)
        }));
        Ok(())
    }

    fn open_inbox(
        &mut self,
        id: &Id,
        client: Option<String>,
        since: Option<String>,
    ) -> Result<(), ChannelError> {
        let caller = self.caller.renewed().map_err(Error::from)?;
        self.check_new(id, caller.app.settings.limits.connection_subscriptions)?;
        let limit = self.shared.options.inboxes;
        if self.inboxes.len() >= limit {
            return Err(Error::TooMany {
                what: "inboxes on one connection",
                limit: limit as u64,
            }
            .into());
        }
        let engine = Arc::clone(&self.shared.state.engine);
        let id = id.clone();
        self.doing = Some(Box::pin(async move {
            let client = client.as_deref().unwrap_or(DEFAULT_CLIENT);
            let watch = engine.watch_inbox(&caller, client, None, since.as_deref()).await;
            Done::Opened(id, watch.map(Box::new))
        }));
        Ok(())
    }

    /// Whether there may be one subscription more, under this id.
    fn check_new(&self, id: &Id, limit: usize) -> Result<(), Error> {
        if self.find(id).is_some() || self.inboxes.has(id) {
            let reason = "expected one that no open subscription of this connection has";
            return Err(Error::parameter("id", reason));
        }
        if self.subscriptions.iter().flatten().count() + self.inboxes.len() >= limit {
            return Err(Error::TooMany {
                what: "subscriptions on one connection",
                limit: limit as u64,
            });
        }
        Ok(())
    }

    /// The place of the next subscription, under a number that was not there before.
    fn free_place(&mut self) -> SubscriptionId {
        let free = self.subscriptions.iter().position(Option::is_none);
        let index = free.unwrap_or(self.subscriptions.len());
        if index == self.subscriptions.len() {
            self.subscriptions.push(None);
        }
        self.begun = self.begun.wrapping_add(1);
        SubscriptionId(u64::from(self.begun) << 32 | index as u64)
    }

    fn find(&self, id: &Id) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .flatten()
            .find(|subscription| subscription.id == *id)
    }

    fn unsubscribe(&mut self, id: &Id, output: &mut Output) -> Result<(), ChannelError> {
        if let Some(number) = self.find(id).map(|subscription| subscription.number) {
            self.remove(number);
        } else if !self.inboxes.remove(id) {
            let text = "there is no such subscription on this connection";
            return Err(ChannelError::new(StatusCode::NOT_FOUND, 5907, text));
        }
        answer::ok(output, Some(id), None);
        Ok(())
    }

    fn publish(&mut self, id: Option<Id>, channel: String, text: &str) -> Result<(), ChannelError> {
        let caller = self.caller.renewed().map_err(Error::from)?;
        caller.may(Access::Publish, &channel).map_err(Error::from)?;
        let publish: Publish = fields::parse(text.as_bytes(), &caller.app.settings.limits)?;
        let engine = Arc::clone(&self.shared.state.engine);
        self.publishing_bytes += text.len();
        self.publishing.push(Publishing {
            id,
            size: text.len(),
            published: Box::pin(async move { engine.publish(&caller, &channel, publish).await }),
        });
        Ok(())
    }

    fn authenticate(&mut self, id: Option<Id>, token: Option<String>) {
        let credentials = self.credentials.with_token(token);
        let (engine, app) = (Arc::clone(&self.shared.state.engine), self.caller.app.key);
        self.doing = Some(Box::pin(async move {
            let access = engine.access();
            let caller = match access.app_by_key(app) {
                Some(app) => access.authenticate(&app, &credentials).await,
                None => Err(AccessError::AppGone),
            };
            Done::Authenticated(id, caller)
        }));
    }

    pub(super) fn finish(&mut self, done: Done, output: &mut Output) {
        match done {
            Done::Subscribed(id, number, Ok(opening)) => {
                let open = opening.start(&mut self.connection, number);
                let position = self.connection.position(number);
                answer::ready(output, &id, position.unwrap_or(Position::Start));
                let ended = open.ended();
                self.subscriptions[index(number)] = Some(Subscription { number, id, open });
                if let Some(reason) = ended {
                    self.end_subscription(number, &reason, output);
                }
            }
            Done::Opened(id, Ok(watch)) => self.inboxes.add(id, watch),
            Done::Opened(id, Err(error)) => self.refuse(Some(&id), error.into(), output),
            Done::Subscribed(id, _, Err(error)) => self.refuse(Some(&id), error.into(), output),
            Done::Authenticated(id, Ok(caller)) => {
                self.caller = caller;
                let open = self.subscriptions.iter().flatten();
                let refused = open.filter_map(|subscription| {
                    let reason = subscription.open.change_caller(&self.caller).err()?;
                    Some((subscription.number, reason))
                });
                for (number, reason) in refused.collect::<Vec<_>>() {
                    self.end_subscription(number, &reason, output);
                }
                self.inboxes.change_caller(&self.caller, output);
                answer::ok(output, id.as_ref(), None);
            }
            Done::Authenticated(id, Err(error)) => {
                self.refuse(id.as_ref(), Error::from(error).into(), output);
            }
        }
    }

    pub(super) fn poll_publishing(&mut self, cx: &mut Context<'_>, output: &mut Output) {
        let mut at = 0;
        // In the order in which they came: so they reach the store in it.
        while let Some(publishing) = self.publishing.get_mut(at) {
            let Poll::Ready(published) = publishing.published.as_mut().poll(cx) else {
                at += 1;
                continue;
            };
            let Publishing { id, size, .. } = self.publishing.remove(at);
            self.publishing_bytes -= size;
            match published {
                Ok(published) => match serde_json::to_vec(&Answer::of(&published)) {
                    Ok(body) => answer::ok(output, id.as_ref(), Some(&body)),
                    Err(error) => {
                        let error = Error::Internal(Box::new(error));
                        self.refuse(id.as_ref(), error.into(), output);
                    }
                },
                Err(error) => self.refuse(id.as_ref(), error.into(), output),
            }
        }
        if self.publishing.is_empty() {
            self.publishing = Vec::new();
        }
    }
}
