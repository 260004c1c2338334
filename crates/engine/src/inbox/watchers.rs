use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use hub::EndReason;
use model::app::AppKey;
use model::time::{Clock, UnixMillis};
use parking_lot::Mutex;
use store::commits::inbox_user;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often the clock is looked at while something is due: it may be moved.
const CLOCK_CHECK: Duration = Duration::from_secs(1);

/// Who follows whose inbox on this node. Watchers are told *that* something changed, by the feed or by
/// time, and read from the store what it was.
#[derive(Clone, Default)]
pub(crate) struct Watchers {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    // Taken when a stream opens, closes or sets its timer, and once for each commit; never across an await.
    open: Mutex<Open>,
    /// Every change up to this one was told to the watchers.
    told: AtomicU64,
    /// A boundary was set that comes before all others.
    earlier: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    /// By [`inbox_user`].
    users: HashMap<u64, Vec<Arc<Watcher>>>,
    /// When watchers have to look again.
    boundaries: BTreeMap<(UnixMillis, u64), Arc<Watcher>>,
    /// Why no further ones are let in.
    closed: Option<EndReason>,
}

/// The marks that one live inbox is woken with.
#[derive(Default)]
pub(crate) struct Watcher {
    id: u64,
    user: u64,
    /// The first change that was told and not looked at; [`NONE`], or [`UNKNOWN`].
    pending: AtomicU64,
    is_due: AtomicBool,
    end: OnceLock<EndReason>,
    waker: AtomicWaker,
}

const NONE: u64 = 0;
const UNKNOWN: u64 = u64::MAX;

/// Why a watcher has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct News {
    /// Nothing changed up to this number that the watcher has not looked at.
    pub(super) unchanged_up_to: u64,
    /// Something changed, or a boundary has passed.
    pub(super) must_look: bool,
}

impl Watcher {
    /// Ends its stream.
    pub(crate) fn end(&self, reason: EndReason) {
        let _ = self.end.set(reason);
        self.waker.wake();
    }

    /// Why the stream has to end.
    pub(super) fn ended(&self) -> Option<&EndReason> {
        self.end.get()
    }

    /// Who is woken; set before the marks are looked at.
    pub(super) fn wake_by(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    fn changed(&self, change: u64) {
        let mark = if change == 0 { UNKNOWN } else { change };
        let first = self
            .pending
            .compare_exchange(NONE, mark, Ordering::AcqRel, Ordering::Acquire);
        if first.is_ok() {
            self.waker.wake();
        }
    }

    fn due(&self) {
        self.is_due.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// A watcher on the list; dropping it takes it off.
pub(super) struct Registration {
    watchers: Watchers,
    pub(super) watcher: Arc<Watcher>,
    boundary: Option<UnixMillis>,
}

impl Watchers {
    /// Puts a watcher on the list. What is committed from now on marks it: the first read comes after.
    pub(super) fn register(&self, app: AppKey, uid: &str) -> Registration {
        let user = inbox_user(app, uid);
        let mut open = self.shared.open.lock();
        let watcher = Arc::new(Watcher {
            id: open.next,
            user,
            ..Watcher::default()
        });
        open.next += 1;
        if let Some(reason) = &open.closed {
            watcher.end(reason.clone());
        }
        open.users.entry(user).or_default().push(Arc::clone(&watcher));
        drop(open);
        Registration {
            watchers: self.clone(),
            watcher,
            boundary: None,
        }
    }

    /// Tells that these users' inboxes changed: all changes up to `change`, where that is known.
    pub(crate) fn changed(&self, change: u64, users: &[u64]) {
        let open = self.shared.open.lock();
        if !open.users.is_empty() {
            for watcher in users.iter().filter_map(|user| open.users.get(user)).flatten() {
                watcher.changed(change);
            }
        }
        // Behind the marks: who sees the number and no mark has nothing to look at.
        self.shared.told.fetch_max(change, Ordering::AcqRel);
    }

    /// Tells that any inbox may have changed.
    pub(crate) fn all_changed(&self) {
        for watcher in self.shared.open.lock().users.values().flatten() {
            watcher.changed(0);
        }
    }

    /// Ends all streams, and those that come later.
    pub(crate) fn close_all(&self, reason: &EndReason) {
        let mut open = self.shared.open.lock();
        open.closed = Some(reason.clone());
        for watcher in open.users.values().flatten() {
            watcher.end(reason.clone());
        }
    }

    /// Marks watchers when their next boundary comes, until `shutdown`: one timer for all.
    pub(crate) async fn run(self, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
        loop {
            let now = clock.now();
            let next = self.fire(now);
            let pause = async {
                match next {
                    Some(next) => {
                        let pause = Duration::from_millis(next.0.abs_diff(now.0));
                        tokio::time::sleep(pause.min(CLOCK_CHECK)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.shared.earlier.notified() => {}
                () = pause => {}
            }
        }
    }

    /// Marks who is due, and tells when the next one is.
    pub(crate) fn fire(&self, now: UnixMillis) -> Option<UnixMillis> {
        let mut open = self.shared.open.lock();
        while let Some(first) = open.boundaries.first_entry() {
            let at = first.key().0;
            if at > now {
                return Some(at);
            }
            first.remove().due();
        }
        None
    }
}

impl Registration {
    /// Takes the marks.
    pub(super) fn take_news(&self) -> News {
        // Before the mark, as the feed sets them the other way round.
        let told = self.watchers.shared.told.load(Ordering::Acquire);
        let pending = self.watcher.pending.swap(NONE, Ordering::AcqRel);
        let is_due = self.watcher.is_due.swap(false, Ordering::AcqRel);
        News {
            unchanged_up_to: match pending {
                NONE => told,
                UNKNOWN => 0,
                first => first - 1,
            },
            must_look: pending != NONE || is_due,
        }
    }

    /// Marks the watcher at this time; one set before is forgotten.
    pub(super) fn wake_at(&mut self, boundary: Option<UnixMillis>) {
        if self.boundary == boundary {
            return;
        }
        let id = self.watcher.id;
        let mut open = self.watchers.shared.open.lock();
        if let Some(before) = self.boundary {
            open.boundaries.remove(&(before, id));
        }
        self.boundary = boundary;
        let Some(at) = boundary else { return };
        open.boundaries.insert((at, id), Arc::clone(&self.watcher));
        let is_first = open
            .boundaries
            .first_key_value()
            .is_some_and(|(first, _)| *first == (at, id));
        drop(open);
        if is_first {
            self.watchers.shared.earlier.notify_one();
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut open = self.watchers.shared.open.lock();
        if let Some(boundary) = self.boundary {
            open.boundaries.remove(&(boundary, self.watcher.id));
        }
        if let Some(watchers) = open.users.get_mut(&self.watcher.user) {
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.watcher));
            if watchers.is_empty() {
                open.users.remove(&self.watcher.user);
            }
        }
    }
}

#[cfg(test)]
mod tests;
