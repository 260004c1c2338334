use std::sync::Arc;
use std::time::Duration;

use model::limits::OCCURRENCES_KEPT;
use model::time::Clock as _;
use rusqlite::Connection;
use store::Store as _;
use store::contract::clock::ManualClock;
use store::messages::Messages as _;
use store::schedules::{NewSchedule, ScheduleState, Scheduled, Schedules as _};

use crate::SqliteStore;
use crate::fixtures::schedules::{every, fire, make};
use crate::fixtures::{Told, new_app, open, open_with_clock, options};

#[tokio::test]
async fn a_row_that_cannot_be_read_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    let broken = make(&store, every(app, "a", 60)).await;
    let whole = make(&store, every(app, "a", 60)).await;
    let other = Connection::open(&options.path).unwrap();
    let sql = "UPDATE schedules SET roles = '{' WHERE id = ?1";
    assert_eq!(other.execute(sql, [broken.as_bytes().as_slice()]).unwrap(), 1);
    let fired = fire(&store).await.unwrap();
    assert_eq!((fired.picked, fired.published), (2, 1));
    assert_eq!(fire(&store).await.unwrap().picked, 0);
    other.execute("UPDATE schedules SET roles = NULL", []).unwrap();
    let broken = store.find_schedule(app, broken).await.unwrap().unwrap();
    assert!(matches!(broken.state, ScheduleState::Failed { .. }), "{broken:?}");
    let whole = store.find_schedule(app, whole).await.unwrap().unwrap();
    assert_eq!(whole.occurrences, 1);
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_rows_of_a_deleted_channel_fail_in_slices_and_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    for _ in 0..500 {
        make(&store, every(app, "a", 60)).await;
    }
    let kept = make(&store, every(app, "b", 60)).await;
    let name = "a".parse().unwrap();
    assert!(store.delete_channel(app, &name).await.unwrap());
    let capped = || NewSchedule {
        max_waiting: 2,
        ..every(app, "b", 60)
    };
    let room = async {
        while !matches!(store.schedule(capped()).await.unwrap(), Scheduled::New { .. }) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), room).await.unwrap();
    assert_eq!(
        store.schedule(capped()).await.unwrap(),
        Scheduled::TooManySchedules
    );
    let failed = rows(&options.path, "schedules WHERE state = 3 AND next_at IS NULL");
    assert_eq!(failed, 500);
    assert!(store.find_schedule(app, kept).await.unwrap().is_some());
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_deleted_app_leaves_no_schedule_behind() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let store = open(&options, Arc::new(Told::default()));
    let app = new_app(&store).await;
    for _ in 0..200 {
        make(&store, every(app, "a", 60)).await;
    }
    fire(&store).await.unwrap();
    let id = "shop".parse().unwrap();
    assert!(store::apps::Apps::delete_app(&*store, &id).await.unwrap());
    let gone = async {
        for table in ["schedules", "schedule_contents", "occurrences", "schedule_counts"] {
            while rows(&options.path, table) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    store.close().await.unwrap();
}

#[tokio::test]
async fn of_a_long_repetition_the_last_due_times_are_kept_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let options = options(folder.path());
    let store: Arc<SqliteStore> = open_with_clock(&options, Arc::new(Told::default()), Arc::clone(&clock));
    let app = new_app(&store).await;
    let id = make(&store, every(app, "a", 1)).await;
    let start = clock.now();
    // The due times 1 to 30 one by one, then a long pause, then some more.
    let seconds = (0..30).chain(OCCURRENCES_KEPT + 30..OCCURRENCES_KEPT + 40);
    for second in seconds {
        clock.set(start + Duration::from_secs(second));
        fire(&store).await.unwrap();
    }
    // The run of skipped ones is one row.
    assert_eq!(rows(&options.path, "occurrences"), 1 + 10);
    let schedule = store.find_schedule(app, id).await.unwrap().unwrap();
    assert_eq!((schedule.occurrences, schedule.skipped), (40, OCCURRENCES_KEPT));
    let kept = store.occurrences(app, id, 0, 20_000).await.unwrap();
    let numbers: Vec<u64> = kept.iter().map(|occurrence| occurrence.due.n).collect();
    assert_eq!(numbers, (31..=OCCURRENCES_KEPT + 40).collect::<Vec<_>>());
    let published = kept.iter().filter(|occurrence| occurrence.published.is_some());
    assert_eq!(published.count(), 10);
    store.close().await.unwrap();
}

fn rows(path: &std::path::Path, table: &str) -> u64 {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    let count: i64 = connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap();
    count.unsigned_abs()
}
