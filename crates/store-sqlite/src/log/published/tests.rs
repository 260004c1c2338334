use std::sync::Arc;
use std::time::Duration;

use store::Store as _;
use store::contract::clock::ManualClock;
use store::messages::{Appended, Messages as _};

use super::*;
use crate::fixtures::schedules::{every, fire, make};
use crate::fixtures::{Told, appending, new_app, open_with_clock, options};
use crate::{SqliteOptions, SqliteStore};

async fn publish(store: &SqliteStore, app: AppKey) -> MessageId {
    match store.append(appending(app, "news")).await.unwrap() {
        Appended::New { message, .. } => message.id,
        other => panic!("expected a new message, found {other:?}"),
    }
}

/// A log in which messages and occurrences of two schedules take turns, and stand in heaps too.
async fn filled(options: &SqliteOptions, clock: &Arc<ManualClock>) -> (AppKey, Vec<MessageId>) {
    let store = open_with_clock(options, Arc::new(Told::default()), Arc::clone(clock));
    let app = new_app(&store).await;
    let schedules = [
        make(&store, every(app, "news", 1)).await,
        make(&store, every(app, "news", 1)).await,
    ];
    let mut ids = Vec::new();
    for (n, messages) in (1..).zip([0, 0, 0, 1, 0, 5, 1, 1, 0, 0, 3]) {
        fire(&store).await.unwrap();
        ids.extend(schedules.map(|base| MessageId {
            base,
            occurrence: Some(n),
        }));
        for _ in 0..messages {
            ids.push(publish(&store, app).await);
        }
        clock.forward(Duration::from_secs(1));
    }
    store.close().await.unwrap();
    (app, ids)
}

#[tokio::test]
async fn every_message_is_found_by_its_id_among_occurrences_and_holes() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let clock = Arc::new(ManualClock::default());
    let (app, ids) = filled(&options, &clock).await;
    let connection = Connection::open(&options.path).unwrap();
    let whole = ids.len() as i64;
    assert_eq!(whole, 33);
    for (row, id) in (1..).zip(&ids) {
        let found = find(&connection, app, *id).unwrap().unwrap();
        assert_eq!(found.seq, row, "{id}");
        let (other, none) = (
            MessageId {
                occurrence: Some(99),
                ..*id
            },
            MessageId::one_shot(uuid::Uuid::max()),
        );
        assert_eq!(find(&connection, app, other).unwrap(), None);
        assert_eq!(find(&connection, app, none).unwrap(), None);
    }
    connection
        .execute("DELETE FROM log WHERE row < 4 OR row % 5 = 0", [])
        .unwrap();
    for (row, id) in (1..).zip(&ids) {
        let is_there = row >= 4 && row % 5 != 0;
        assert_eq!(find(&connection, app, *id).unwrap().is_some(), is_there, "{id}");
    }
}
