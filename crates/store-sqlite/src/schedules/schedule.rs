use model::message::{MessageId, Subtopic};
use rusqlite::{Connection, OptionalExtension as _, params};
use store::messages::Appended;
use store::schedules::{NewSchedule, Scheduled};

use crate::error::{JobError, corrupt};
use crate::heads::ChannelHead;
use crate::log::append::{earlier_answer, find_or_make_channel, remember_answer};
use crate::log::row::Encoded;
use crate::schedules::count;
use crate::writer::transaction::{Proof, Tx};

/// Stores a schedule inside the open transaction. Every check stands before the first write.
pub(super) fn schedule(tx: &mut Tx<'_>, new: &NewSchedule) -> Result<Scheduled, JobError> {
    if let Some(idempotency) = &new.idempotency {
        match earlier_answer(tx, new.app, idempotency)? {
            None => {}
            Some(Appended::Replayed { id }) => return Ok(Scheduled::Replayed { id: id.base }),
            Some(_) => return Ok(Scheduled::KeyReused),
        }
    }
    if waiting(tx.connection, new)? >= new.max_waiting {
        return Ok(Scheduled::TooManySchedules);
    }
    let Some(head) = find_or_make_channel(tx, new.app, &new.channel, new.max_channels)? else {
        return Ok(Scheduled::TooManyChannels);
    };
    let id = tx.mint.mint(tx.now, tx.context.ids.as_ref());
    let schedule = insert(tx.connection, new, head, id)?;
    write_content(tx.connection, schedule, &new.content)?;
    count(tx.connection, new.app, 1)?;
    if let Some(idempotency) = &new.idempotency {
        remember_answer(tx, new.app, idempotency, MessageId::one_shot(id))?;
    }
    tx.pending.proof = Some(Proof::Schedule(new.app, id));
    Ok(Scheduled::New { id })
}

fn waiting(connection: &Connection, new: &NewSchedule) -> Result<u64, JobError> {
    let waiting: Option<i64> = connection
        .prepare_cached("SELECT waiting FROM schedule_counts WHERE app = ?1")?
        .query_row([new.app.0], |row| row.get(0))
        .optional()?;
    Ok(waiting.unwrap_or(0) as u64)
}

fn insert(
    connection: &Connection,
    new: &NewSchedule,
    head: ChannelHead,
    id: uuid::Uuid,
) -> Result<i64, JobError> {
    let roles = (!new.owner.roles.is_empty())
        .then(|| serde_json::to_string(&new.owner.roles))
        .transpose()
        .map_err(|error| corrupt("schedules", id, error))?;
    let timing = &new.timing;
    let schedule = connection
        .prepare_cached(
            "INSERT INTO schedules (app, id, channel, name, principal, roles, next_at, next_n, publish_at,
                                    repeat_every, repeat_expires_at, repeat_cron, timezone, repeat_times)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .insert(params![
            new.app.0,
            id.as_bytes().as_slice(),
            head.channel,
            new.channel.as_str(),
            new.owner.principal,
            roles,
            new.first.at.0,
            new.first.n as i64,
            timing.publish_at,
            timing.repeat_every,
            timing.repeat_expires_at,
            timing.repeat_cron,
            timing.timezone,
            timing.repeat_times,
        ])?;
    Ok(schedule)
}

/// Writes what a schedule publishes, in the place of what it published before.
pub(super) fn write_content(
    connection: &Connection,
    schedule: i64,
    content: &model::message::Content,
) -> Result<(), JobError> {
    let encoded = Encoded::of(content).map_err(|error| corrupt("schedule_contents", schedule, error))?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO schedule_contents
                 (schedule, publisher_id, subtopic, policy, headers, echo, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            schedule,
            content.publisher_id.as_deref(),
            content.subtopic.as_ref().map(Subtopic::as_str),
            content.publish_policy.map(|policy| policy.as_str()),
            encoded.headers,
            encoded.echo,
            content.payload.as_str(),
        ])?;
    Ok(())
}
