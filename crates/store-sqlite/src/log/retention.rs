use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use model::app::AppKey;
use model::settings::AppSettings;
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{JobError, corrupt};
use crate::log::{ANCHOR_EVERY, channels, row};
use crate::writer::transaction::Tx;

/// Channels whose age window the sweep remembers.
const REMEMBERED_AGES: usize = 100_000;

/// Removes messages of a channel up to `upto`, whole anchored segments at a time, about `budget` rows; how
/// many. 0: nothing is left to remove.
pub(crate) fn trim_to_count(
    connection: &Connection,
    channel: i64,
    upto: u64,
    budget: usize,
) -> Result<usize, JobError> {
    let mut removed = 0;
    while removed < budget {
        let anchor = connection
            .prepare_cached(
                "SELECT seq, row FROM anchors WHERE channel = ?1 AND seq <= ?2 ORDER BY seq LIMIT 1",
            )?
            .query_row(params![channel, upto as i64], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        let Some((seq, row)) = anchor else { break };
        // Until the chain ends at what was removed before: 64 messages, or a few more after a change of
        // the window.
        removed += 1 + remove_chain(connection, channel, row, usize::MAX)?.removed;
        connection
            .prepare_cached("DELETE FROM anchors WHERE channel = ?1 AND seq = ?2")?
            .execute([channel, seq])?;
    }
    Ok(removed)
}

/// Channels that were deleted, or whose app was, and still have rows.
pub(crate) fn deleted_channels(connection: &Connection) -> Result<Vec<i64>, JobError> {
    let mut statement = connection.prepare_cached("SELECT channel FROM channels WHERE deleted = 1")?;
    let channels = statement.query_map([], |row| row.get(0))?;
    Ok(channels.collect::<Result<_, _>>()?)
}

/// Apps that were deleted and still have rows.
pub(crate) fn deleted_apps(connection: &Connection) -> Result<Vec<AppKey>, JobError> {
    let mut statement = connection.prepare_cached("SELECT app FROM apps WHERE deleted = 1")?;
    let apps = statement.query_map([], |row| row.get(0).map(AppKey))?;
    Ok(apps.collect::<Result<_, _>>()?)
}

/// Removes about `budget` rows of a deleted app, its channels as channels are deleted; how many. 0: the app
/// is gone.
pub(crate) fn purge_app(tx: &mut Tx<'_>, app: AppKey, budget: usize) -> Result<usize, JobError> {
    let limit = i64::try_from(budget).unwrap_or(i64::MAX);
    let mut removed = 0;
    for table in ["keys", "inbox", "idempotency"] {
        let delete =
            format!("DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE app = ?1 LIMIT ?2)");
        removed += tx.connection.prepare_cached(&delete)?.execute([app.0, limit])?;
    }
    let heads = tx.context.heads.clone();
    for channel in channels::list(tx.connection, &heads, app, None, budget)? {
        channels::delete(tx, app, &channel.name)?;
        removed += 1;
    }
    if removed == 0 {
        tx.connection
            .prepare_cached("DELETE FROM apps WHERE app = ?1")?
            .execute([app.0])?;
    }
    Ok(removed)
}

/// Removes about `budget` rows of a deleted channel; how many. 0: the channel is gone. `None`: its last row
/// stands after `watermark` and may be the last of the log, which tells the next start where rows go on.
pub(crate) fn purge(
    connection: &Connection,
    channel: i64,
    watermark: i64,
    budget: usize,
) -> Result<Option<usize>, JobError> {
    let last: Option<i64> = connection
        .prepare_cached("SELECT row FROM channels WHERE channel = ?1 AND deleted = 1")?
        .query_row([channel], |row| row.get(0))
        .optional()?;
    let Some(last) = last else { return Ok(Some(0)) };
    if last > watermark {
        return Ok(None);
    }
    let chain = remove_chain(connection, channel, last, budget)?;
    if chain.removed > 0 {
        connection
            .prepare_cached("UPDATE channels SET row = ?2 WHERE channel = ?1")?
            .execute([channel, chain.next])?;
        return Ok(Some(chain.removed));
    }
    let anchors = connection
        .prepare_cached(
            "DELETE FROM anchors WHERE channel = ?1 AND seq IN
                 (SELECT seq FROM anchors WHERE channel = ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![channel, budget as i64])?;
    if anchors == 0 {
        connection
            .prepare_cached("DELETE FROM channels WHERE channel = ?1")?
            .execute([channel])?;
    }
    Ok(Some(anchors))
}

struct Removed {
    removed: usize,
    /// The row where the chain goes on.
    next: i64,
}

fn remove_chain(
    connection: &Connection,
    channel: i64,
    last: i64,
    budget: usize,
) -> Result<Removed, JobError> {
    let mut chain = Removed {
        removed: 0,
        next: last,
    };
    let mut delete = connection.prepare_cached("DELETE FROM log WHERE row = ?1")?;
    while chain.removed < budget
        && let Some(link) = row::link(connection, channel, chain.next)?
    {
        delete.execute([link.row])?;
        chain.next = link.previous;
        chain.removed += 1;
    }
    Ok(chain)
}

/// Forgets up to `budget` idempotency keys that came before `before`; how many.
pub(crate) fn forget_idempotency_keys(
    connection: &Connection,
    before: UnixMillis,
    budget: usize,
) -> Result<usize, JobError> {
    let removed = connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE at <= ?1 AND row IN
                 (SELECT row FROM idempotency ORDER BY row LIMIT ?2)",
        )?
        .execute(params![before.0, budget as i64])?;
    Ok(removed)
}

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
            let old = rows_before(tx.connection, from, watermark, tx.now - age, budget - looked_at)?;
            looked_at += old.len();
            self.cursors[at].due = looked_at >= budget;
            for (row, channel, seq) in old {
                self.cursors[at].row = row;
                // A row whose channel is gone belongs to nobody.
                if self.age_of(tx, channel)?.is_none_or(|kept| kept == age) {
                    remove(tx.connection, row, channel, seq)?;
                }
            }
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
        if self.ages.len() >= REMEMBERED_AGES {
            self.ages.clear();
        }
        self.ages.insert(channel, age);
        Ok(age)
    }
}

/// Rows of the log in (from, to] that were published before `before`, as (row, channel, seq), up to the
/// first that was not.
fn rows_before(
    connection: &Connection,
    from: i64,
    to: i64,
    before: UnixMillis,
    limit: usize,
) -> Result<Vec<(i64, i64, u64)>, JobError> {
    let mut statement = connection.prepare_cached(
        "SELECT row, channel, seq, published_at FROM log WHERE row > ?1 AND row <= ?2 ORDER BY row LIMIT ?3",
    )?;
    let mut rows = statement.query(params![from, to, limit as i64])?;
    let mut old = Vec::new();
    while let Some(columns) = rows.next()? {
        if columns.get::<_, i64>(3)? >= before.0 {
            break;
        }
        old.push((columns.get(0)?, columns.get(1)?, columns.get::<_, i64>(2)? as u64));
    }
    Ok(old)
}

fn remove(connection: &Connection, row: i64, channel: i64, seq: u64) -> Result<(), JobError> {
    connection
        .prepare_cached("DELETE FROM log WHERE row = ?1")?
        .execute([row])?;
    if seq.is_multiple_of(ANCHOR_EVERY) {
        connection
            .prepare_cached("DELETE FROM anchors WHERE channel = ?1 AND seq = ?2")?
            .execute(params![channel, seq as i64])?;
    }
    Ok(())
}
