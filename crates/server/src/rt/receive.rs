use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::packet::{Malformed, Message, Packet};
use super::session::Session;
use super::{Rt, frame};

/// What a client may be called by, its subscriptions and invocations too, in bytes.
const MAX_ID: usize = 128;

impl Rt {
    /// Handles the packets of a polling request, in order.
    ///
    /// # Errors
    /// What was found in the place of a packet; those before it were handled.
    pub async fn receive_all(&self, session: &Arc<Session>, payload: &str) -> Result<(), Malformed> {
        let _turn = session.turn.lock().await;
        for packet in Packet::parse_all(payload) {
            self.packet(session, packet?).await?;
        }
        Ok(())
    }

    /// Handles a packet of a WebSocket.
    ///
    /// # Errors
    /// What was found in the place of a packet.
    pub async fn receive(&self, session: &Arc<Session>, packet: &str) -> Result<(), Malformed> {
        let _turn = session.turn.lock().await;
        self.packet(session, Packet::parse(packet)?).await
    }

    async fn packet(&self, session: &Arc<Session>, packet: Packet<'_>) -> Result<(), Malformed> {
        match packet {
            Packet::Message(message) => self.message(session, Message::parse(message)?).await,
            Packet::Close => self.leave(session),
            Packet::Ping => session.reply(b"3".to_vec()),
            Packet::Pong => session.pong(),
            Packet::Probe | Packet::Upgrade => {
                return Err(Malformed("nothing is to be taken over here"));
            }
            Packet::Noop => {}
        }
        Ok(())
    }

    async fn message(&self, session: &Arc<Session>, message: Message<'_>) {
        match message {
            Message::Connect { namespace } => self.connect(session, namespace),
            Message::Disconnect => self.leave(session),
            Message::Event {
                namespace,
                name,
                argument,
            } => {
                // socket.io clients send nothing before they are connected, and nothing elsewhere.
                let connected = session.state.lock().namespace.clone();
                if connected.is_some_and(|connected| *connected == *namespace) {
                    self.event(session, &name, argument).await;
                } else {
                    session.reply(frame::no_namespace(namespace));
                }
            }
        }
    }

    /// The one namespace of a session is that of its path's app.
    fn connect(&self, session: &Arc<Session>, namespace: &str) {
        let is_app = namespace
            .strip_prefix('/')
            .is_some_and(|app| app.eq_ignore_ascii_case(&session.address));
        if !is_app {
            return session.reply(frame::no_namespace(namespace));
        }
        let resumable = self.admit(session);
        let mut state = session.state.lock();
        if session.closed().is_some() {
            return;
        }
        if let Some((resumable, answered)) = resumable {
            state.resumable = resumable;
            state.answered = answered;
        }
        state.namespace = Some(namespace.into());
        state.reply(frame::connected(namespace, &session.sid));
    }

    async fn event(&self, session: &Arc<Session>, name: &str, argument: Option<&RawValue>) {
        let request = match Request::parse(argument) {
            Ok(request) => request,
            Err(text) => {
                let answer = if name == "MET_REQ" { "MET_RES" } else { "SUB_RES" };
                return session.refuse(answer, "null", (5908, &text));
            }
        };
        match name {
            "SUB_ON" => self.subscribe(session, &request).await,
            "SUB_OFF" => Self::unsubscribe(session, &request),
            "MET_REQ" => self.invoke(session, &request).await,
            other => {
                let text = format!("expected SUB_ON, SUB_OFF or MET_REQ, found {other:.60?}");
                session.refuse("SUB_RES", &request.id, (5908, &text));
            }
        }
    }
}

/// The argument of an event.
pub struct Request<'a> {
    /// The client's id of a subscription or an invocation, as JSON.
    pub id: Box<str>,
    /// Of what.
    pub name: String,
    /// With which options.
    pub options: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(borrow, default)]
    options: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    fn parse(argument: Option<&'a RawValue>) -> Result<Self, String> {
        let argument = argument.ok_or("expected an object with id and name, found nothing")?;
        let fields: Fields<'a> = serde_json::from_str(argument.get())
            .map_err(|error| format!("expected an object with id, name and options, found: {error:.200}"))?;
        if fields.id.is_empty() || fields.id.len() > MAX_ID {
            return Err(format!(
                "id: expected 1 to {MAX_ID} bytes, found {}",
                fields.id.len()
            ));
        }
        Ok(Self {
            id: serde_json::Value::String(fields.id).to_string().into(),
            name: fields.name.unwrap_or_default(),
            options: fields.options,
        })
    }

    /// The options as what the name asks for.
    ///
    /// # Errors
    /// What was expected and found.
    pub fn options<T: Deserialize<'a>>(&self) -> Result<T, String> {
        let options = self.options.map_or("{}", |options| options.get());
        serde_json::from_str(options).map_err(|error| format!("options: {error:.200}"))
    }
}

impl Session {
    /// A pong came: the client has what was sent before its ping.
    fn pong(&self) {
        let mut state = self.state.lock();
        if state.confirm.pong() {
            state.subscriptions.confirm();
        }
        drop(state);
        // Messages may have waited for it.
        self.wake();
    }

    /// Answers with an error.
    pub fn refuse(&self, event: &str, id: &str, (code, text): (u32, &str)) {
        self.state
            .lock()
            .reply_event(event, id, &frame::error(code, text));
    }
}
