use std::sync::Arc;

use model::app::AppKey;
use model::channel::ChannelName;
use model::message::{Content, Message, MessageId};
use rusqlite::{OptionalExtension as _, params};
use store::commits::Commit;
use store::messages::{Append, Appended, Idempotency};

use crate::apps::require_app;
use crate::error::{JobError, corrupt};
use crate::heads::{ChannelHead, salted};
use crate::log::{ANCHOR_EVERY, row};
use crate::writer::maintenance::IDEMPOTENCY_AGE;
use crate::writer::transaction::{Proof, Tx};

/// Appends one message inside the open transaction. Every check stands before the first write.
pub(super) fn append(tx: &mut Tx<'_>, append: &Append) -> Result<Appended, JobError> {
    if let Some(idempotency) = &append.idempotency
        && let Some(before) = earlier_answer(tx, append.app, idempotency)?
    {
        return Ok(before);
    }
    let Some(head) = find_or_make_channel(tx, append.app, &append.channel, append.max_channels)? else {
        return Ok(Appended::TooManyChannels);
    };
    let id = MessageId::one_shot(tx.mint.mint(tx.now, tx.context.ids.as_ref()));
    let entry = Entry {
        app: append.app,
        channel: &append.channel,
        id,
        content: Arc::clone(&append.content),
        principal: &append.principal,
    };
    let message = push(tx, head, entry)?;
    if let Some(idempotency) = &append.idempotency {
        remember_answer(tx, append.app, idempotency, id)?;
    }
    Ok(Appended::New {
        epoch: head.epoch,
        message,
    })
}

/// A message that goes to the end of a channel.
pub(crate) struct Entry<'a> {
    pub(crate) app: AppKey,
    pub(crate) channel: &'a ChannelName,
    pub(crate) id: MessageId,
    pub(crate) content: Arc<Content>,
    pub(crate) principal: &'a str,
}

/// Writes a message behind the channel's head and notes what the commit makes true.
pub(crate) fn push(tx: &mut Tx<'_>, head: ChannelHead, entry: Entry<'_>) -> Result<Arc<Message>, JobError> {
    let published_at = head.published_at.map_or(tx.now, |last| last.max(tx.now));
    let message = Arc::new(Message {
        id: entry.id,
        seq: head.seq + 1,
        published_at,
        content: entry.content,
    });
    let log_row = tx.pending.last_row + 1;
    let last_minted = tx.mint.last();
    let is_in_order = entry.id == MessageId::one_shot(last_minted);
    let place = (!is_in_order).then_some(last_minted);
    row::insert(tx.log_insert()?, log_row, &head, &message, entry.principal, place)?;
    if message.seq.is_multiple_of(ANCHOR_EVERY) {
        tx.connection
            .prepare_cached("INSERT INTO anchors (channel, seq, row, published_at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![head.channel, message.seq as i64, log_row, published_at.0])?;
        let window = tx
            .context
            .windows
            .of(tx.connection, entry.app)?
            .window(entry.channel.as_str());
        if message.seq > window.count {
            tx.pending.over_count += ANCHOR_EVERY;
        }
    }
    let moved = ChannelHead {
        seq: message.seq,
        row: log_row,
        published_at: Some(published_at),
        ..head
    };
    tx.pending.last_row = log_row;
    tx.pending.proof = Some(Proof::Message {
        row: log_row,
        id: entry.id,
    });
    tx.pending
        .heads
        .insert((entry.app, entry.channel.clone()), Some(moved));
    tx.pending.commits.push(Commit::Published {
        app: entry.app,
        channel: entry.channel.clone(),
        epoch: head.epoch,
        message: Arc::clone(&message),
    });
    Ok(message)
}

/// Where the channel stands, made if it is not there; `None` where the app has as many as it may.
pub(crate) fn find_or_make_channel(
    tx: &mut Tx<'_>,
    app: AppKey,
    channel: &ChannelName,
    max_channels: u64,
) -> Result<Option<ChannelHead>, JobError> {
    if let Some(head) = tx.head(app, channel)? {
        return Ok(Some(head));
    }
    if channel.as_str() != model::channel::DEFAULT && channel_count(tx, app)? >= max_channels {
        return Ok(None);
    }
    make_channel(tx, app, channel).map(Some)
}

fn make_channel(tx: &mut Tx<'_>, app: AppKey, channel: &ChannelName) -> Result<ChannelHead, JobError> {
    require_app(tx.connection, app)?;
    // Epochs are 63 bits, which both our column and PostgreSQL's bigint hold without a sign.
    let epoch = (tx.context.ids.random_u64() >> 1) as i64;
    let row = tx
        .connection
        .prepare_cached("INSERT INTO channels (app, name, epoch, seq, row) VALUES (?1, ?2, ?3, 0, 0)")?
        .insert(params![app.0, channel.as_str(), epoch])?;
    if let Some(count) = tx.pending.channel_counts.get_mut(&app) {
        *count += 1;
    }
    let epoch = salted(epoch, tx.context.heads.salt());
    let head = ChannelHead {
        channel: row,
        epoch,
        seq: 0,
        row: 0,
        published_at: None,
    };
    // Also where nothing is appended yet: a schedule makes its channel.
    tx.pending.heads.insert((app, channel.clone()), Some(head));
    Ok(head)
}

/// How many channels the app has, counted once and then kept.
fn channel_count(tx: &mut Tx<'_>, app: AppKey) -> Result<u64, JobError> {
    if let Some(count) = tx.pending.channel_counts.get(&app) {
        return Ok(*count);
    }
    let count: i64 = tx
        .connection
        .prepare_cached("SELECT count(*) FROM channels WHERE app = ?1 AND deleted = 0")?
        .query_row([app.0], |row| row.get(0))?;
    tx.pending.channel_counts.insert(app, count as u64);
    Ok(count as u64)
}

/// The answer that the same key had within the last 24 hours.
pub(crate) fn earlier_answer(
    tx: &Tx<'_>,
    app: AppKey,
    asked: &Idempotency,
) -> Result<Option<Appended>, JobError> {
    let found = tx
        .connection
        .prepare_cached("SELECT body, id FROM idempotency WHERE app = ?1 AND key = ?2 AND at > ?3")?
        .query_row(
            params![app.0, asked.key.as_slice(), (tx.now - IDEMPOTENCY_AGE).0],
            |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)),
        )
        .optional()?;
    let Some((body, id)) = found else { return Ok(None) };
    if body != asked.body {
        return Ok(Some(Appended::KeyReused));
    }
    let base = uuid::Uuid::from_slice(&id).map_err(|error| corrupt("idempotency", "(id)", error))?;
    Ok(Some(Appended::Replayed {
        id: MessageId::one_shot(base),
    }))
}

pub(crate) fn remember_answer(
    tx: &Tx<'_>,
    app: AppKey,
    asked: &Idempotency,
    id: MessageId,
) -> Result<(), JobError> {
    // A key older than 24 hours that is not removed yet gives way.
    tx.connection
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotency (app, key, body, id, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            app.0,
            asked.key.as_slice(),
            asked.body.as_slice(),
            id.base.as_bytes().as_slice(),
            tx.now.0
        ])?;
    Ok(())
}
