use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::app::AppKey;
use model::channel::ChannelName;
use model::position::Epoch;
use model::time::UnixMillis;
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension as _, params};
use store::messages::Head;

use crate::Role;
use crate::error::JobError;

/// How many channels are remembered; beyond it those that the file knows too are forgotten.
const REMEMBERED: usize = 200_000;

/// Where a channel stands, with what a writer and a reader of its log need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChannelHead {
    /// The channel's row in `channels`: its incarnation.
    pub(crate) channel: i64,
    /// The epoch as it is told, salt mixed in.
    pub(crate) epoch: Epoch,
    /// Of the last message.
    pub(crate) seq: u64,
    /// Log row of the last message; 0: none.
    pub(crate) row: i64,
    /// Of the last message.
    pub(crate) published_at: Option<UnixMillis>,
}

impl ChannelHead {
    /// Whether there ever was a message: a channel that a schedule made stands there as if it were not,
    /// until its first occurrence.
    pub(crate) fn was_published_to(&self) -> bool {
        self.seq > 0
    }

    /// As the port tells it.
    pub(crate) fn head(&self) -> Head {
        Head {
            epoch: self.epoch,
            seq: self.seq,
            last_published_at: self.published_at,
        }
    }
}

/// A channel of an app.
pub(crate) type ChannelKey = (AppKey, ChannelName);

/// Where channels stand: after the last commit, as the writer goes on from, and as far as it is flushed,
/// as readers may be told. The file lags behind for those that are dirty.
#[derive(Clone)]
pub(crate) struct SharedHeads {
    // A short read lock per look-up, a short write lock per commit; never held across a query.
    inner: Arc<RwLock<Inner>>,
}

struct Inner {
    heads: HashMap<ChannelKey, Remembered, RandomState>,
    dirty: usize,
    salt: u64,
    last_row: i64,
}

struct Remembered {
    /// As committed.
    head: ChannelHead,
    /// As flushed, and of the same incarnation; absent where the file still tells that.
    durable: Option<ChannelHead>,
    dirty: bool,
}

impl Remembered {
    /// One that the file does not know and that no crash can take away.
    fn replayed(head: ChannelHead) -> Self {
        Self {
            head,
            durable: Some(head),
            dirty: true,
        }
    }
}

impl SharedHeads {
    /// Reads what the file knows and, for a server, what the log says after it.
    pub(crate) fn load(connection: &Connection, role: Role) -> Result<Self, JobError> {
        let meta = |name: &str| {
            connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
                row.get::<_, i64>(0)
            })
        };
        let salt = meta("epoch_salt")? as u64;
        let watermark = meta("heads_row")?;
        let mut inner = Inner {
            heads: HashMap::default(),
            dirty: 0,
            salt,
            last_row: watermark,
        };
        if role == Role::Server {
            inner.replay(connection, watermark)?;
        }
        Ok(Self {
            inner: Arc::new(RwLock::new(inner)),
        })
    }

    /// Forgets everything and reads the file again, after the writer lost its connection.
    pub(crate) fn reload(&self, connection: &Connection, role: Role) -> Result<(), JobError> {
        let fresh = Self::load(connection, role)?;
        let fresh = Arc::into_inner(fresh.inner).map(RwLock::into_inner);
        if let Some(fresh) = fresh {
            *self.inner.write() = fresh;
        }
        Ok(())
    }

    /// Where a channel stands as far as it is flushed, from memory or from the file.
    pub(crate) fn find(
        &self,
        connection: &Connection,
        app: AppKey,
        name: &ChannelName,
    ) -> Result<Option<ChannelHead>, JobError> {
        match self.remembered(app, name) {
            Some(head) => Ok(Some(head)),
            None => self.read(connection, app, name),
        }
    }

    /// Where a channel stands after the last commit, from memory or from the file: for the writer.
    pub(crate) fn find_committed(
        &self,
        connection: &Connection,
        app: AppKey,
        name: &ChannelName,
    ) -> Result<Option<ChannelHead>, JobError> {
        if let Some(head) = self.committed(app, name) {
            return Ok(Some(head));
        }
        let found = self.read(connection, app, name)?;
        if let Some(head) = found {
            // Readers find this one here from now on, and not in the file, where a later commit may write one
            // that is not flushed.
            let known = Remembered {
                head,
                durable: found,
                dirty: false,
            };
            self.inner.write().heads.insert((app, name.clone()), known);
        }
        Ok(found)
    }

    fn read(
        &self,
        connection: &Connection,
        app: AppKey,
        name: &ChannelName,
    ) -> Result<Option<ChannelHead>, JobError> {
        let salt = self.salt();
        let mut statement = connection.prepare_cached(
            "SELECT channel, epoch, seq, row, published_at FROM channels
             WHERE app = ?1 AND name = ?2 AND deleted = 0",
        )?;
        let head = statement
            .query_row(params![app.0, name.as_str()], |row| {
                Ok(ChannelHead {
                    channel: row.get(0)?,
                    epoch: salted(row.get(1)?, salt),
                    seq: row.get::<_, i64>(2)? as u64,
                    row: row.get(3)?,
                    published_at: row.get::<_, Option<i64>>(4)?.map(UnixMillis),
                })
            })
            .optional()?;
        Ok(head)
    }

    /// What memory knows of a channel as far as it is flushed, if anything.
    pub(crate) fn remembered(&self, app: AppKey, name: &ChannelName) -> Option<ChannelHead> {
        self.inner.read().heads.get(&(app, name.clone()))?.durable
    }

    /// What memory knows of a channel after the last commit, if anything: for the writer.
    pub(crate) fn committed(&self, app: AppKey, name: &ChannelName) -> Option<ChannelHead> {
        let inner = self.inner.read();
        inner.heads.get(&(app, name.clone())).map(|known| known.head)
    }

    /// Takes over what a commit changed: `None` is a deleted channel. Readers are told of it once it is
    /// [`SharedHeads::flushed`].
    pub(crate) fn commit(&self, changes: &[(ChannelKey, Option<ChannelHead>)], last_row: i64) {
        let mut inner = self.inner.write();
        let inner = &mut *inner;
        inner.last_row = last_row;
        for (key, head) in changes {
            let Some(head) = *head else {
                let before = inner.heads.remove(key);
                inner.dirty -= usize::from(before.is_some_and(|before| before.dirty));
                continue;
            };
            if let Some(known) = inner.heads.get_mut(key) {
                known.durable = known.durable.filter(|durable| durable.channel == head.channel);
                known.head = head;
                inner.dirty += usize::from(!std::mem::replace(&mut known.dirty, true));
            } else {
                let new = Remembered {
                    head,
                    durable: None,
                    dirty: true,
                };
                inner.heads.insert(key.clone(), new);
                inner.dirty += 1;
            }
        }
    }

    /// What a commit changed is on disk: readers may be told.
    pub(crate) fn flushed(&self, changes: &[(ChannelKey, Option<ChannelHead>)]) {
        if changes.is_empty() {
            return;
        }
        let mut inner = self.inner.write();
        for (key, head) in changes {
            if let Some(head) = head
                && let Some(known) = inner.heads.get_mut(key)
                && known.head.channel == head.channel
            {
                known.durable = Some(*head);
            }
        }
    }

    /// How many channels the file does not know the head of.
    pub(crate) fn dirty(&self) -> usize {
        self.inner.read().dirty
    }

    /// The last row of the log.
    pub(crate) fn last_row(&self) -> i64 {
        self.inner.read().last_row
    }

    /// What is mixed into the epochs of the file.
    pub(crate) fn salt(&self) -> u64 {
        self.inner.read().salt
    }

    /// The channels whose head is to be written, in the order of the table.
    pub(crate) fn dirty_channels(&self) -> Vec<(i64, ChannelKey)> {
        let inner = self.inner.read();
        let dirty = inner.heads.iter().filter(|(_, known)| known.dirty);
        let mut channels: Vec<_> = dirty
            .map(|(key, known)| (known.head.channel, key.clone()))
            .collect();
        drop(inner);
        channels.sort_unstable_by_key(|(channel, _)| *channel);
        channels
    }

    /// Notes that the file has these heads now; where one moved on meanwhile it stays dirty.
    pub(crate) fn written(&self, heads: impl Iterator<Item = (ChannelKey, ChannelHead)>) {
        let mut inner = self.inner.write();
        for (key, written) in heads {
            if let Some(known) = inner.heads.get_mut(&key)
                && known.dirty
                && known.head == written
            {
                known.dirty = false;
                inner.dirty -= 1;
            }
        }
        if inner.heads.len() > REMEMBERED {
            inner
                .heads
                .retain(|_, known| known.dirty || known.durable != Some(known.head));
        }
    }
}

impl Inner {
    /// Brings the heads forward over the rows of the log after `watermark`.
    fn replay(&mut self, connection: &Connection, watermark: i64) -> Result<(), JobError> {
        let mut statement = connection.prepare(
            "SELECT log.row, log.channel, log.seq, log.published_at, channels.app, channels.name, channels.epoch
             FROM log JOIN channels ON channels.channel = log.channel
             WHERE log.row > ?1 AND channels.deleted = 0 ORDER BY log.row",
        )?;
        let mut rows = statement.query([watermark])?;
        while let Some(row) = rows.next()? {
            let key = (
                AppKey(row.get(4)?),
                ChannelName::from_stored(row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?),
            );
            let head = ChannelHead {
                channel: row.get(1)?,
                epoch: salted(row.get(6)?, self.salt),
                seq: row.get::<_, i64>(2)? as u64,
                row: row.get(0)?,
                published_at: Some(UnixMillis(row.get(3)?)),
            };
            self.heads.insert(key, Remembered::replayed(head));
        }
        self.dirty = self.heads.len();
        let last: Option<i64> = connection.query_row("SELECT max(row) FROM log", [], |row| row.get(0))?;
        self.last_row = last.unwrap_or(0).max(watermark);
        Ok(())
    }
}

/// The epoch as it is told: a restore changes the salt and with it every epoch.
pub(crate) fn salted(stored: i64, salt: u64) -> Epoch {
    Epoch(stored as u64 ^ salt)
}

#[cfg(test)]
mod tests;
