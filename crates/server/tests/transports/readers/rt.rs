use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use testkit::rt::polling::Polling;
use testkit::rt::websocket::Ws;
use testkit::rt::{data, error_of, ready};

use super::{Answer, Ask, Heard};
use crate::dice::Dice;
use crate::world::{Credential, World};

/// The client's id of its one subscription.
const ID: &str = "s";

/// What a session goes over.
#[derive(Debug, Clone, Copy)]
pub enum Over {
    WebSocket,
    Polling,
}

/// A reader of Backendless RT. Messages come from `SUB_READY` on, and the server knows by the ids of the client and
/// of its subscription where it stopped. There is no position: what was not confirmed before a cut comes again.
pub struct Reader<'a> {
    world: &'a World,
    ask: Ask,
    client: String,
    over: Over,
    session: Option<Session<'a>>,
    /// The ids of all messages that have come, in order.
    heard: Vec<String>,
    /// Where in [`Reader::heard`] the next message of this session stands, if it began with one that had come.
    again: Option<usize>,
}

enum Session<'a> {
    WebSocket(Box<Ws>),
    Polling(Polling<'a>),
}

impl<'a> Reader<'a> {
    pub async fn open(world: &'a World, ask: Ask, over: Over) -> Result<Self, u64> {
        static CLIENTS: AtomicU64 = AtomicU64::new(0);
        let mut reader = Self {
            world,
            ask,
            client: format!("client-{}", CLIENTS.fetch_add(1, Ordering::Relaxed)),
            over,
            session: None,
            heard: Vec::new(),
            again: None,
        };
        reader.connect().await?;
        Ok(reader)
    }

    async fn connect(&mut self) -> Result<(), u64> {
        let credential = match &self.ask.credential {
            Credential::Key(key) => format!("apiKey={key}"),
            Credential::Token(token) => format!("userToken={token}"),
        };
        let query = format!("{credential}&clientId={}", self.client);
        let options = json!({"channel": self.ask.channel, "selector": self.ask.selector});
        let subscribe = json!({"id": ID, "name": "PUB_SUB_MESSAGES", "options": options});
        let server = &self.world.server;
        let (session, answer) = match self.over {
            Over::WebSocket => {
                let mut ws = Ws::connect(server, &query).await;
                ws.say("SUB_ON", subscribe).await;
                let answer = ws.event().await;
                (Session::WebSocket(Box::new(ws)), answer)
            }
            Over::Polling => {
                let mut polling = Polling::connect(server, &query).await;
                polling.say("SUB_ON", subscribe).await;
                let answer = polling.event().await;
                (Session::Polling(polling), answer)
            }
        };
        if answer != ready(ID) {
            return Err(error_of(answer, "SUB_RES", ID));
        }
        self.session = Some(session);
        self.again = None;
        Ok(())
    }

    pub async fn next(&mut self) -> Answer {
        if self.session.is_none() {
            self.connect().await.unwrap();
        }
        let mut messages = Vec::new();
        // A session that is cut before it has brought anything new would be no step.
        while messages.is_empty() {
            let events = match self.session.as_mut().unwrap() {
                Session::WebSocket(ws) => vec![ws.event().await],
                Session::Polling(polling) => polling.answer().await,
            };
            let heard = events.into_iter().map(|event| Heard::of(&data(event, ID)));
            messages.extend(heard.filter(|heard| self.is_new(heard)));
        }
        Answer { messages, gap: false }
    }

    /// Whether a message has not come before. What comes again is the end of what had come, all of it.
    fn is_new(&mut self, heard: &Heard) -> bool {
        if self.again.is_none() {
            self.again = self.heard.iter().position(|id| *id == heard.id);
        }
        match self.again.as_mut().filter(|at| **at < self.heard.len()) {
            Some(at) => {
                assert_eq!(self.heard[*at], heard.id, "what comes again keeps its order");
                *at += 1;
                false
            }
            None => {
                assert!(
                    !self.heard.contains(&heard.id),
                    "{heard:?} came twice in one session"
                );
                self.heard.push(heard.id.clone());
                self.again = Some(self.heard.len());
                true
            }
        }
    }

    /// Loses the connection: over polling, with an answer that may be under way.
    pub async fn cut(&mut self, dice: &mut Dice) {
        if let Some(Session::Polling(polling)) = self.session.take() {
            let patience = Duration::from_micros(dice.below(20_000));
            let _ = tokio::time::timeout(patience, polling.poll()).await;
        }
    }
}
