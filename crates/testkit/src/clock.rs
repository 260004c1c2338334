use model::time::UnixMillis;
use model::time::manual::ManualClock;

/// 2026-03-01T12:00:00Z, when every test begins.
pub const START: UnixMillis = UnixMillis(1_772_366_400_000);

/// A clock that stands at [`START`] until it is moved.
pub fn manual() -> ManualClock {
    ManualClock::new(START)
}
