//! Subscriptions that are polled: one row each, with its cursor.
//!
//! Those of a deleted channel, however many they are, end with one row of `deleted_subscriptions`;
//! maintenance removes them, and the expired ones, bit by bit.

use async_trait::async_trait;
use model::app::AppKey;
use model::channel::ChannelName;
use model::position::{Epoch, Position};
use model::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use store::error::Result;
use store::polling::{Advance, Advanced, Created, NewSubscription, Polling, Subscription};
use uuid::Uuid;

use crate::SqliteStore;
use crate::error::JobError;

/// Moving a cursor.
mod advance;
/// Making a subscription.
mod create;
/// Ending subscriptions, and removing what is gone.
mod delete;

pub(crate) use delete::{delete_of_channel, remove_gone};

/// What a job without texts of its own holds in memory, about.
const JOB_BYTES: usize = 256;

#[async_trait]
impl Polling for SqliteStore {
    async fn create_subscription(
        &self,
        app: AppKey,
        new: NewSubscription,
        now: UnixMillis,
    ) -> Result<Created> {
        self.require_server()?;
        let texts = [new.selector.as_deref(), new.subtopic.as_deref()];
        let bytes = JOB_BYTES + new.owner.len() + texts.into_iter().flatten().map(str::len).sum::<usize>();
        self.writer
            .run_tx(bytes, move |tx| create::create(tx, app, &new, now))
            .await
    }

    async fn subscription(&self, app: AppKey, id: Uuid, now: UnixMillis) -> Result<Option<Subscription>> {
        self.readers
            .run(move |connection| {
                let found = find(connection, app, id)?.map(|stored| stored.subscription);
                Ok(found.filter(|subscription| subscription.expires > now))
            })
            .await
    }

    async fn advance_subscription(&self, app: AppKey, advance: Advance) -> Result<Advanced> {
        self.require_server()?;
        self.writer
            .run(JOB_BYTES, move |connection| {
                advance::advance(connection, app, advance)
            })
            .await
    }

    async fn delete_subscription(&self, app: AppKey, id: Uuid, now: UnixMillis) -> Result<bool> {
        self.require_server()?;
        self.writer
            .run_tx(JOB_BYTES, move |tx| delete::delete(tx, app, id, now))
            .await
    }
}

/// A subscription with its row.
struct Stored {
    row: i64,
    subscription: Subscription,
}

/// A subscription of this id whose channel was not deleted since it was made.
fn find(connection: &Connection, app: AppKey, id: Uuid) -> std::result::Result<Option<Stored>, JobError> {
    let found = connection
        .prepare_cached(
            "SELECT row, channel, owner, selector, subtopic, epoch, seq, expires FROM subscriptions AS own
             WHERE app = ?1 AND id = ?2 AND NOT EXISTS
                 (SELECT 1 FROM deleted_subscriptions AS deleted
                  WHERE deleted.app = own.app AND deleted.channel = own.channel AND deleted.up_to >= own.row)",
        )?
        .query_row(params![app.0, id.as_bytes().as_slice()], stored)
        .optional()?;
    Ok(found)
}

fn stored(columns: &Row<'_>) -> rusqlite::Result<Stored> {
    let text = |at: usize| Ok::<_, rusqlite::Error>(columns.get::<_, Option<String>>(at)?.map(Box::from));
    let epoch: Option<i64> = columns.get(5)?;
    let seq: i64 = columns.get(6)?;
    Ok(Stored {
        row: columns.get(0)?,
        subscription: Subscription {
            channel: ChannelName::from_stored(&columns.get::<_, String>(1)?),
            owner: columns.get::<_, String>(2)?.into(),
            selector: text(3)?,
            subtopic: text(4)?,
            position: match epoch {
                None => Position::Start,
                Some(epoch) => Position::At {
                    epoch: Epoch(epoch.cast_unsigned()),
                    seq: seq.cast_unsigned(),
                },
            },
            expires: UnixMillis(columns.get(7)?),
        },
    })
}

/// A position as the columns `epoch` and `seq` hold it.
fn columns_of(position: Position) -> (Option<i64>, i64) {
    match position {
        Position::Start => (None, 0),
        Position::At { epoch, seq } => (Some(epoch.0.cast_signed()), seq.cast_signed()),
    }
}
