use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::inbox::{InboxId, InboxMessage, InboxState};
use model::time::UnixMillis;
use store::inbox::{Imported, ListQuery, Retracted, SyncBatch};

/// The inbox as the port's documentation tells it.
#[derive(Default)]
pub struct Model {
    pub messages: BTreeMap<InboxId, Row>,
}

pub struct Row {
    pub message: InboxMessage,
    pub claim: Option<(u64, UnixMillis)>,
}

impl Model {
    pub fn import(&mut self, messages: &[InboxMessage]) -> Imported {
        let mut imported = Imported::default();
        for message in messages {
            if self.messages.contains_key(&message.id) {
                imported.duplicates += 1;
                imported.first_duplicate.get_or_insert_with(|| message.id.clone());
            } else {
                imported.imported += 1;
                let row = Row {
                    message: message.clone(),
                    claim: None,
                };
                self.messages.insert(message.id.clone(), row);
            }
        }
        imported
    }

    pub fn list(&self, query: ListQuery<'_>) -> Vec<InboxMessage> {
        let place = |message: &InboxMessage| {
            (
                Reverse(message.prio),
                Reverse(message.created_at),
                message.id.clone(),
            )
        };
        let after = match query.after.map(|after| self.messages.get(after)) {
            None => None,
            Some(Some(row)) if *row.message.uid == *query.uid => Some(place(&row.message)),
            Some(_) => return Vec::new(),
        };
        let mut shown: Vec<_> = self
            .messages
            .values()
            .map(|row| &row.message)
            .filter(|message| *message.uid == *query.uid && message.clients.contains(query.client))
            .filter(|message| message.is_shown_at(query.now))
            .filter(|message| after.as_ref().is_none_or(|after| place(message) > *after))
            .cloned()
            .collect();
        shown.sort_by_key(place);
        shown.truncate(query.limit);
        shown
    }

    pub fn change(&mut self, id: &InboxId, state: InboxState, owner: Option<&str>) -> bool {
        let Some(row) = self.messages.get_mut(id) else {
            return false;
        };
        let message = &mut row.message;
        if message.state != InboxState::Imported || owner.is_some_and(|owner| *owner != *message.uid) {
            return false;
        }
        message.state = state;
        true
    }

    pub fn delete_all(&mut self, uid: &str) -> u64 {
        let ids: Vec<_> = self.messages.keys().cloned().collect();
        let deleted = ids
            .iter()
            .filter(|id| self.change(id, InboxState::Deleted, Some(uid)));
        deleted.count() as u64
    }

    pub fn retract(&mut self, ids: &[InboxId]) -> Retracted {
        let mut retracted = Retracted::default();
        for id in ids {
            if self.change(id, InboxState::Retracted, None) {
                retracted.retracted += 1;
            } else {
                retracted.not_retracted.push(id.clone());
            }
        }
        retracted
    }

    /// What could be claimed now.
    pub fn claimable(&self, now: UnixMillis) -> Vec<InboxId> {
        let free = |row: &&Row| {
            row.message.state == InboxState::Deleted && row.claim.is_none_or(|(_, until)| until <= now)
        };
        self.messages
            .values()
            .filter(free)
            .map(|row| row.message.id.clone())
            .collect()
    }

    pub fn claim(&mut self, batch: &SyncBatch, until: UnixMillis) {
        for id in &batch.ids {
            self.messages.get_mut(id).unwrap().claim = Some((batch.claim, until));
        }
    }

    pub fn held(&mut self, batch: &SyncBatch) -> Vec<&mut Row> {
        let is_held = |row: &&mut Row| {
            row.message.state == InboxState::Deleted
                && row.claim.is_some_and(|(claim, _)| claim == batch.claim)
                && batch.ids.contains(&row.message.id)
        };
        self.messages.values_mut().filter(is_held).collect()
    }

    pub fn cleanup(&mut self, now: UnixMillis, keep_deleted: bool) -> u64 {
        let before = self.messages.len();
        self.messages.retain(|_, row| match row.message.state {
            InboxState::Synced | InboxState::Retracted => false,
            InboxState::Imported => now < row.message.expires_at,
            InboxState::Deleted => keep_deleted || now < row.message.expires_at,
        });
        (before - self.messages.len()) as u64
    }
}
