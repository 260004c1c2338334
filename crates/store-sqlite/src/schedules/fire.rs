use std::collections::HashMap;

use model::app::AppKey;
use model::limits::OCCURRENCES_KEPT;
use model::message::MessageId;
use model::schedule::Timing;
use model::schedule::due::{Due, Fire};
use rusqlite::{Connection, params};
use store::error::Error;
use store::schedules::{Fired, Gate, LastOccurrence, Schedule, ScheduleState};

use crate::error::JobError;
use crate::log::append::{Entry, push};
use crate::schedules::row::{SELECT, Stored, decode};
use crate::schedules::{CHANNEL_DELETED, count, end, forget_at, next_due, state};
use crate::writer::transaction::Tx;

/// About how many bytes of contents one transaction takes; the first schedule always comes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What picking up one schedule made of it.
struct Outcome {
    published: bool,
    waits: bool,
}

/// Picks up what is due inside the open transaction.
pub(super) fn fire_due(tx: &mut Tx<'_>, limit: usize, gate: &dyn Gate) -> Result<Fired, JobError> {
    let mut fired = Fired::default();
    let mut ended: HashMap<AppKey, i64> = HashMap::new();
    for stored in due(tx, limit)? {
        let (app, outcome) = match stored {
            Picked::Schedule(stored) => (stored.app, fire(tx, *stored, gate)?),
            Picked::Unreadable { row, app, error } => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a schedule fails: its row cannot be read"
                );
                end(
                    tx,
                    app,
                    row,
                    state::FAILED,
                    Some("its stored form cannot be read"),
                )?;
                (
                    app,
                    Outcome {
                        published: false,
                        waits: false,
                    },
                )
            }
        };
        fired.picked += 1;
        fired.published += usize::from(outcome.published);
        if !outcome.waits {
            *ended.entry(app).or_default() -= 1;
        }
    }
    for (app, change) in ended {
        count(tx.connection, app, change)?;
    }
    fired.next = next_due(tx.connection)?;
    Ok(fired)
}

/// A schedule that is due.
enum Picked {
    Schedule(Box<Stored>),
    /// One whose row says what cannot be: it must not stand in the way of the others.
    Unreadable {
        row: i64,
        app: AppKey,
        error: Error,
    },
}

fn due(tx: &Tx<'_>, limit: usize) -> Result<Vec<Picked>, JobError> {
    let sql = format!("{SELECT} WHERE s.next_at <= ?1 ORDER BY s.next_at, s.schedule LIMIT ?2");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![tx.now.0, limit as i64])?;
    let (mut due, mut bytes) = (Vec::new(), 0);
    while let Some(columns) = rows.next()? {
        match decode(columns) {
            Ok(stored) => {
                bytes += stored.schedule.content.size();
                due.push(Picked::Schedule(Box::new(stored)));
            }
            Err(JobError::Store(error)) => due.push(Picked::Unreadable {
                row: columns.get(0)?,
                app: AppKey(columns.get(1)?),
                error,
            }),
            Err(error) => return Err(error),
        }
        if bytes > MAX_BYTES {
            break;
        }
    }
    Ok(due)
}

fn fire(tx: &mut Tx<'_>, stored: Stored, gate: &dyn Gate) -> Result<Outcome, JobError> {
    let Stored {
        row,
        app,
        channel,
        schedule,
    } = stored;
    let failed = Outcome {
        published: false,
        waits: false,
    };
    let (id, fire) = match plan(tx, &schedule) {
        Ok(plan) => plan,
        Err(reason) => {
            end(tx, app, row, state::FAILED, Some(&reason))?;
            return Ok(failed);
        }
    };
    let head = tx.head(app, &schedule.channel)?;
    let Some(head) = head.filter(|head| head.channel == channel) else {
        end(tx, app, row, state::FAILED, Some(CHANNEL_DELETED))?;
        return Ok(failed);
    };
    if let Some(reason) = gate.refusal(app, &schedule.channel, &schedule.owner, tx.now) {
        end(tx, app, row, state::FAILED, Some(&reason))?;
        return Ok(failed);
    }
    let entry = Entry {
        app,
        channel: &schedule.channel,
        id,
        content: schedule.content.clone(),
        principal: &schedule.owner.principal,
    };
    let message = push(tx, head, entry)?;
    let last = LastOccurrence {
        seq: message.seq,
        published_at: message.published_at,
    };
    record(tx.connection, row, &schedule, &fire, last)?;
    advance(tx, app, row, &fire, last)?;
    Ok(Outcome {
        published: true,
        waits: fire.next.is_some(),
    })
}

/// Which due time is published now, and under which id.
fn plan(tx: &Tx<'_>, schedule: &Schedule) -> Result<(MessageId, Fire), String> {
    let ScheduleState::Waiting { next } = schedule.state else {
        return Err("it does not wait".to_owned());
    };
    // A time zone, say, that this system does not know any more.
    let timing = Timing::restore(&schedule.timing).map_err(|error| error.to_string())?;
    let fire = timing.catch_up(next, tx.now).ok_or("it is not due")?;
    let occurrence = match timing.repetition {
        None => None,
        Some(_) => Some(u32::try_from(fire.due.n).map_err(|_| "its occurrences are too many to be counted")?),
    };
    let base = schedule.id;
    Ok((MessageId { base, occurrence }, fire))
}

/// Notes what was skipped and what was published, and forgets what is too long ago.
fn record(
    connection: &Connection,
    row: i64,
    schedule: &Schedule,
    fire: &Fire,
    last: LastOccurrence,
) -> Result<(), JobError> {
    if let (1.., ScheduleState::Waiting { next }) = (fire.skipped, &schedule.state) {
        insert_skipped(connection, row, schedule, *next, fire.skipped)?;
    }
    connection
        .prepare_cached(
            "INSERT INTO occurrences (schedule, n, due, published_at, seq) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            row,
            fire.due.n as i64,
            fire.due.at.0,
            last.published_at.0,
            last.seq as i64
        ])?;
    if fire.due.n > OCCURRENCES_KEPT {
        connection
            .prepare_cached("DELETE FROM occurrences WHERE schedule = ?1 AND n + count <= ?2 AND n <= ?2")?
            .execute(params![row, (fire.due.n - OCCURRENCES_KEPT) as i64])?;
    }
    Ok(())
}

fn insert_skipped(
    connection: &Connection,
    row: i64,
    schedule: &Schedule,
    first: Due,
    skipped: u64,
) -> Result<(), JobError> {
    let timing = &schedule.timing;
    connection
        .prepare_cached(
            "INSERT INTO occurrences (schedule, n, due, count, repeat_every, repeat_cron, timezone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            row,
            first.n as i64,
            first.at.0,
            skipped as i64,
            timing.repeat_every,
            timing.repeat_cron,
            timing.timezone,
        ])?;
    Ok(())
}

fn advance(tx: &Tx<'_>, app: AppKey, row: i64, fire: &Fire, last: LastOccurrence) -> Result<(), JobError> {
    let (state, remove_at) = match fire.next {
        Some(_) => (state::WAITING, None),
        None => (state::PUBLISHED, Some(forget_at(tx, app)?.0)),
    };
    let next = fire.next.unwrap_or(fire.due);
    tx.connection
        .prepare_cached(
            "UPDATE schedules SET state = ?2, next_n = ?3, next_at = ?4, occurrences = occurrences + 1,
                    skipped = skipped + ?5, last_seq = ?6, last_at = ?7, remove_at = ?8, revision = revision + 1
             WHERE schedule = ?1",
        )?
        .execute(params![
            row,
            state,
            next.n as i64,
            fire.next.map(|next| next.at.0),
            fire.skipped as i64,
            last.seq as i64,
            last.published_at.0,
            remove_at,
        ])?;
    Ok(())
}
