use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hub::EndReason;
use model::inbox::change::{ChangeCursor, Counts, Removal};
use model::inbox::{InboxId, InboxMessage};
use model::time::{Clock, UnixMillis};
use store::inbox::{Change, Changes, MAX_SKEW, Snapshot};

use super::list::check_list;
use super::watch_read::{Answer, Reader, Wanted};
use super::watchers::Registration;
use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::streams::OpenStream;

/// What a live inbox tells (api.md 4, `stream`). Its reader keeps messages by id: an event that comes twice
/// does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEvent {
    /// What happened.
    pub what: Happening,
    /// How many messages the user is shown, after all events of the same batch.
    pub counts: Counts,
    /// From where a reader goes on that has seen all up to this event.
    pub cursor: ChangeCursor,
}

/// What happened in a live inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// `message`: it is shown, of the list or from now on.
    Message(Box<InboxMessage>),
    /// `read`: a message that was shown before has a read mark now.
    Read(InboxId),
    /// `removed`: it is no longer shown.
    Removed {
        /// Its id.
        id: InboxId,
        /// Why.
        reason: Removal,
    },
    /// `synced`: the list, or what was missed, is complete; what follows is live.
    Synced,
    /// `reset`: what was told before no longer counts, the list comes anew.
    Reset,
    /// The last event: the stream ends, mostly by a change of access.
    End(EndReason),
}

/// Messages of the first list where no limit is given.
const DEFAULT_LIMIT: usize = 100;

/// The cursor of a list that is not complete: who comes back with it gets `reset` and the list anew.
const INCOMPLETE: ChangeCursor = ChangeCursor {
    epoch: 0,
    change: 0,
    at: UnixMillis(0),
};

/// A read of the store that goes on.
type Reading = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// A live inbox: the list now, `synced`, then every change (api.md 4). It is ended within 2 s when its
/// caller's token expires or is refused.
///
/// Nothing is queued for it: it is marked when its user's messages change, and reads from the store what
/// changed since its cursor. A reader that does not ask costs no memory but the events of one read.
pub struct InboxWatch {
    reader: Arc<Reader>,
    clock: Arc<dyn Clock>,
    registration: Registration,
    open: OpenStream,
    /// Events of a read that were not taken yet.
    ready: VecDeque<InboxEvent>,
    reading: Option<Reading>,
    /// What the events of all reads say, `ready` included.
    cursor: ChangeCursor,
    /// When a message appears or expires next.
    next: Option<UnixMillis>,
    /// Whether `synced` is still to come.
    is_catching_up: bool,
    /// Whether the store has further changes already.
    has_more: bool,
    has_ended: bool,
}

impl Engine {
    /// Opens the calling user's live inbox on a client: the list of now (at most `limit`, by default 100),
    /// or what changed since the cursor `since`, an empty one being none; then what happens (api.md 4). It
    /// counts as one of the app's subscriptions.
    ///
    /// # Errors
    /// No user token, an unknown client type, a bad limit or cursor, [`Error::TooMany`], the store.
    pub async fn watch_inbox(
        &self,
        caller: &Caller,
        client: &str,
        limit: Option<usize>,
        since: Option<&str>,
    ) -> Result<InboxWatch, Error> {
        let uid = caller.user()?;
        let most = caller.app.settings.limits.inbox_list;
        let limit = limit.unwrap_or(DEFAULT_LIMIT.min(most));
        check_list(caller, client, limit)?;
        let since: Option<ChangeCursor> = match since.filter(|since| !since.is_empty()) {
            Some(since) => Some(since.parse().map_err(|error| Error::parameter("cursor", error))?),
            None => None,
        };
        // Registered first, then read: nothing that is committed in between is lost.
        let registration = self.watchers.register(caller.app.key, uid);
        let open = self
            .streams
            .open_inbox(caller, Arc::clone(&registration.watcher))?;
        let reader = Arc::new(Reader {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            permits: Arc::clone(&self.watch_reads),
            app: caller.app.key,
            uid: uid.into(),
            client: client.into(),
            limit,
        });
        let mut watch = InboxWatch {
            reader,
            clock: Arc::clone(&self.clock),
            registration,
            open,
            ready: VecDeque::new(),
            reading: None,
            cursor: since.unwrap_or(INCOMPLETE),
            next: None,
            is_catching_up: true,
            has_more: false,
            has_ended: false,
        };
        let wanted = match since {
            None => Wanted::List { is_reset: false },
            Some(INCOMPLETE) => Wanted::List { is_reset: true },
            Some(since) => Wanted::Changes(since),
        };
        let answer = Arc::clone(&watch.reader).read(wanted).await?;
        watch.take(answer);
        Ok(watch)
    }
}

impl InboxWatch {
    /// The next event; `None` after the end. Cancel safe.
    pub async fn next(&mut self) -> Option<InboxEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<InboxEvent>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        self.registration.watcher.wake_by(cx.waker());
        if let Some(reason) = self.registration.watcher.ended() {
            let end = Happening::End(reason.clone());
            return Poll::Ready(Some(self.last(end)));
        }
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            if let Some(reading) = &mut self.reading {
                let answer = ready!(reading.as_mut().poll(cx));
                self.reading = None;
                match answer {
                    Ok(answer) => self.take(answer),
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "a live inbox cannot be read"
                        );
                        let end = Happening::End(unreadable());
                        return Poll::Ready(Some(self.last(end)));
                    }
                }
            } else if self.has_news() {
                self.read(Wanted::Changes(self.cursor));
            } else {
                return Poll::Pending;
            }
        }
    }

    /// From where a reader goes on that has taken all events so far: what a heartbeat tells. `None` while
    /// there are events to be taken.
    pub fn cursor(&self) -> Option<ChangeCursor> {
        let is_up_to_date = self.ready.is_empty() && self.reading.is_none() && !self.is_catching_up;
        is_up_to_date.then_some(self.cursor)
    }

    /// Lets it go on with another token of the same user: after a new token on the same connection.
    ///
    /// # Errors
    /// The token is another user's, or no longer good: it is to be ended with this reason.
    pub fn change_caller(&self, caller: &Caller) -> Result<(), EndReason> {
        self.open.change_caller(caller)
    }

    fn read(&mut self, wanted: Wanted) {
        self.reading = Some(Box::pin(Arc::clone(&self.reader).read(wanted)));
    }

    /// Takes the marks: whether something is to be read. What is known to be unchanged moves the cursor,
    /// so that a cleanup meanwhile does not make it too old.
    fn has_news(&mut self) -> bool {
        let news = self.registration.take_news();
        if self.has_more {
            return true;
        }
        let now = self.clock.now();
        let went_back = now + MAX_SKEW < self.cursor.at;
        self.cursor.change = self.cursor.change.max(news.unchanged_up_to);
        let quiet = match self.next {
            Some(next) => now.min(UnixMillis(next.0 - 1)),
            None => now,
        };
        self.cursor.at = self.cursor.at.max(quiet);
        let is_due = self.next.is_some_and(|next| next <= now);
        news.must_look || is_due || went_back
    }

    /// Makes events of what was read.
    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::List { snapshot, is_reset } => self.take_list(snapshot, is_reset),
            Answer::Changes(Some(changes)) => self.take_changes(changes),
            Answer::Changes(None) => self.read(Wanted::List { is_reset: true }),
        }
    }

    fn take_list(&mut self, snapshot: Snapshot, is_reset: bool) {
        let counts = snapshot.counts;
        let event = |what, cursor| InboxEvent { what, counts, cursor };
        if is_reset {
            self.ready.push_back(event(Happening::Reset, INCOMPLETE));
        }
        let messages = snapshot.messages.into_iter();
        self.ready
            .extend(messages.map(|message| event(Happening::Message(Box::new(message)), INCOMPLETE)));
        self.ready.push_back(event(Happening::Synced, snapshot.cursor));
        self.is_catching_up = false;
        self.has_more = false;
        self.moved(snapshot.cursor, snapshot.next);
    }

    fn take_changes(&mut self, changes: Changes) {
        let Changes {
            changes,
            cursor,
            more,
            counts,
            next,
        } = changes;
        let before = self.cursor;
        let event = |what| InboxEvent {
            what,
            counts,
            cursor: before,
        };
        self.ready.extend(changes.into_iter().map(|change| {
            event(match change {
                Change::Shown(message) => Happening::Message(message),
                Change::Read(id) => Happening::Read(id),
                Change::Removed { id, reason } => Happening::Removed { id, reason },
            })
        }));
        if self.is_catching_up && !more {
            self.is_catching_up = false;
            self.ready.push_back(event(Happening::Synced));
        }
        // Only who has seen all of them knows what the new cursor says.
        if let Some(last) = self.ready.back_mut() {
            last.cursor = cursor;
        }
        self.has_more = more;
        self.moved(cursor, next);
    }

    fn moved(&mut self, cursor: ChangeCursor, next: Option<UnixMillis>) {
        self.cursor = cursor;
        self.next = next;
        self.registration.wake_at(next);
    }

    fn last(&mut self, what: Happening) -> InboxEvent {
        self.has_ended = true;
        self.ready.clear();
        self.reading = None;
        InboxEvent {
            what,
            counts: Counts::default(),
            cursor: self.cursor,
        }
    }
}

fn unreadable() -> EndReason {
    EndReason {
        code: 5919,
        message: "the inbox cannot be read".into(),
    }
}
