use model::app::AppKey;
use model::position::Position;
use model::time::UnixMillis;
use rusqlite::params;
use store::polling::{Created, NewSubscription};

use super::columns_of;
use crate::apps::require_app;
use crate::error::JobError;
use crate::heads::ChannelHead;
use crate::log::start;
use crate::writer::transaction::Tx;

/// Stores a subscription inside the open transaction.
pub(super) fn create(
    tx: &mut Tx<'_>,
    app: AppKey,
    new: &NewSubscription,
    now: UnixMillis,
) -> Result<Created, JobError> {
    require_app(tx.connection, app)?;
    if count(tx, app)? >= new.max_subscriptions {
        return Ok(Created::TooMany);
    }
    let position = match tx.head(app, &new.channel)?.filter(ChannelHead::was_published_to) {
        None => Position::Start,
        Some(head) => {
            let window = tx.context.windows.of(tx.connection, app)?;
            let window = window.window(new.channel.as_str());
            Position::At {
                epoch: head.epoch,
                seq: start::before_time(tx.connection, &head, window, new.since, now)?,
            }
        }
    };
    let (epoch, seq) = columns_of(position);
    tx.connection
        .prepare_cached(
            "INSERT INTO subscriptions (app, id, channel, owner, selector, subtopic, epoch, seq, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            app.0,
            new.id.as_bytes().as_slice(),
            new.channel.as_str(),
            new.owner,
            new.selector,
            new.subtopic,
            epoch,
            seq,
            new.expires.0,
        ])?;
    if let Some(count) = tx.pending.subscription_counts.get_mut(&app) {
        *count += 1;
    }
    Ok(Created::New(position))
}

/// How many subscriptions the app has, counted once and then kept.
fn count(tx: &mut Tx<'_>, app: AppKey) -> Result<u64, JobError> {
    if let Some(count) = tx.pending.subscription_counts.get(&app) {
        return Ok(*count);
    }
    let count: i64 = tx
        .connection
        .prepare_cached("SELECT count(*) FROM subscriptions WHERE app = ?1")?
        .query_row([app.0], |row| row.get(0))?;
    let count = count.cast_unsigned();
    tx.pending.subscription_counts.insert(app, count);
    Ok(count)
}
