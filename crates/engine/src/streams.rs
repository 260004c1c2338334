use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use hub::{ConnectionHandle, EndReason, SubscriptionId};
use model::app::AppKey;
use model::channel::ChannelName;
use model::permission;
use model::time::UnixMillis;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::access::caller::Caller;
use crate::access::error::AccessError;
use crate::error::Error;
use crate::inbox::watchers::Watcher;
use crate::presence::{ListenerId, Mailbox, Notice};

/// How often open streams are looked at for credentials that have expired.
const EXPIRY_CHECK: Duration = Duration::from_secs(1);

/// The open streams of this node: who reads what, so that a revoked key, an expired token or a changed
/// rule ends them (api.md 2).
#[derive(Clone, Default)]
pub struct Streams {
    // Taken when a stream opens or closes and when access changed; never held across an await.
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    next: u64,
    // Boxed: a table of thousands that grows by doubling must not be of large values.
    streams: HashMap<u64, Box<Stream>>,
    expiries: BTreeSet<(UnixMillis, u64)>,
    per_app: HashMap<AppKey, usize>,
}

struct Stream {
    caller: Caller,
    reads: Reads,
    reader: Reader,
}

/// What a stream reads.
#[derive(Clone)]
enum Reads {
    Channel(ChannelName),
    /// The caller's own.
    Inbox,
}

/// What ends when a stream may not go on.
pub(crate) enum Reader {
    /// A connection with all it has.
    Connection(ConnectionHandle),
    /// One subscription of a connection.
    Subscription(ConnectionHandle, SubscriptionId),
    /// One listener of a mailbox.
    Listener(Arc<Mailbox>, ListenerId),
    /// A live inbox.
    Inbox(Arc<Watcher>),
}

/// An open stream; dropping it takes it off the list.
pub struct OpenStream {
    id: u64,
    streams: Streams,
}

impl Streams {
    /// Puts a stream on the list.
    ///
    /// # Errors
    /// [`Error::TooMany`] if the app has as many subscriptions as it may; the caller is no longer let in.
    pub(crate) fn open(
        &self,
        caller: &Caller,
        channel: &ChannelName,
        reader: Reader,
    ) -> Result<OpenStream, Error> {
        self.add(caller, Reads::Channel(channel.clone()), reader)
    }

    /// Puts the live inbox of the caller on the list.
    ///
    /// # Errors
    /// As [`Streams::open`].
    pub(crate) fn open_inbox(&self, caller: &Caller, watcher: Arc<Watcher>) -> Result<OpenStream, Error> {
        self.add(caller, Reads::Inbox, Reader::Inbox(watcher))
    }

    fn add(&self, caller: &Caller, reads: Reads, reader: Reader) -> Result<OpenStream, Error> {
        let mut open = self.open.lock();
        let limit = caller.app.settings.limits.subscriptions;
        let count = open.per_app.entry(caller.app.key).or_default();
        if *count >= limit {
            return Err(Error::TooMany {
                what: "open subscriptions",
                limit: limit as u64,
            });
        }
        *count += 1;
        let id = open.next;
        open.next += 1;
        if let Some(expires) = caller.expires {
            open.expiries.insert((expires, id));
        }
        open.streams.insert(
            id,
            Box::new(Stream {
                caller: caller.clone(),
                reads: reads.clone(),
                reader,
            }),
        );
        drop(open);
        let stream = OpenStream {
            id,
            streams: self.clone(),
        };
        // A change between letting the caller in and listing the stream was looked at without it.
        reads.check(&caller.renewed()?)?;
        Ok(stream)
    }

    /// How many streams are open.
    pub fn count(&self) -> usize {
        self.open.lock().streams.len()
    }

    /// Ends every stream whose caller is no longer let in.
    fn check_all(&self) {
        for stream in self.open.lock().streams.values_mut() {
            match stream.caller.renewed() {
                Ok(caller) => match stream.reads.check(&caller) {
                    Ok(()) => stream.caller = caller,
                    Err(error) => stream.end(&error),
                },
                Err(error) => stream.end(&error),
            }
        }
    }

    /// When the next credential of an open stream expires.
    pub(crate) fn next_expiry(&self) -> Option<UnixMillis> {
        self.open.lock().expiries.first().map(|(expires, _)| *expires)
    }

    /// Ends every stream whose credential has expired.
    pub(crate) fn check_expiries(&self, now: UnixMillis) {
        let mut open = self.open.lock();
        while let Some((expires, id)) = open.expiries.first().copied()
            && expires <= now
        {
            open.expiries.remove(&(expires, id));
            if let Some(stream) = open.streams.get(&id) {
                match stream.caller.renewed() {
                    Ok(_) => {}
                    Err(error) => stream.end(&error),
                }
            }
        }
    }
}

impl Reads {
    /// Whether the caller may read this.
    fn check(&self, caller: &Caller) -> Result<(), AccessError> {
        match self {
            Self::Channel(channel) => caller.may(permission::Access::Subscribe, channel.as_str()),
            Self::Inbox => caller.user().map(drop),
        }
    }
}

impl OpenStream {
    /// Lets the stream go on as another caller's: after a new user token on the same connection. It stays
    /// as it is when the answer is an error.
    ///
    /// # Errors
    /// The new caller may not read the channel, or gets other messages of it than the one before.
    pub fn change_caller(&self, caller: &Caller) -> Result<(), EndReason> {
        let mut guard = self.streams.open.lock();
        let open = &mut *guard;
        let Some(stream) = open.streams.get_mut(&self.id) else {
            return Ok(());
        };
        stream.reads.check(caller).map_err(|error| reason(&error))?;
        if matches!(stream.reads, Reads::Inbox) && caller.user() != stream.caller.user() {
            return Err(EndReason {
                code: u32::from(AccessError::FORBIDDEN),
                message: "the new user token is another user's: open the inbox again".into(),
            });
        }
        if caller.selector != stream.caller.selector {
            return Err(EndReason {
                code: u32::from(AccessError::FORBIDDEN),
                message: "the selector of the new user token is another: subscribe again".into(),
            });
        }
        if let Some(expires) = stream.caller.expires {
            open.expiries.remove(&(expires, self.id));
        }
        if let Some(expires) = caller.expires {
            open.expiries.insert((expires, self.id));
        }
        stream.caller = caller.clone();
        Ok(())
    }

    /// Why the stream would be ended now. An end that was ordered before the subscription was started
    /// found nothing to end: so ask once it is.
    pub fn ended(&self) -> Option<EndReason> {
        let open = self.streams.open.lock();
        let stream = open.streams.get(&self.id)?;
        let caller = stream.caller.renewed();
        let allowed = caller.and_then(|caller| stream.reads.check(&caller));
        allowed.err().map(|error| reason(&error))
    }
}

fn reason(error: &AccessError) -> EndReason {
    EndReason {
        code: u32::from(error.code()),
        message: error.to_string().into(),
    }
}

impl Stream {
    fn end(&self, error: &AccessError) {
        let reason = reason(error);
        match &self.reader {
            Reader::Connection(handle) => handle.end(reason),
            Reader::Subscription(handle, id) => handle.end_subscription(*id, reason),
            Reader::Listener(mailbox, listener) => mailbox.push(*listener, Notice::End(reason)),
            Reader::Inbox(watcher) => watcher.end(reason),
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock();
        let Some(stream) = open.streams.remove(&self.id) else {
            return;
        };
        if let Some(expires) = stream.caller.expires {
            open.expiries.remove(&(expires, self.id));
        }
        let app = stream.caller.app.key;
        if let Some(count) = open.per_app.get_mut(&app) {
            *count -= 1;
            if *count == 0 {
                open.per_app.remove(&app);
            }
        }
    }
}

/// Re-checks open streams whenever access changed, and ends expired ones, until `shutdown`.
pub(crate) async fn watch(engine: Arc<Engine>, shutdown: CancellationToken) {
    let mut changes = engine.access.changes();
    let mut ticks = tokio::time::interval(EXPIRY_CHECK);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                engine.streams.check_all();
            }
            _ = ticks.tick() => engine.streams.check_expiries(engine.clock.now()),
        }
    }
}
