use std::sync::Arc;

use rusqlite::StatementStatus;
use store::Store as _;
use store::inbox::{Inbox as _, ListQuery};

use super::*;
use crate::SqliteOptions;
use crate::fixtures::{Told, new_app, open, options};

#[tokio::test]
async fn a_list_is_planned_once_whoever_asks() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        readers: 1,
        ..options(folder.path())
    };
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    for uid in ["ada", "bob", "cyd"] {
        let query = ListQuery {
            uid,
            client: "web",
            now: model::time::UnixMillis(1),
            limit: 10,
            after: None,
        };
        assert_eq!(store.list(app, query).await.unwrap(), []);
    }
    let runs_and_plans = store
        .readers
        .run(|conn| {
            let select = conn.prepare_cached(row::SELECT_SHOWN)?;
            let counted = [StatementStatus::Run, StatementStatus::RePrepare];
            Ok(counted.map(|status| select.get_status(status)))
        })
        .await;
    assert_eq!(runs_and_plans.unwrap(), [3, 0]);
    store.close().await.unwrap();
}
