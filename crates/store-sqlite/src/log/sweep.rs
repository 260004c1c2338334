use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use model::app::AppKey;
use model::channel::ChannelName;
use model::settings::AppSettings;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{JobError, corrupt};
use crate::heads::ChannelKey;
use crate::log::ANCHOR_EVERY;
use crate::writer::transaction::Tx;

/// Channels whose window a sweep remembers.
const REMEMBERED_CHANNELS: usize = 100_000;

/// Removes what is older than its channel's window. The log is ordered by time, so that for each
/// distinct age one cursor moves over it once.
#[derive(Default)]
pub(crate) struct AgeSweep {
    cursors: Vec<AgeCursor>,
    /// Ages of channels, by their row; `None` where the channel is gone.
    ages: HashMap<i64, Option<Duration>, RandomState>,
}

struct AgeCursor {
    age: Duration,
    /// Every row up to it has been looked at.
    row: i64,
    due: bool,
}

impl AgeSweep {
    /// Reads which ages there are; every cursor begins anew.
    pub(crate) fn reload(&mut self, connection: &Connection) -> Result<(), JobError> {
        let mut ages = Vec::new();
        let mut statement = connection.prepare_cached("SELECT app, settings FROM apps WHERE deleted = 0")?;
        let mut rows = statement.query([])?;
        while let Some(columns) = rows.next()? {
            let app: i64 = columns.get(0)?;
            let settings: AppSettings = serde_json::from_str(&columns.get::<_, String>(1)?)
                .map_err(|error| corrupt("apps", app, error))?;
            ages.push(settings.history.age.0);
            ages.extend(settings.history.windows.iter().map(|window| window.age.0));
        }
        ages.sort_unstable();
        ages.dedup();
        self.cursors = ages
            .into_iter()
            .map(|age| AgeCursor {
                age,
                row: 0,
                due: false,
            })
            .collect();
        self.ages.clear();
        Ok(())
    }

    pub(crate) fn set_due(&mut self) {
        self.cursors.iter_mut().for_each(|cursor| cursor.due = true);
    }

    pub(crate) fn is_due(&self) -> bool {
        self.cursors.iter().any(|cursor| cursor.due)
    }

    /// Looks at up to `budget` rows up to `watermark`; how many. Rows after it are needed to find the heads
    /// of channels at the next start.
    pub(crate) fn sweep(&mut self, tx: &Tx<'_>, watermark: i64, budget: usize) -> Result<usize, JobError> {
        let mut looked_at = 0;
        for at in 0..self.cursors.len() {
            if looked_at >= budget {
                break;
            }
            if !self.cursors[at].due {
                continue;
            }
            let (age, from) = (self.cursors[at].age, self.cursors[at].row);
            let mut old = rows_between(tx.connection, from, watermark, budget - looked_at)?;
            old.truncate(old.partition_point(|found| found.published_at < (tx.now - age).0));
            looked_at += old.len();
            self.cursors[at].due = looked_at >= budget;
            let mut dead = Run::default();
            for found in old {
                self.cursors[at].row = found.row;
                // A row whose channel is gone belongs to nobody.
                let is_dead = self.age_of(tx, found.channel)?.is_none_or(|kept| kept == age);
                dead.add(tx.connection, found, is_dead)?;
            }
            dead.remove(tx.connection)?;
        }
        Ok(looked_at)
    }

    fn age_of(&mut self, tx: &Tx<'_>, channel: i64) -> Result<Option<Duration>, JobError> {
        if let Some(age) = self.ages.get(&channel) {
            return Ok(*age);
        }
        let found: Option<(i64, String)> = tx
            .connection
            .prepare_cached("SELECT app, name FROM channels WHERE channel = ?1 AND deleted = 0")?
            .query_row([channel], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let age = match found {
            None => None,
            Some((app, name)) => Some(
                tx.context
                    .windows
                    .of(tx.connection, AppKey(app))?
                    .window(&name)
                    .age,
            ),
        };
        if self.ages.len() >= REMEMBERED_CHANNELS {
            self.ages.clear();
        }
        self.ages.insert(channel, age);
        Ok(age)
    }
}

/// Removes what is more than its channel's count, by passes over the log: a pass begins once about half as
/// many messages are over their count as the last pass left, so that each removed row costs the look at a
/// few. Going in the order of the log touches each page once, however many channels it holds.
#[derive(Default)]
pub(crate) struct CountSweep {
    /// Messages that left their channel's count since the last pass began, about.
    over_count: u64,
    /// What the last pass left.
    left: u64,
    pass: Option<Pass>,
    /// Ticks since the last pass.
    ticks: u64,
    /// Channels by their row; `None` where the channel is gone.
    channels: HashMap<i64, Option<Known>, RandomState>,
}

struct Pass {
    row: i64,
    end: i64,
    left: u64,
}

/// What a pass has to know of a channel.
struct Known {
    key: ChannelKey,
    count: u64,
    /// The head as the file had it, where memory does not know it.
    seq: u64,
}

/// Fewer are not worth a pass.
const LEAST_OVER_COUNT: u64 = 1_024;

impl CountSweep {
    /// So many messages more are over their channel's count.
    pub(crate) fn add(&mut self, over_count: u64) {
        self.over_count += over_count;
    }

    /// Once a maintenance interval.
    pub(crate) fn tick(&mut self) {
        self.ticks += 1;
    }

    /// A pass is under way or worth beginning: much is over, or something is and the last pass was a while
    /// ago for what it had to look at.
    pub(crate) fn is_due(&self) -> bool {
        let a_while_ago = self.ticks > 10 + self.left / 10_000;
        self.pass.is_some()
            || self.over_count >= LEAST_OVER_COUNT.max(self.left / 2)
            || (self.over_count > 0 && a_while_ago)
    }

    /// After a rollback or a change of windows: the pass begins anew, and knows no channel.
    pub(crate) fn restart(&mut self) {
        self.channels.clear();
        self.over_count += match self.pass.take() {
            Some(_) => LEAST_OVER_COUNT.max(self.left / 2),
            // Nobody counted what was over before.
            None => 1,
        };
    }

    /// Looks at up to `budget` rows up to `watermark`; how many.
    pub(crate) fn sweep(&mut self, tx: &Tx<'_>, watermark: i64, budget: usize) -> Result<usize, JobError> {
        let (from, end) = match &self.pass {
            Some(pass) => (pass.row, pass.end),
            None => {
                self.over_count = 0;
                self.ticks = 0;
                self.channels.clear();
                (0, watermark)
            }
        };
        let rows = rows_between(tx.connection, from, end, budget)?;
        let looked_at = rows.len();
        let mut left = self.pass.as_ref().map_or(0, |pass| pass.left);
        let mut row = from;
        let mut dead = Run::default();
        for found in rows {
            row = found.row;
            let is_dead = self.is_dead(tx, found.channel, found.seq)?;
            left += u64::from(!is_dead);
            dead.add(tx.connection, found, is_dead)?;
        }
        dead.remove(tx.connection)?;
        self.pass = Some(Pass { row, end, left });
        if looked_at < budget {
            self.left = left;
            self.pass = None;
            self.ticks = 0;
        }
        Ok(looked_at)
    }

    fn is_dead(&mut self, tx: &Tx<'_>, channel: i64, seq: u64) -> Result<bool, JobError> {
        if !self.channels.contains_key(&channel) {
            if self.channels.len() >= REMEMBERED_CHANNELS {
                self.channels.clear();
            }
            let known = known(tx, channel)?;
            self.channels.insert(channel, known);
        }
        // A row whose channel is gone is left to the purge and the sweep by age.
        let Some(Some(known)) = self.channels.get(&channel) else {
            return Ok(false);
        };
        let head = tx.context.heads.committed(known.key.0, &known.key.1);
        let head = head
            .filter(|head| head.channel == channel)
            .map_or(known.seq, |head| head.seq);
        Ok(seq + known.count <= head)
    }
}

fn known(tx: &Tx<'_>, channel: i64) -> Result<Option<Known>, JobError> {
    let found: Option<(i64, String, i64)> = tx
        .connection
        .prepare_cached("SELECT app, name, seq FROM channels WHERE channel = ?1 AND deleted = 0")?
        .query_row([channel], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((app, name, seq)) = found else {
        return Ok(None);
    };
    let count = tx
        .context
        .windows
        .of(tx.connection, AppKey(app))?
        .window(&name)
        .count;
    let key = (AppKey(app), ChannelName::from_stored(&name));
    Ok(Some(Known {
        key,
        count,
        seq: seq as u64,
    }))
}

/// A row of the log as the sweeps see it.
#[derive(Clone, Copy)]
struct Found {
    row: i64,
    channel: i64,
    seq: u64,
    published_at: i64,
}

/// Dead rows that follow each other in the log, removed with one statement.
#[derive(Default)]
struct Run(Option<(i64, i64)>);

impl Run {
    /// Takes the next row that was looked at; a live one ends the run.
    fn add(&mut self, connection: &Connection, found: Found, is_dead: bool) -> Result<(), JobError> {
        if !is_dead {
            return self.remove(connection);
        }
        let first = self.0.map_or(found.row, |(first, _)| first);
        self.0 = Some((first, found.row));
        if found.seq.is_multiple_of(ANCHOR_EVERY) {
            connection
                .prepare_cached("DELETE FROM anchors WHERE channel = ?1 AND seq = ?2")?
                .execute(params![found.channel, found.seq as i64])?;
        }
        Ok(())
    }

    fn remove(&mut self, connection: &Connection) -> Result<(), JobError> {
        if let Some((first, last)) = self.0.take() {
            connection
                .prepare_cached("DELETE FROM log WHERE row BETWEEN ?1 AND ?2")?
                .execute([first, last])?;
        }
        Ok(())
    }
}

/// Up to `limit` rows of the log in (from, to], in order.
fn rows_between(connection: &Connection, from: i64, to: i64, limit: usize) -> Result<Vec<Found>, JobError> {
    let mut statement = connection.prepare_cached(
        "SELECT row, channel, seq, published_at FROM log WHERE row > ?1 AND row <= ?2 ORDER BY row LIMIT ?3",
    )?;
    let rows = statement.query_map(params![from, to, limit as i64], |columns| {
        Ok(Found {
            row: columns.get(0)?,
            channel: columns.get(1)?,
            seq: columns.get::<_, i64>(2)? as u64,
            published_at: columns.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
