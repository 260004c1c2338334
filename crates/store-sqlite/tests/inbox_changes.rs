//! Every change of an inbox row leaves a commit number that no earlier change has.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

use std::path::Path;

use model::inbox::{ClientTypes, InboxId, InboxMessage, InboxState};
use model::json::JsonText;
use model::settings::AppSettings;
use model::time::UnixMillis;
use rusqlite::Connection;

use support::make_store;

fn id(number: usize) -> InboxId {
    format!("m{number:04}").parse().unwrap()
}

fn message(number: usize) -> InboxMessage {
    InboxMessage {
        id: id(number),
        uid: "ann".into(),
        created_at: UnixMillis::parse("2026-01-01T00:00:00Z").unwrap(),
        expires_at: UnixMillis::parse("2027-01-01T00:00:00Z").unwrap(),
        clients: ClientTypes::default().clients(["web"]).unwrap(),
        prio: 0,
        state: InboxState::Imported,
        read: false,
        document: JsonText::from_checked(r#"{"body":"Hej!"}"#),
    }
}

/// The commit numbers of all rows, by id.
fn changes(folder: &Path) -> Vec<i64> {
    let connection = Connection::open(folder.join("postbell.db")).unwrap();
    let mut select = connection
        .prepare("SELECT changed FROM inbox ORDER BY id")
        .unwrap();
    let changes = select.query_map([], |row| row.get(0)).unwrap();
    changes.map(|change| change.unwrap()).collect()
}

#[tokio::test]
async fn the_commit_number_of_a_row_grows_with_every_change() {
    let (store, folder) = make_store().await;
    let app = store
        .create_app(&"shop".parse().unwrap(), &AppSettings::default(), UnixMillis(0))
        .await;
    let app = app.unwrap().unwrap().key;
    store.import(app, (0..4).map(message).collect()).await.unwrap();
    let imported = changes(folder.path());
    assert!(
        imported.iter().all(|change| *change == imported[0]),
        "one job, one number: {imported:?}"
    );

    let mut latest = imported[0];
    let mut changed = |row: usize, what: &str| {
        let change = changes(folder.path())[row];
        assert!(change > latest, "{what}: {latest} was followed by {change}");
        latest = change;
    };
    store.import(app, vec![message(4)]).await.unwrap();
    changed(4, "import");
    assert!(store.delete(app, &id(0), None).await.unwrap());
    changed(0, "delete");
    assert_eq!(store.retract(app, vec![id(1)]).await.unwrap().retracted, 1);
    changed(1, "retract");
    let batch = store
        .claim_deleted(app, 1, 10, UnixMillis(0), UnixMillis(10))
        .await
        .unwrap();
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 1);
    assert!(
        store
            .mark_read(app, &id(3), "ann", UnixMillis(1_780_272_000_000))
            .await
            .unwrap()
    );
    changed(3, "read");
    assert_eq!(store.delete_all(app, "ann").await.unwrap(), 3);
    changed(2, "delete all");
    assert_eq!(
        changes(folder.path())[..2],
        [latest - 3, latest - 2],
        "what the user no longer saw is left alone, also by the sync"
    );
    store.close().await.unwrap();
}
