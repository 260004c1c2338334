use std::collections::HashSet;

use model::app::AppKey;
use model::inbox::{InboxId, InboxMessage};
use rusqlite::{Connection, params};
use store::error::{Error, Result};
use store::inbox::Imported;

use super::next_change;
use super::row::state_number;
use crate::SqliteStore;
use crate::apps;
use crate::error::JobError;

/// Messages of one slice at most: it holds the writer for a few milliseconds.
const SLICE_MESSAGES: usize = 1_000;

/// Bytes of text of one slice, about; a longer message goes alone.
const SLICE_BYTES: usize = 1024 * 1024;

const INSERT: &str = "
    INSERT INTO inbox (app, id, uid, state, prio, created_at, expires_at, clients, read, changed, kind, created,
                       expires, vid, title, lead, url, img, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
    ON CONFLICT (app, id) DO NOTHING";

/// Stores new messages, slice by slice.
pub(super) async fn import(
    store: &SqliteStore,
    app: AppKey,
    messages: Vec<InboxMessage>,
) -> Result<Imported> {
    // Ordering 25,000 messages takes milliseconds: too long for a thread that serves requests.
    let plan = tokio::task::spawn_blocking(move || Plan::new(messages)).await;
    let mut plan = plan.map_err(|error| Error::Backend {
        source: Box::new(error),
    })?;
    let mut imported = 0;
    while let Some(slice) = plan.next_slice() {
        let messages = slice.messages.len() as u64;
        let job = move |conn: &Connection| insert(conn, app, &slice.messages);
        let duplicates = store
            .writer
            .run(slice.bytes, job)
            .await?
            .ok_or_else(apps::deleted)?;
        imported += messages - duplicates.count;
        plan.duplicates.add(duplicates);
    }
    Ok(Imported {
        imported,
        duplicates: plan.duplicates.count,
        first_duplicate: plan.duplicates.first.map(|(_, id)| id),
    })
}

/// The rest of an import, in the order in which it is stored.
struct Plan {
    messages: Vec<Option<InboxMessage>>,
    /// Places in `messages`, without repeated ids.
    order: std::vec::IntoIter<usize>,
    duplicates: Duplicates,
}

/// What one job stores.
struct Slice {
    /// With their places in the import.
    messages: Vec<(usize, InboxMessage)>,
    bytes: usize,
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
        let mut duplicates = Duplicates::default();
        let mut order = Vec::with_capacity(messages.len());
        let mut seen =
            HashSet::with_capacity_and_hasher(messages.len(), foldhash::fast::RandomState::default());
        for (at, message) in messages.iter().enumerate() {
            if seen.insert(message.id.as_str()) {
                order.push(at);
            } else {
                duplicates.note(at, &message.id);
            }
        }
        sort_for_indexes(&mut order, &messages);
        Self {
            messages: messages.into_iter().map(Some).collect(),
            order: order.into_iter(),
            duplicates,
        }
    }

    fn next_slice(&mut self) -> Option<Slice> {
        let mut slice = Slice {
            messages: Vec::with_capacity(SLICE_MESSAGES.min(self.order.len())),
            bytes: 0,
        };
        while slice.messages.len() < SLICE_MESSAGES && slice.bytes < SLICE_BYTES {
            let Some(at) = self.order.next() else { break };
            if let Some(message) = self.messages[at].take() {
                slice.bytes += bytes(&message);
                slice.messages.push((at, message));
            }
        }
        (!slice.messages.is_empty()).then_some(slice)
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
fn sort_for_indexes(order: &mut [usize], messages: &[InboxMessage]) {
    let ascending = messages.windows(2).filter(|pair| pair[0].id < pair[1].id).count();
    if ascending * 4 >= messages.len().saturating_sub(1) * 3 {
        order.sort_unstable_by(|&a, &b| messages[a].uid.cmp(&messages[b].uid).then(a.cmp(&b)));
    } else {
        order.sort_unstable_by(|&a, &b| messages[a].id.cmp(&messages[b].id));
    }
}

/// Stores a slice; the messages that were there already, or `None` where the
/// app is gone.
fn insert(
    conn: &Connection,
    app: AppKey,
    messages: &[(usize, InboxMessage)],
) -> std::result::Result<Option<Duplicates>, JobError> {
    if !apps::is_there(conn, app)? {
        return Ok(None);
    }
    let changed = next_change(conn)?;
    let mut insert = conn.prepare_cached(INSERT)?;
    let mut duplicates = Duplicates::default();
    for (at, message) in messages {
        let rows = insert.execute(params![
            app.0,
            message.id.as_str(),
            &*message.uid,
            state_number(message.state),
            message.prio,
            message.created.at().0,
            message.expires.at().0,
            message.clients.as_stored(),
            message.read,
            changed,
            &*message.kind,
            message.created.as_str(),
            message.expires.as_str(),
            message.vid.as_deref(),
            message.title.as_deref(),
            message.lead.as_deref(),
            message.url.as_deref(),
            message.img.as_deref(),
            &*message.body,
        ])?;
        if rows == 0 {
            duplicates.note(*at, &message.id);
        }
    }
    Ok(Some(duplicates))
}

/// What a message holds in memory, about.
fn bytes(message: &InboxMessage) -> usize {
    let optional = [
        &message.vid,
        &message.title,
        &message.lead,
        &message.url,
        &message.img,
    ];
    let texts: usize = optional.into_iter().flatten().map(|text| text.len()).sum();
    size_of::<InboxMessage>() + texts + message.body.len() + message.uid.len() + message.id.as_str().len()
}
