use std::sync::Arc;

use model::app::AppKey;
use model::time::UnixMillis;
use store::Store as _;
use store::error::{Error, Result};
use store::messages::{Messages as _, Page, Range};

use crate::SqliteStore;
use crate::fixtures::{Told, appending, new_app, open, options};

/// 2026-06-01T00:00:00Z, where the clock stands.
const NOW: UnixMillis = UnixMillis(1_780_272_000_000);

/// A store whose channel `news` has 130 messages, in the rows 1 to 130, then changed by hand.
async fn damaged(sql: &'static str) -> (Arc<SqliteStore>, AppKey, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&options(folder.path()), Arc::new(Told::default()));
    let app = new_app(&store).await;
    for _ in 0..130 {
        store.append(appending(app, "news")).await.unwrap();
    }
    let damaging = store.writer.run(0, move |connection| {
        assert_eq!(connection.execute(sql, [])?, 1);
        Ok(())
    });
    damaging.await.unwrap();
    (store, app, folder)
}

async fn read(store: &SqliteStore, app: AppKey, after: u64, max_messages: usize) -> Result<Option<Page>> {
    let range = Range {
        after,
        max_messages,
        max_bytes: usize::MAX,
    };
    store.read(app, &"news".parse().unwrap(), range, NOW).await
}

/// The table and row that an error names.
fn corrupt(read: Result<Option<Page>>) -> (&'static str, String, String) {
    match read {
        Err(Error::Corrupt { table, row, reason }) => (table, row, reason),
        other => panic!("expected corrupt data, found {other:?}"),
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_harms_no_other() {
    for sql in [
        "UPDATE log SET headers = '{\"a\":' WHERE row = 70",
        "UPDATE log SET policy = 'ALL' WHERE row = 70",
        "UPDATE log SET subtopic = 'a..b' WHERE row = 70",
        "UPDATE log SET id = x'00' WHERE row = 70",
        "UPDATE log SET echo = '[]' WHERE row = 70",
    ] {
        let (store, app, _folder) = damaged(sql).await;
        let (table, row, _) = corrupt(read(&store, app, 60, 20).await);
        assert_eq!((table, row.as_str()), ("log", "70"), "{sql}");
        let page = read(&store, app, 70, 20).await.unwrap().unwrap();
        assert_eq!(page.messages.len(), 20);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_chain_that_leads_into_another_channel_is_an_error() {
    let (store, app, _folder) = damaged("UPDATE log SET channel = 99 WHERE row = 70").await;
    let (table, row, reason) = corrupt(read(&store, app, 60, 20).await);
    assert_eq!((table, row.as_str()), ("log", "70"));
    assert_eq!(reason, "belongs to channel 99, a chain of channel 1 leads to it");
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_hole_amid_a_channel_is_an_error_and_no_endless_search() {
    let (store, app, _folder) = damaged("DELETE FROM log WHERE row = 100").await;
    let (table, _, reason) = corrupt(read(&store, app, 0, 99).await);
    assert_eq!(table, "log");
    assert!(reason.contains("chain of channel 1 is missing"), "{reason}");
    // What stands whole is read.
    let page = read(&store, app, 0, 60).await.unwrap().unwrap();
    assert_eq!(page.messages.len(), 60);
    store.close().await.unwrap();
}
