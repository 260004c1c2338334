//! Random sequences of inbox operations over SQLite do what a model in memory does.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

/// What the store should do.
mod reference;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use model::app::AppKey;
use model::inbox::{ClientTypes, InboxId, InboxMessage, InboxState};
use model::json::JsonText;
use model::settings::AppSettings;
use model::time::UnixMillis;
use proptest::prelude::*;
use store::SharedStore;
use store::inbox::{ListQuery, SyncBatch};

use crate::reference::Model;
use crate::support::make_store;

const USERS: [&str; 3] = ["ann", "bob", "eve"];
const CLIENTS: [&str; 3] = ["web", "ios", "atv"];
const CLAIM: Duration = Duration::from_millis(3);

/// A message to be imported; times are in ticks.
#[derive(Debug, Clone)]
struct Draft {
    id: u8,
    user: usize,
    client: usize,
    prio: i64,
    created: i64,
    expires: i64,
}

#[derive(Debug, Clone)]
enum Operation {
    Import(Vec<Draft>),
    List {
        user: usize,
        client: usize,
        limit: usize,
        after: Option<u8>,
    },
    Delete {
        id: u8,
        owner: Option<usize>,
    },
    DeleteAll {
        user: usize,
    },
    Retract(Vec<u8>),
    Claim {
        limit: usize,
    },
    /// Marks one of the claims so far as synced, or gives it back.
    Mark {
        claim: usize,
    },
    Release {
        claim: usize,
    },
    Cleanup {
        keep_deleted: bool,
    },
    Wait {
        ticks: i64,
    },
}

fn draft() -> impl Strategy<Value = Draft> {
    (0..12u8, 0..3usize, 0..3usize, -1..2i64, 0..12i64, 0..24i64).prop_map(
        |(id, user, client, prio, created, expires)| Draft {
            id,
            user,
            client,
            prio,
            created,
            expires,
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    let ids = 0..12u8;
    prop_oneof![
        4 => prop::collection::vec(draft(), 0..6).prop_map(Operation::Import),
        4 => (0..3usize, 0..3usize, 0..5usize, prop::option::of(ids.clone()))
            .prop_map(|(user, client, limit, after)| Operation::List { user, client, limit, after }),
        4 => (ids.clone(), prop::option::of(0..3usize)).prop_map(|(id, owner)| Operation::Delete { id, owner }),
        1 => (0..3usize).prop_map(|user| Operation::DeleteAll { user }),
        2 => prop::collection::vec(ids, 0..4).prop_map(Operation::Retract),
        3 => (0..4usize).prop_map(|limit| Operation::Claim { limit }),
        2 => (0..8usize).prop_map(|claim| Operation::Mark { claim }),
        1 => (0..8usize).prop_map(|claim| Operation::Release { claim }),
        2 => any::<bool>().prop_map(|keep_deleted| Operation::Cleanup { keep_deleted }),
        3 => (1..4i64).prop_map(|ticks| Operation::Wait { ticks }),
    ]
}

fn id(number: u8) -> InboxId {
    format!("m{number}").parse().unwrap()
}

fn tick(tick: i64) -> UnixMillis {
    UnixMillis::parse(&format!("2026-06-01T00:00:00.{tick:03}Z")).unwrap()
}

fn message(draft: &Draft) -> InboxMessage {
    InboxMessage {
        id: id(draft.id),
        uid: USERS[draft.user].into(),
        created_at: tick(draft.created),
        expires_at: tick(draft.expires),
        clients: ClientTypes::default()
            .clients([CLIENTS[draft.client], "web"])
            .unwrap(),
        prio: draft.prio,
        state: InboxState::Imported,
        read: false,
        document: JsonText::from_checked(&format!(r#"{{"body":"{draft:?}"}}"#)),
    }
}

struct Run {
    store: SharedStore,
    app: AppKey,
    model: Model,
    now: i64,
    claims: Vec<SyncBatch>,
}

impl Run {
    async fn apply(&mut self, operation: Operation) {
        let (app, now) = (self.app, tick(self.now));
        match operation {
            Operation::Import(drafts) => {
                let messages: Vec<_> = drafts.iter().map(message).collect();
                let expected = self.model.import(&messages);
                assert_eq!(self.store.import(app, messages).await.unwrap(), expected);
            }
            Operation::List {
                user,
                client,
                limit,
                after,
            } => {
                let after = after.map(id);
                let query = ListQuery {
                    uid: USERS[user],
                    client: CLIENTS[client],
                    now,
                    limit,
                    after: after.as_ref(),
                };
                assert_eq!(self.store.list(app, query).await.unwrap(), self.model.list(query));
            }
            Operation::Delete { id: number, owner } => {
                let owner = owner.map(|user| USERS[user]);
                let expected = self.model.change(&id(number), InboxState::Deleted, owner);
                assert_eq!(
                    self.store.delete(app, &id(number), owner).await.unwrap(),
                    expected
                );
            }
            Operation::DeleteAll { user } => {
                let expected = self.model.delete_all(USERS[user]);
                assert_eq!(self.store.delete_all(app, USERS[user]).await.unwrap(), expected);
            }
            Operation::Retract(numbers) => {
                let ids: Vec<_> = numbers.into_iter().map(id).collect();
                let expected = self.model.retract(&ids);
                assert_eq!(self.store.retract(app, ids).await.unwrap(), expected);
            }
            Operation::Claim { limit } => self.claim(limit, now).await,
            Operation::Mark { claim } => {
                let Some(batch) = self.claims.get(claim).cloned() else {
                    return;
                };
                let held = self.model.held(&batch);
                let expected = held.len() as u64;
                for row in held {
                    row.message.state = InboxState::Synced;
                }
                assert_eq!(self.store.mark_synced(app, &batch).await.unwrap(), expected);
            }
            Operation::Release { claim } => {
                let Some(batch) = self.claims.get(claim).cloned() else {
                    return;
                };
                for row in self.model.held(&batch) {
                    row.claim = None;
                }
                self.store.release_claim(app, &batch).await.unwrap();
            }
            Operation::Cleanup { keep_deleted } => {
                let expected = self.model.cleanup(now, keep_deleted);
                assert_eq!(
                    self.store.cleanup(app, now, keep_deleted).await.unwrap(),
                    expected
                );
            }
            Operation::Wait { ticks } => self.now += ticks,
        }
    }

    /// Which messages a claim takes is the store's choice, but they must be free, and as many as can be.
    async fn claim(&mut self, limit: usize, now: UnixMillis) {
        let claim = self.claims.len() as u64;
        let batch = self
            .store
            .claim_deleted(self.app, claim, limit, now, now + CLAIM)
            .await
            .unwrap();
        let claimable = self.model.claimable(now);
        assert_eq!(batch.ids.len(), limit.min(claimable.len()));
        for (at, id) in batch.ids.iter().enumerate() {
            assert!(claimable.contains(id), "{id} is not free");
            assert!(!batch.ids[..at].contains(id), "{id} is claimed twice");
        }
        self.model.claim(&batch, now + CLAIM);
        self.claims.push(batch);
    }

    async fn check_all(&self) {
        for number in 0..12 {
            let stored = self.store.show(self.app, &id(number)).await.unwrap();
            let expected = self
                .model
                .messages
                .get(&id(number))
                .map(|row| row.message.clone());
            assert_eq!(stored, expected);
        }
        let deleted = self
            .model
            .messages
            .values()
            .filter(|row| row.message.state == InboxState::Deleted);
        assert_eq!(
            self.store.count_deleted(self.app).await.unwrap(),
            deleted.count() as u64
        );
    }
}

#[test]
fn every_sequence_of_operations_does_what_the_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (store, _folder) = runtime.block_on(make_store());
    // Every sequence has an app of its own: a fresh inbox without a fresh file.
    let apps = std::sync::atomic::AtomicU32::new(0);
    let config = ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(operations in prop::collection::vec(operation(), 1..60))| {
        runtime.block_on(async {
            let number = apps.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let name = format!("app-{number}").parse().unwrap();
            let app = store.create_app(&name, &AppSettings::default(), UnixMillis(0)).await.unwrap().unwrap();
            let model = Model::default();
            let mut run = Run { store: store.clone(), app: app.key, model, now: 0, claims: Vec::new() };
            for operation in operations {
                run.apply(operation).await;
            }
            run.check_all().await;
        });
    });
}
