use std::collections::HashMap;

use foldhash::fast::RandomState;
use model::app::AppKey;
use model::channel::ChannelName;
use model::ids::uuid_v7;
use model::message::MessageId;
use model::time::UnixMillis;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};
use store::commits::Commit;

use crate::error::JobError;
use crate::heads::{ChannelHead, ChannelKey};
use crate::log::row;
use crate::writer::Context;
use crate::writer::flush::Committed;
use crate::writer::queue::Queue;

/// What a job sees: the connection inside the open transaction, and what the transaction has changed of
/// what is kept in memory.
pub(crate) struct Tx<'a> {
    pub(crate) connection: &'a Connection,
    /// Appends to the log: taken out of the cache of statements once for all messages.
    pub(crate) log_insert: Option<CachedStatement<'a>>,
    pub(crate) context: &'a Context,
    pub(crate) pending: &'a mut Pending,
    pub(crate) mint: &'a mut IdMint,
    /// The present, the same for all jobs of a transaction.
    pub(crate) now: UnixMillis,
    /// Jobs of the same transaction.
    pub(crate) jobs: usize,
    /// Where further ones wait.
    pub(crate) queue: &'a Queue,
}

/// Changes to memory that become true with the commit.
#[derive(Default)]
pub(crate) struct Pending {
    /// Channels as the transaction leaves them; `None` is deleted.
    pub(crate) heads: HashMap<ChannelKey, Option<ChannelHead>, RandomState>,
    /// What live readers are told.
    pub(crate) commits: Vec<Commit>,
    /// The last row of the log.
    pub(crate) last_row: i64,
    /// Messages that left the count of their channel's window.
    pub(crate) over_count: u64,
    /// Channels that were deleted and are to be purged.
    pub(crate) purges: Vec<i64>,
    /// How many channels apps have, as far as asked for.
    pub(crate) channel_counts: HashMap<AppKey, u64>,
    /// How many polling subscriptions apps have, as far as asked for; forgotten when old ones are removed.
    pub(crate) subscription_counts: HashMap<AppKey, u64>,
    /// What shows later whether the transaction took place.
    pub(crate) proof: Option<Proof>,
}

/// Something that a transaction added for good: where it is found, the whole transaction is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A message of the log.
    Message { row: i64, id: MessageId },
    /// A schedule of an app.
    Schedule(AppKey, uuid::Uuid),
}

impl Pending {
    /// What the transaction leaves to be told once it is on disk.
    pub(super) fn take_committed(&mut self) -> Committed {
        Committed {
            jobs: Vec::new(),
            heads: self.heads.drain().collect(),
            commits: std::mem::take(&mut self.commits),
            proof: self.proof.take(),
            #[cfg(test)]
            fails: crate::writer::tests::fails_flush(),
        }
    }

    /// Forgets a transaction that was rolled back.
    pub(crate) fn roll_back(&mut self, last_row: i64) {
        *self = Self {
            last_row,
            ..Self::default()
        };
    }
}

impl<'a> Tx<'a> {
    /// Whether others wait for this transaction or for the next: a long job goes on in a later one then.
    pub(crate) fn is_awaited(&self) -> bool {
        self.jobs > 1 || self.queue.has_jobs()
    }

    /// The statement [`row::INSERT`].
    pub(crate) fn log_insert(&mut self) -> Result<&mut CachedStatement<'a>, JobError> {
        let insert = match self.log_insert.take() {
            Some(insert) => insert,
            None => self.connection.prepare_cached(row::INSERT)?,
        };
        Ok(self.log_insert.insert(insert))
    }

    /// Where a channel stands inside this transaction.
    pub(crate) fn head(&self, app: AppKey, name: &ChannelName) -> Result<Option<ChannelHead>, JobError> {
        match self.pending.heads.get(&(app, name.clone())) {
            Some(head) => Ok(*head),
            None => self.context.heads.find_committed(self.connection, app, name),
        }
    }
}

/// Mints ids that ascend as the log does.
#[derive(Default)]
pub(crate) struct IdMint {
    millis: i64,
    random: u128,
}

/// The random bits of a UUIDv7.
const RANDOM_BITS: u32 = 74;

impl IdMint {
    /// Goes on after the last id that was minted, should the clock stand before it.
    pub(crate) fn after_last_of(connection: &Connection) -> Result<Self, JobError> {
        let last_of = |sql: &str| {
            let last = connection
                .query_row(sql, [], |row| row.get::<_, Option<[u8; 16]>>(0))
                .optional()?;
            Ok::<_, JobError>(last.flatten().map(u128::from_be_bytes))
        };
        let last = last_of("SELECT ifnull(place, id) FROM log ORDER BY row DESC LIMIT 1")?.max(last_of(
            "SELECT id FROM schedules ORDER BY schedule DESC LIMIT 1",
        )?);
        let Some(last) = last else {
            return Ok(Self::default());
        };
        // 48 bits of time, 4 of version, 12 random, 2 of variant, 62 random.
        let (high, low) = ((last >> 64) & 0xfff, last & ((1 << 62) - 1));
        Ok(Self {
            millis: (last >> 80) as i64,
            random: high << 62 | low,
        })
    }

    /// A UUIDv7 above every one minted before: within a millisecond the random part is counted on by a
    /// random step, so that ids stay unguessable (RFC 9562, 6.2, method 2).
    pub(crate) fn mint(&mut self, now: UnixMillis, ids: &dyn model::ids::IdSource) -> uuid::Uuid {
        let mut bytes = [0; 16];
        if now.0 > self.millis {
            ids.fill(&mut bytes);
            self.millis = now.0;
            // The top bit stays free, so that a millisecond has room to count.
            self.random = u128::from_be_bytes(bytes) & ((1 << (RANDOM_BITS - 1)) - 1);
        } else {
            ids.fill(&mut bytes[..4]);
            let step = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            self.random += 1 + u128::from(step);
            if self.random >> RANDOM_BITS != 0 {
                self.millis += 1;
                self.random &= (1 << (RANDOM_BITS - 1)) - 1;
            }
        }
        self.last()
    }

    /// The one that was minted last.
    pub(crate) fn last(&self) -> uuid::Uuid {
        // 12 bits stand before the variant, 62 behind it.
        let high = ((self.random >> 62) as u16).to_be_bytes();
        let low = ((self.random & ((1 << 62) - 1)) as u64).to_be_bytes();
        let mut random = [0; 10];
        random[..2].copy_from_slice(&high);
        random[2..].copy_from_slice(&low);
        uuid_v7(UnixMillis(self.millis), &random)
    }
}

#[cfg(test)]
mod tests;
