use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use engine::system::SystemClock;
use model::key::Scopes;
use store_sqlite::{Durability, Role, SqliteOptions, SqliteStore};

use super::*;
use crate::admin::ensure_default;

struct Nobody;

impl store::commits::CommitSink for Nobody {
    fn committed(&self, _: Vec<store::commits::Commit>) {}
}

fn open(data: &Path) -> SharedStore {
    let mut options = SqliteOptions::new(data.join("postbell.db"), Role::Server);
    options.durability = Durability::Off;
    let store = SqliteStore::open(
        &options,
        Arc::new(SystemClock),
        Arc::new(SystemIds),
        Arc::new(Nobody),
    );
    Arc::new(store.unwrap())
}

async fn prepared(store: &SharedStore, data: &Path) -> DevFile {
    let app = ensure_default(store).await.unwrap();
    let url = "http://127.0.0.1:8000".to_owned();
    prepare(store, app, data, url, &SystemClock).await.unwrap()
}

#[tokio::test]
async fn the_first_start_makes_a_secret_and_a_key_for_each_preset_and_later_ones_keep_them() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let first = prepared(&store, data.path()).await;
    assert_eq!(
        first.keys.keys().collect::<Vec<_>>(),
        ["admin", "app", "campaign", "client", "scheduler"]
    );
    assert!(first.keys["campaign"].starts_with("campaign-"));
    assert_eq!(first.jwt_secret.as_ref().map(String::len), Some(64));
    assert_eq!(prepared(&store, data.path()).await, first);

    let app = ensure_default(&store).await.unwrap();
    assert_eq!(
        app.settings.jwt.secret.map(|secret| secret.expose().to_owned()),
        first.jwt_secret
    );
    let keys = store.keys(app.key).await.unwrap();
    assert_eq!(keys.len(), 5, "a second start makes no further keys");
    let scheduler = keys.iter().find(|key| key.name.as_str() == "scheduler").unwrap();
    let expected: Scopes = "sync,cleanup".parse().unwrap();
    assert_eq!(scheduler.scopes, expected);
}

#[tokio::test]
async fn dev_json_has_the_documented_shape_and_belongs_to_its_owner_alone() {
    let data = tempfile::tempdir().unwrap();
    let file = prepared(&open(data.path()), data.path()).await;
    let path = path(data.path());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let expected = serde_json::json!({
        "url": "http://127.0.0.1:8000",
        "app": "default",
        "keys": {
            "campaign": file.keys["campaign"],
            "scheduler": file.keys["scheduler"],
            "app": file.keys["app"],
            "client": file.keys["client"],
            "admin": file.keys["admin"],
        },
        "jwt_secret": file.jwt_secret,
    });
    assert_eq!(json, expected);
}

#[tokio::test]
async fn a_lost_file_a_revoked_key_and_a_new_store_are_made_good() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let first = prepared(&store, data.path()).await;

    fs::write(path(data.path()), "{ damaged").unwrap();
    let second = prepared(&store, data.path()).await;
    assert_ne!(
        second.keys["app"], first.keys["app"],
        "what is stored of a key is its digest alone"
    );
    assert_eq!(second.jwt_secret, first.jwt_secret, "the store has the secret");

    let app = ensure_default(&store).await.unwrap();
    let keys = store.keys(app.key).await.unwrap();
    let key = keys
        .iter()
        .find(|key| key.digest == digest(&second.keys["app"]))
        .unwrap();
    assert!(
        store
            .revoke_key(app.key, &key.id, SystemClock.now())
            .await
            .unwrap()
    );
    let third = prepared(&store, data.path()).await;
    assert_ne!(
        third.keys["app"], second.keys["app"],
        "a revoked key is of no use"
    );
    assert_eq!(third.keys["admin"], second.keys["admin"]);

    let other = tempfile::tempdir().unwrap();
    fs::copy(path(data.path()), path(other.path())).unwrap();
    assert_eq!(
        prepared(&open(other.path()), other.path()).await,
        third,
        "a new store takes the known ones"
    );
}

#[tokio::test]
async fn an_app_with_another_source_of_keys_gets_no_secret() {
    let data = tempfile::tempdir().unwrap();
    let store = open(data.path());
    let mut app = ensure_default(&store).await.unwrap();
    app.settings.jwt.jwks_url = Some("https://login.example/jwks.json".to_owned());
    assert!(store.set_app(&app.id, &app.settings).await.unwrap());
    let file = prepared(&store, data.path()).await;
    assert_eq!(file.jwt_secret, None);
    let text = describe(&file, &app, data.path(), &SystemClock).unwrap();
    assert!(!text.contains("user-token"), "{text}");
}
