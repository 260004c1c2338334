use std::sync::atomic::{AtomicU64, Ordering};

use model::ids::IdSource;
use store::commits::{Commit, CommitSink};

/// Numbers spread over all bits (SplitMix64).
#[derive(Default)]
pub struct NumberedIds(AtomicU64);

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
pub struct Nobody;

impl CommitSink for Nobody {
    fn committed(&self, _commits: Vec<Commit>) {}
}
