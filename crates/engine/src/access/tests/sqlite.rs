use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::key::Scope;
use model::time::Clock;
use serde_json::json;
use store::SharedStore;
use store::commits::{Commit, CommitSink};
use store_sqlite::{Durability, Role, SqliteOptions, SqliteStore};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::signer::{SECRET, claims, hs256};
use super::world::{ManualClock, NO_KEY, app_id, settings, still};
use crate::access::Access;
use crate::access::credentials::Credentials;
use crate::access::error::AccessError;
use crate::access::key::{new_key, new_secret};
use crate::system::SystemIds;

struct Nobody;

impl CommitSink for Nobody {
    fn committed(&self, _: Vec<Commit>) {}
}

fn open(folder: &Path, role: Role, clock: &Arc<ManualClock>) -> SharedStore {
    let mut options = SqliteOptions::new(folder.join("postbell.db"), role);
    options.durability = Durability::Off;
    Arc::new(SqliteStore::open(&options, clock.clone(), Arc::new(SystemIds), Arc::new(Nobody)).unwrap())
}

async fn next(changes: &mut watch::Receiver<u64>) {
    let changed = timeout(Duration::from_secs(10), changes.changed()).await;
    changed.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_command_changes_beside_a_running_server_comes_into_force_there() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let served = open(folder.path(), Role::Server, &clock);
    if served.app(&app_id()).await.unwrap().is_none() {
        let empty = settings(json!({}));
        let created = served.create_app(&app_id(), &empty, clock.now()).await;
        assert!(created.unwrap().is_some());
    }
    let access = Access::start(served.clone(), clock.clone(), still())
        .await
        .unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(access.clone().run(shutdown.clone()));
    let mut changes = access.changes();
    let beside = open(folder.path(), Role::Admin, &clock);
    let app = access.app(app_id().as_str()).unwrap();

    let name = "cms".parse().unwrap();
    let secret = new_secret(&name, &SystemIds);
    let scopes = [Scope::Import].into_iter().collect();
    let key = new_key(name, scopes, None, &secret, &SystemIds, clock.now());
    assert!(beside.create_key(app.key, &key).await.unwrap());
    next(&mut changes).await;
    let given = Credentials::new([secret], None::<String>);
    let app = access.app(app_id().as_str()).unwrap();
    let caller = access.authenticate(&app, &given).await.unwrap();
    assert_eq!(caller.needs(Scope::Import), Ok(()));

    assert!(beside.revoke_key(app.key, &key.id, clock.now()).await.unwrap());
    next(&mut changes).await;
    assert_eq!(caller.renewed().unwrap_err(), AccessError::BadKey);

    let with_secret = settings(json!({"jwt": {"secret": SECRET}}));
    assert!(beside.set_app(&app_id(), &with_secret).await.unwrap());
    next(&mut changes).await;
    let given = Credentials::new(NO_KEY, Some(hs256().sign(&claims(json!({})))));
    let app = access.app(app_id().as_str()).unwrap();
    let user = access.authenticate(&app, &given).await.unwrap();
    assert_eq!(user.user(), Ok("u1"));

    shutdown.cancel();
    timeout(Duration::from_secs(10), running).await.unwrap().unwrap();
    beside.close().await.unwrap();
    served.close().await.unwrap();
}
