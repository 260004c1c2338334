use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;

use model::app::AppKey;
use model::inbox::{InboxId, InboxMessage};
use rusqlite::params;
use store::commits::inbox_user;
use store::error::{Error, Result};
use store::inbox::Imported;
use tokio::sync::oneshot;

use super::row::state_number;
use super::{next_change, tell_changed};
use crate::SqliteStore;
use crate::apps;
use crate::error::JobError;
use crate::writer::transaction::Tx;

/// Messages of one slice while others wait for the writer: a millisecond or two.
const SLICE_BESIDE_OTHERS: usize = 250;

/// Messages and bytes of one slice that nobody waits for: fewer commits, and pages that all of them touch
/// are written once.
const SLICE_MESSAGES: usize = 8_192;
const SLICE_BYTES: usize = 4 * 1024 * 1024;

const INSERT: &str = "
    INSERT INTO inbox (app, id, uid, state, prio, created_at, expires_at, clients, read, changed, document)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (app, id) DO NOTHING";

/// Stores new messages, slice by slice.
pub(super) async fn import(
    store: &SqliteStore,
    app: AppKey,
    messages: Vec<InboxMessage>,
) -> Result<Imported> {
    // Ordering 25,000 messages takes milliseconds: too long for a thread that serves requests.
    let plan = tokio::task::spawn_blocking(move || Plan::new(messages)).await;
    let plan = plan.map_err(|error| Error::Backend {
        source: Box::new(error),
    })?;
    let mut duplicates = plan.repeated;
    let messages = Arc::new(plan.messages);
    let mut imported = 0;
    let mut count = |stored: Option<Stored>| -> Result<()> {
        let stored = stored.ok_or_else(apps::deleted)?;
        imported += stored.messages as u64 - stored.duplicates.count;
        duplicates.add(stored.duplicates);
        Ok(())
    };
    let mut from = 0;
    let mut flushing: Option<Slice<'_>> = None;
    while from < messages.len() {
        let (slice, ran) = begin(store, app, &messages, from).await?;
        if let Some(before) = flushing.replace(slice) {
            count(before.await?)?;
        }
        from += ran.messages;
        if ran.messages == 0 {
            break;
        }
        // The next slice runs while this one is flushed, unless others wait: they have their turn first.
        if ran.made_way
            && let Some(slice) = flushing.take()
        {
            count(slice.await?)?;
        }
    }
    if let Some(last) = flushing {
        count(last.await?)?;
    }
    // Freeing them takes a tenth of the whole import: nobody waits for that.
    drop(tokio::task::spawn_blocking(move || drop(messages)));
    Ok(Imported {
        imported,
        duplicates: duplicates.count,
        first_duplicate: duplicates.first.map(|(_, id)| id),
    })
}

/// The answer to a slice, once it is durable; `None` where the app is gone.
type Slice<'a> = Pin<Box<dyn Future<Output = Result<Option<Stored>>> + Send + 'a>>;

/// How a slice ran.
#[derive(Clone, Copy)]
struct Ran {
    /// How many messages it takes; none where the app is gone.
    messages: usize,
    /// Whether it ended early because others wait.
    made_way: bool,
}

/// Begins to store a slice from this message on; returns when it has run.
async fn begin<'a>(
    store: &'a SqliteStore,
    app: AppKey,
    messages: &Arc<Vec<(usize, InboxMessage)>>,
    from: usize,
) -> Result<(Slice<'a>, Ran)> {
    let (told, has_run) = oneshot::channel();
    let (messages, mut told, mut size) = (Arc::clone(messages), Some(told), None);
    let job = move |tx: &mut Tx<'_>| {
        let stored = insert(tx, app, &messages[from..], size)?;
        // Told once: should the job have to run again, it takes just as many.
        let ran = ran(stored.as_ref());
        size = Some(ran.messages);
        if let Some(told) = told.take() {
            let _ = told.send(ran);
        }
        Ok(stored)
    };
    let mut slice: Slice<'a> = Box::pin(store.writer.run_tx(SLICE_BYTES, job));
    tokio::select! {
        biased;
        Ok(ran) = has_run => Ok((slice, ran)),
        // It has not run and never will, or is answered already.
        answer = &mut slice => {
            let answer = answer?;
            let ran = ran(answer.as_ref());
            Ok((Box::pin(std::future::ready(Ok(answer))), ran))
        }
    }
}

fn ran(stored: Option<&Stored>) -> Ran {
    Ran {
        messages: stored.map_or(0, |stored| stored.messages),
        made_way: stored.is_some_and(|stored| stored.made_way),
    }
}

/// An import as it is stored.
struct Plan {
    /// Without repeated ids, in the order in which they are stored, with their places in the import.
    messages: Vec<(usize, InboxMessage)>,
    /// Messages with an id that stood in the import before.
    repeated: Duplicates,
}

/// What one job has stored.
struct Stored {
    /// How many messages it went through.
    messages: usize,
    duplicates: Duplicates,
    made_way: bool,
}

/// Messages whose id was there already.
#[derive(Default)]
struct Duplicates {
    count: u64,
    /// The first in the import's order, with its place there.
    first: Option<(usize, InboxId)>,
}

impl Plan {
    fn new(messages: Vec<InboxMessage>) -> Self {
        let mut repeated = Duplicates::default();
        let mut seen =
            HashSet::with_capacity_and_hasher(messages.len(), foldhash::fast::RandomState::default());
        let mut first = Vec::with_capacity(messages.len());
        for (at, message) in messages.iter().enumerate() {
            first.push(seen.insert(message.id.as_str()));
            if !first[at] {
                repeated.note(at, &message.id);
            }
        }
        drop(seen);
        let mut messages: Vec<_> = messages.into_iter().enumerate().collect();
        messages.retain(|(at, _)| first[*at]);
        sort_for_indexes(&mut messages);
        Self { messages, repeated }
    }
}

impl Duplicates {
    fn note(&mut self, at: usize, id: &InboxId) {
        self.count += 1;
        if self.first.as_ref().is_none_or(|(first, _)| at < *first) {
            self.first = Some((at, id.clone()));
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first = match (self.first.take(), other.first) {
            (Some(one), Some(two)) => Some(if one.0 < two.0 { one } else { two }),
            (one, two) => one.or(two),
        };
    }
}

/// Sorts so that a slice touches few pages of the indexes: pages touched again by every slice are written
/// again by every commit, and 1,000 messages in two random orders took three times a bare insert.
///
/// Where the ids come about in order they are local already, and sorting by user makes the other index
/// local and lays together what is listed together; else sorting by id at least mends the one.
fn sort_for_indexes(messages: &mut [(usize, InboxMessage)]) {
    let ascending = messages
        .windows(2)
        .filter(|pair| pair[0].1.id < pair[1].1.id)
        .count();
    if ascending * 4 >= messages.len().saturating_sub(1) * 3 {
        messages.sort_by(|(_, a), (_, b)| a.uid.cmp(&b.uid));
    } else {
        messages.sort_unstable_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    }
}

/// Stores the first of the messages, so many or as many as one transaction should; `None` where the app is
/// gone.
fn insert(
    tx: &mut Tx<'_>,
    app: AppKey,
    messages: &[(usize, InboxMessage)],
    size: Option<usize>,
) -> std::result::Result<Option<Stored>, JobError> {
    if !apps::is_there(tx.connection, app)? {
        return Ok(None);
    }
    let changed = next_change(tx.connection)?;
    let mut insert = tx.connection.prepare_cached(INSERT)?;
    let mut stored = Stored {
        messages: 0,
        duplicates: Duplicates::default(),
        made_way: false,
    };
    let mut held = 0;
    let mut users = Vec::new();
    for (at, message) in messages {
        let is_enough = match size {
            Some(size) => stored.messages >= size,
            None => {
                stored.made_way = stored.messages > 0
                    && stored.messages.is_multiple_of(SLICE_BESIDE_OTHERS)
                    && tx.is_awaited();
                stored.made_way || stored.messages >= SLICE_MESSAGES || held >= SLICE_BYTES
            }
        };
        if is_enough {
            break;
        }
        let rows = insert.execute(params![
            app.0,
            message.id.as_str(),
            &*message.uid,
            state_number(message.state),
            message.prio,
            message.created_at.0,
            message.expires_at.0,
            message.clients.as_stored(),
            if message.read { changed } else { 0 },
            changed,
            message.document.as_str(),
        ])?;
        if rows == 0 {
            stored.duplicates.note(*at, &message.id);
        } else {
            // Messages of one user mostly stand together.
            let user = inbox_user(app, &message.uid);
            if users.last() != Some(&user) {
                users.push(user);
            }
        }
        stored.messages += 1;
        held += bytes(message);
    }
    tell_changed(tx, changed, users);
    Ok(Some(stored))
}

/// What a message holds in memory, about.
fn bytes(message: &InboxMessage) -> usize {
    let texts = message.document.as_str().len() + message.uid.len() + message.id.as_str().len();
    size_of::<InboxMessage>() + texts
}
