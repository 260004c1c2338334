use super::*;

const START: UnixMillis = UnixMillis(1_800_000_000_000);

#[test]
fn a_stored_clock_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manual-clock");
    let clock = StoredClock::open(&path, START).unwrap();
    assert_eq!(clock.now(), START);
    let later = UnixMillis(START.0 + 3_600_000);
    clock.move_to(later).unwrap();
    assert_eq!(clock.now(), later);
    drop(clock);
    let again = StoredClock::open(&path, UnixMillis(START.0 + 1)).unwrap();
    assert_eq!(again.now(), later, "neither the start nor an earlier time");
}

#[test]
fn a_clock_that_was_never_moved_stands_where_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manual-clock");
    drop(StoredClock::open(&path, START).unwrap());
    let again = StoredClock::open(&path, UnixMillis(START.0 + 86_400_000)).unwrap();
    assert_eq!(again.now(), START);
}

#[test]
fn a_file_that_holds_something_else_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manual-clock");
    std::fs::write(&path, "yesterday").unwrap();
    let refused = StoredClock::open(&path, START).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "yesterday");
}

#[test]
fn jumps_stop_first_where_something_is_due() {
    let at = |ms: i64| UnixMillis(START.0 + ms);
    let stop = |now, step, next: Option<i64>| stop_after(at(now), at(10_000), step, next.map(at)).0 - START.0;
    assert_eq!(stop(0, 1_000, None), 10_000, "nothing is due at all");
    assert_eq!(stop(0, 1_000, Some(2_500)), 3_000, "the jump that reaches it");
    assert_eq!(stop(0, 1_000, Some(3_000)), 3_000);
    assert_eq!(stop(0, 1_000, Some(3_001)), 4_000);
    assert_eq!(
        stop(4_000, 1_000, Some(4_000)),
        5_000,
        "one that is stuck stops nobody"
    );
    assert_eq!(stop(0, 3_000, Some(9_500)), 10_000, "the last jump is shorter");
    assert_eq!(stop(0, 10_000, Some(1)), 10_000, "one jump passes everything");
    assert_eq!(stop(0, 1_000, Some(99_999)), 10_000);
}
