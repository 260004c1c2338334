use std::sync::Arc;

use engine::access::caller::Caller;
use engine::access::error::AccessError;
use engine::error::Error;
use engine::messaging::Wanted;
use engine::presence::{ListenerId, Topic};
use hub::SubscriptionId;
use model::position::Since;
use serde::Deserialize;

use super::receive::Request;
use super::session::{Session, State};
use super::subscriptions::{Kind, Subscription};
use super::{Rt, frame};
use crate::error::ChannelError;

/// The options of every subscription.
#[derive(Deserialize)]
struct Options {
    channel: String,
    #[serde(default)]
    selector: Option<String>,
}

/// What a client can subscribe to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Connect,
    Messages,
    Listen(Topic),
}

impl Name {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "PUB_SUB_CONNECT" => Self::Connect,
            "PUB_SUB_MESSAGES" => Self::Messages,
            "PUB_SUB_COMMANDS" => Self::Listen(Topic::Commands),
            "PUB_SUB_USERS" => Self::Listen(Topic::Users),
            _ => return None,
        })
    }
}

impl Rt {
    /// `SUB_ON`.
    pub async fn subscribe(&self, session: &Arc<Session>, request: &Request<'_>) {
        if let Err(error) = self.try_subscribe(session, request).await {
            let error = ChannelError::from(error);
            session.refuse("SUB_RES", &request.id, (u32::from(error.code()), error.message()));
        }
    }

    /// `SUB_OFF`.
    pub fn unsubscribe(session: &Session, request: &Request<'_>) {
        let mut state = session.state.lock();
        if let Some((number, subscription)) = state.subscriptions.remove_by_id(&request.id) {
            state.connection.unsubscribe(SubscriptionId(number));
            drop(state);
            drop(subscription);
        }
    }

    async fn try_subscribe(&self, session: &Arc<Session>, request: &Request<'_>) -> Result<(), Error> {
        let caller = session.caller()?;
        let name = Name::of(&request.name).ok_or_else(|| {
            let text = "expected PUB_SUB_CONNECT, PUB_SUB_MESSAGES, PUB_SUB_COMMANDS or PUB_SUB_USERS";
            Error::parameter("name", format!("{text}, found {:.60?}", request.name))
        })?;
        let options: Options = request
            .options()
            .map_err(|text| Error::parameter("PUB_SUB", text))?;
        {
            let mut state = session.state.lock();
            if state.subscriptions.by_id(&request.id).is_some() {
                state.ready(name, &request.id);
                return Ok(());
            }
            let limit = caller.app.settings.limits.connection_subscriptions;
            if state.subscriptions.count() >= limit {
                return Err(Error::TooMany {
                    what: "subscriptions on one connection",
                    limit: limit as u64,
                });
            }
        }
        match name {
            Name::Messages => {
                let number = session.state.lock().subscriptions.next_number();
                let since = session
                    .state
                    .lock()
                    .resumable
                    .resume(&request.id, &options.channel);
                let id = request.id.clone();
                let reader = Reader {
                    id,
                    channel: options.channel.into(),
                    selector: options.selector,
                };
                self.read(session, &caller, (number, since), reader, true).await
            }
            Name::Connect => self.take_part(session, &caller, name, request, &options.channel),
            Name::Listen(_) => self.take_part(session, &caller, name, request, &options.channel),
        }
    }

    /// Being connected and listening: both of now, so nothing is waited for.
    fn take_part(
        &self,
        session: &Arc<Session>,
        caller: &Caller,
        name: Name,
        request: &Request<'_>,
        channel: &str,
    ) -> Result<(), Error> {
        // Under one lock: a listing must not go out before the subscription is known to be ready.
        let mut state = session.state.lock();
        if session.closed().is_some() {
            return Ok(());
        }
        let number = state.subscriptions.next_number();
        let listener = (&session.mailbox, ListenerId(number));
        let open = self.engine.watch(caller, channel, listener)?;
        let kind = match name {
            Name::Listen(topic) => Kind::Listen {
                _listening: self.engine.listen(caller, channel, topic, listener)?,
            },
            _ => Kind::Connect(self.engine.join(caller, channel, &session.sid)?),
        };
        state.subscriptions.insert(
            number,
            Subscription {
                id: request.id.clone(),
                channel: channel.into(),
                kind,
                open,
            },
        );
        state.ready(name, &request.id);
        Ok(())
    }

    /// Starts a reader of messages, for a new subscription or in the place of one that was taken out.
    pub async fn read(
        &self,
        session: &Arc<Session>,
        caller: &Caller,
        (number, since): (u64, Option<Since>),
        reader: Reader,
        is_new: bool,
    ) -> Result<(), Error> {
        let wanted = Wanted {
            selector: reader.selector.clone(),
            ..Wanted::default()
        };
        let id = SubscriptionId(number);
        let handle = session.state.lock().connection.handle();
        let opening = self
            .engine
            .open_subscription(caller, &reader.channel, since, &wanted, (handle, id))
            .await?;
        let mut state = session.state.lock();
        if session.closed().is_some() {
            return Ok(());
        }
        let open = opening.start(&mut state.connection, id);
        let position = state.connection.position(id);
        state.subscriptions.insert(
            number,
            Subscription {
                id: reader.id.clone(),
                channel: reader.channel,
                kind: Kind::Messages {
                    selector: reader.selector,
                    confirmed: position,
                    marked: None,
                },
                open,
            },
        );
        match is_new {
            true => state.ready(Name::Messages, &reader.id),
            false => state.wake(),
        }
        // Access may have changed while the reader was opened, and its end may have been dropped.
        let ended = state.subscriptions.get(number).and_then(|it| it.open.ended());
        drop(state);
        if let Some(reason) = ended {
            session.end(number, (reason.code, &reason.message));
        }
        Ok(())
    }
}

/// What a subscription of messages is about.
pub struct Reader {
    /// The client's id, as JSON.
    pub id: Box<str>,
    /// The channel.
    pub channel: Box<str>,
    /// The selector that the client gave.
    pub selector: Option<String>,
}

impl Session {
    /// Who calls.
    ///
    /// # Errors
    /// Why nobody may: a bad key or token (api.md 3.6).
    pub fn caller(&self) -> Result<Caller, AccessError> {
        self.state.lock().caller.clone()?.renewed()
    }
}

impl State {
    /// Tells that a subscription is ready, again if it was told before.
    fn ready(&mut self, name: Name, id: &str) {
        self.reply_event("SUB_READY", id, frame::NOTHING);
        if name == Name::Connect {
            self.reply_event("SUB_RES", id, frame::CONNECTED);
        }
    }
}
