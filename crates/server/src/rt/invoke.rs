use std::sync::Arc;

use engine::access::caller::Caller;
use engine::access::credentials::Credentials;
use engine::error::Error;
use hub::SubscriptionId;
use model::json::JsonText;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::receive::Request;
use super::session::Session;
use super::subscribe::Reader;
use super::subscriptions::{Kind, Subscription, since};
use super::{Rt, frame};
use crate::error::ChannelError;

/// `PUB_SUB_COMMAND`.
#[derive(Deserialize)]
struct Command<'a> {
    channel: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// `SET_USER_TOKEN`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserToken {
    #[serde(default)]
    user_token: Option<String>,
}

impl Rt {
    /// `MET_REQ`: an id that was answered is answered again, and nothing is done.
    pub async fn invoke(&self, session: &Arc<Session>, request: &Request<'_>) {
        let answered = session.state.lock().answered.get(&request.id);
        let answer = match answered {
            Some(answer) => answer,
            None => {
                let answer: Arc<[u8]> = match self.run(session, request).await {
                    Ok(()) => frame::NO_RESULT.into(),
                    Err(error) => {
                        let error = ChannelError::from(error);
                        frame::error(u32::from(error.code()), error.message()).into()
                    }
                };
                let mut state = session.state.lock();
                state.answered.add(request.id.clone(), Arc::clone(&answer));
                answer
            }
        };
        session.state.lock().reply_event("MET_RES", &request.id, &answer);
    }

    async fn run(&self, session: &Arc<Session>, request: &Request<'_>) -> Result<(), Error> {
        let bad = |text| Error::parameter("MET_REQ", text);
        match &*request.name {
            "PUB_SUB_COMMAND" => {
                let Command { channel, kind, data } = request.options().map_err(bad)?;
                let data = data.map_or("null", |data| data.get());
                let command = (kind, JsonText::from_checked(data));
                let caller = session.caller()?;
                self.engine.send_command(&caller, &channel, command, &session.sid)
            }
            "SET_USER_TOKEN" => {
                let token: UserToken = request.options().map_err(bad)?;
                self.set_user_token(session, token.user_token).await
            }
            other => {
                let text = format!("expected PUB_SUB_COMMAND or SET_USER_TOKEN, found {other:.60?}");
                Err(Error::parameter("name", text))
            }
        }
    }

    /// Goes on as another caller. What that one may not have ends; when the token is refused, what not
    /// anyone may have ends.
    async fn set_user_token(&self, session: &Arc<Session>, token: Option<String>) -> Result<(), Error> {
        let credentials = session.key.with_token(token);
        let access = self.engine.access();
        let app = access
            .app_by_key(session.app.key)
            .ok_or(engine::access::error::AccessError::AppGone)?;
        let outcome = access.authenticate(&app, &credentials).await;
        session.state.lock().caller = outcome.clone();
        let judged_as = match &outcome {
            Ok(caller) => Ok(caller.clone()),
            Err(_) => access.authenticate(&app, &Credentials::default()).await,
        };
        let numbers = session.state.lock().subscriptions.numbers();
        for number in numbers {
            let renewed = match &judged_as {
                Ok(caller) => self.renew(session, caller, number).await,
                Err(error) => Err(error.clone().into()),
            };
            if let Err(error) = renewed {
                let error = match &outcome {
                    Err(refused) => Error::Access(refused.clone()),
                    Ok(_) => error,
                };
                let error = ChannelError::from(error);
                session.end(number, (u32::from(error.code()), error.message()));
            }
        }
        Ok(outcome.map(drop)?)
    }

    /// Goes on with a subscription as another caller, where it is.
    async fn renew(&self, session: &Arc<Session>, caller: &Caller, number: u64) -> Result<(), Error> {
        let (reader, position) = {
            let mut state = session.state.lock();
            let state = &mut *state;
            let Some(subscription) = state.subscriptions.get_mut(number) else {
                return Ok(());
            };
            let Subscription {
                id,
                channel,
                kind,
                open,
            } = subscription;
            match kind {
                Kind::Messages { selector, .. } => {
                    let id_of_reader = SubscriptionId(number);
                    let position = state.connection.position(id_of_reader);
                    // Nothing comes from the old reader once the new one knows where to start.
                    state.connection.unsubscribe(id_of_reader);
                    let reader = Reader {
                        id: id.clone(),
                        channel: channel.clone(),
                        selector: selector.clone(),
                    };
                    (reader, position)
                }
                Kind::Connect(_) | Kind::Listen { .. } => {
                    let listener = (&session.mailbox, engine::presence::ListenerId(number));
                    *open = self.engine.watch(caller, channel, listener)?;
                    if let Kind::Connect(joined) = kind {
                        self.engine.rejoin(joined, caller);
                    }
                    return Ok(());
                }
            }
        };
        self.read(session, caller, (number, position.map(since)), reader, false)
            .await
    }
}

impl Session {
    /// Ends a subscription with an error.
    pub(super) fn end(&self, number: u64, (code, text): (u32, &str)) {
        let mut state = self.state.lock();
        let Some(subscription) = state.subscriptions.remove(number) else {
            return;
        };
        state.connection.unsubscribe(SubscriptionId(number));
        state.reply_event("SUB_RES", &subscription.id, &frame::error(code, text));
        drop(state);
        drop(subscription);
    }
}
