use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use model::app::AppKey;

use super::options::Options;
use super::subscriptions::Stopped;

/// Invocations of methods whose answers are remembered.
const ANSWERED: usize = 64;

/// A client of an app.
pub type Client = (AppKey, Arc<str>);

/// Methods that were answered: one that comes again, also after its client has connected anew, is
/// answered again and not run again (api.md 3.6).
#[derive(Debug, Default)]
pub struct Answered(VecDeque<(Box<str>, Arc<[u8]>)>);

impl Answered {
    /// What an invocation was answered.
    pub fn get(&self, id: &str) -> Option<Arc<[u8]>> {
        let found = self.0.iter().find(|(known, _)| **known == *id);
        found.map(|(_, answer)| Arc::clone(answer))
    }

    /// Remembers an answer, and forgets the oldest.
    pub fn add(&mut self, id: Box<str>, answer: Arc<[u8]>) {
        if self.0.len() >= ANSWERED {
            self.0.pop_front();
        }
        self.0.push_back((id, answer));
    }
}

/// What a session that is gone left for its client.
#[derive(Debug)]
pub struct Left {
    /// Where its readers stopped, by the client's ids.
    pub stopped: HashMap<Box<str>, Stopped>,
    /// What it was answered.
    pub answered: Answered,
    /// How long it is kept.
    pub until: Instant,
}

/// What sessions that are gone left: bounded in number and in time.
#[derive(Debug, Default)]
pub struct Kept {
    clients: HashMap<Client, Left>,
    subscriptions: usize,
}

impl Kept {
    /// Keeps what a session left, unless there is too much already: then its client starts anew.
    pub fn add(&mut self, client: Client, left: Left, options: &Options) {
        self.take(&client);
        let has_room = self.subscriptions + left.stopped.len() <= options.max_kept
            && self.clients.len() < options.max_sessions;
        if has_room {
            self.subscriptions += left.stopped.len();
            self.clients.insert(client, left);
        }
    }

    /// Takes out what was kept for a client.
    pub fn take(&mut self, client: &Client) -> Option<Left> {
        let left = self.clients.remove(client)?;
        self.subscriptions -= left.stopped.len();
        Some(left)
    }

    /// Forgets what was kept long enough.
    pub fn expire(&mut self, now: Instant) {
        let subscriptions = &mut self.subscriptions;
        self.clients.retain(|_, left| {
            let stays = now < left.until;
            if !stays {
                *subscriptions -= left.stopped.len();
            }
            stays
        });
    }

    /// For how many clients something is kept.
    pub fn count(&self) -> usize {
        self.clients.len()
    }
}

#[cfg(test)]
mod tests;
