use std::sync::Arc;

use model::app::AppKey;
use model::channel::ChannelName;
use model::schedule::TimingFields;
use model::schedule::due::Due;
use model::time::UnixMillis;
use rusqlite::{Connection, Row, params};
use store::schedules::{LastOccurrence, Owner, Schedule, ScheduleState};
use uuid::Uuid;

use crate::error::{JobError, corrupt};
use crate::heads::SharedHeads;
use crate::log::row::content;
use crate::schedules::{CHANNEL_DELETED, state};

/// The columns that [`decode`] reads, with the tables that they are in.
pub(super) const SELECT: &str = "SELECT s.schedule, s.app, s.id, s.channel, s.name, s.principal, s.roles,
        s.state, s.next_at, s.next_n, s.publish_at, s.repeat_every, s.repeat_expires_at, s.repeat_cron,
        s.timezone, s.repeat_times, s.occurrences, s.skipped, s.last_seq, s.last_at, s.revision, s.reason,
        c.publisher_id, c.subtopic, c.policy, c.headers, c.echo, c.payload
    FROM schedules s JOIN schedule_contents c ON c.schedule = s.schedule";

/// A schedule with what the port does not tell.
#[derive(Debug)]
pub(super) struct Stored {
    /// Its row.
    pub(super) row: i64,
    pub(super) app: AppKey,
    /// The incarnation of the channel.
    pub(super) channel: i64,
    pub(super) schedule: Schedule,
}

/// Reads a row of [`SELECT`].
pub(super) fn decode(columns: &Row<'_>) -> Result<Stored, JobError> {
    let row: i64 = columns.get(0)?;
    let wrong = |reason: String| corrupt("schedules", row, reason);
    let id = columns.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
    let roles: Option<String> = columns.get(6)?;
    let roles = match roles {
        None => Vec::new(),
        Some(roles) => {
            serde_json::from_str::<Vec<Box<str>>>(&roles).map_err(|error| wrong(error.to_string()))?
        }
    };
    let state = match columns.get::<_, i64>(7)? {
        state::WAITING => ScheduleState::Waiting {
            next: Due {
                n: columns.get::<_, i64>(9)? as u64,
                at: UnixMillis(columns.get(8)?),
            },
        },
        state::PUBLISHED => ScheduleState::Published,
        state::CANCELLED => ScheduleState::Cancelled,
        state::FAILED => ScheduleState::Failed {
            reason: columns.get::<_, Option<Box<str>>>(21)?.unwrap_or_default(),
        },
        other => return Err(wrong(format!("state {other} is none")).into()),
    };
    let last = match (columns.get::<_, Option<i64>>(18)?, columns.get(19)?) {
        (Some(seq), Some(at)) => Some(LastOccurrence {
            seq: seq as u64,
            published_at: UnixMillis(at),
        }),
        _ => None,
    };
    Ok(Stored {
        row,
        app: AppKey(columns.get(1)?),
        channel: columns.get(3)?,
        schedule: Schedule {
            id: Uuid::from_slice(id).map_err(|error| wrong(error.to_string()))?,
            channel: ChannelName::from_stored(columns.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?),
            owner: Owner {
                principal: columns.get(5)?,
                roles,
            },
            content: Arc::new(content("schedule_contents", row, columns, 22)?),
            timing: TimingFields {
                publish_at: columns.get(10)?,
                repeat_every: columns.get(11)?,
                repeat_expires_at: columns.get(12)?,
                repeat_cron: columns.get(13)?,
                timezone: columns.get(14)?,
                repeat_times: columns.get(15)?,
            },
            state,
            occurrences: columns.get::<_, i64>(16)? as u64,
            skipped: columns.get::<_, i64>(17)? as u64,
            last,
            revision: columns.get::<_, i64>(20)? as u64,
        },
    })
}

/// A schedule by its id, as it stands: whatever its row says, it has failed where its channel is gone.
pub(super) fn find(
    connection: &Connection,
    heads: &SharedHeads,
    app: AppKey,
    id: Uuid,
) -> Result<Option<Schedule>, JobError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE s.app = ?1 AND s.id = ?2"))?;
    let mut rows = statement.query(params![app.0, id.as_bytes().as_slice()])?;
    match rows.next()? {
        Some(columns) => as_it_stands(connection, heads, decode(columns)?).map(Some),
        None => Ok(None),
    }
}

/// The schedule, failed if its channel is gone and the row does not say so yet.
pub(super) fn as_it_stands(
    connection: &Connection,
    heads: &SharedHeads,
    stored: Stored,
) -> Result<Schedule, JobError> {
    let Stored {
        app,
        channel,
        mut schedule,
        ..
    } = stored;
    if matches!(schedule.state, ScheduleState::Waiting { .. }) {
        let head = heads.find(connection, app, &schedule.channel)?;
        if head.is_none_or(|head| head.channel != channel) {
            schedule.state = ScheduleState::Failed {
                reason: CHANNEL_DELETED.into(),
            };
        }
    }
    Ok(schedule)
}
