use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::time::Clock;
use postbell_store_sqlite::{Durability, Role, SqliteOptions, SqliteStore};
use store::SharedStore;
use tempfile::TempDir;

use self::fakes::{Nobody, NumberedIds};

/// Ids and a commit sink.
mod fakes;

/// A fresh store in a temporary folder, which goes with the second value.
pub async fn make_store() -> (SharedStore, TempDir) {
    make_store_with_clock(Arc::new(TickingClock(AtomicI64::new(1_780_272_000_000)))).await
}

/// The same with a clock of the caller.
pub async fn make_store_with_clock(clock: Arc<dyn Clock>) -> (SharedStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        durability: Durability::Off,
        ..SqliteOptions::new(folder.path().join("postbell.db"), Role::Server)
    };
    let ids = Arc::new(NumberedIds::default());
    let store = SqliteStore::open(&options, clock, ids, Arc::new(Nobody)).unwrap();
    (Arc::new(store), folder)
}

/// Starts at 2026-06-01T00:00:00Z; every look at it takes a millisecond.
struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}
