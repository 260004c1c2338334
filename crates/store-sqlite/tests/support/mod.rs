use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::ids::IdSource;
use model::time::Clock;
use postbell_store_sqlite::{Durability, Role, SqliteOptions, SqliteStore};
use store::SharedStore;
use store::commits::{Commit, CommitSink};
use tempfile::TempDir;

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
    let ids = Arc::new(NumberedIds(AtomicU64::new(1)));
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

/// Numbers spread over all bits (SplitMix64).
struct NumberedIds(AtomicU64);

impl IdSource for NumberedIds {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            let mut bits = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
            part.copy_from_slice(&bits.to_le_bytes()[..part.len()]);
        }
    }
}

/// Hears of commits and tells nobody.
struct Nobody;

impl CommitSink for Nobody {
    fn committed(&self, _commits: Vec<Commit>) {}
}
