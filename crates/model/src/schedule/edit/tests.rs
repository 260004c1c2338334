use super::*;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn every(seconds: i64) -> TimingFields {
    TimingFields {
        repeat_every: Some(seconds),
        ..TimingFields::default()
    }
}

fn rebased(edit: &TimingEdit, fields: &TimingFields, n: u64) -> Edited {
    edit.rebase(fields, n, NOW).unwrap().unwrap()
}

fn next(edit: &TimingEdit, fields: &TimingFields, n: u64) -> Option<(u64, i64)> {
    rebased(edit, fields, n).next.map(|due| (due.n, due.at.0 - NOW.0))
}

#[test]
fn what_changes_no_timing_leaves_the_due_times_alone() {
    assert_eq!(TimingEdit::default().rebase(&every(30), 4, NOW), Ok(None));
    let same = TimingEdit {
        repeat_every: Some(Some(30)),
        repeat_cron: Some(None),
        repeat_expires_at: Some(Some(0)),
        ..TimingEdit::default()
    };
    assert_eq!(same.rebase(&every(30), 4, NOW), Ok(None));
}

#[test]
fn a_running_repetition_goes_on_one_new_interval_from_now_and_keeps_counting() {
    let slower = TimingEdit {
        repeat_every: Some(Some(90)),
        ..TimingEdit::default()
    };
    assert_eq!(next(&slower, &every(30), 4), Some((4, 90_000)));
    assert_eq!(rebased(&slower, &every(30), 4).fields, every(90));
    // One that has not begun begins now.
    assert_eq!(next(&slower, &every(30), 1), Some((1, 0)));
}

#[test]
fn a_start_that_lies_ahead_stays_and_a_new_one_holds() {
    let started_later = TimingFields {
        publish_at: Some(NOW.0 + 5_000),
        ..every(30)
    };
    let slower = TimingEdit {
        repeat_every: Some(Some(90)),
        ..TimingEdit::default()
    };
    assert_eq!(next(&slower, &started_later, 1), Some((1, 5_000)));
    let started_long_ago = TimingFields {
        publish_at: Some(NOW.0 - 900_000_000),
        ..every(30)
    };
    assert_eq!(next(&slower, &started_long_ago, 8), Some((8, 90_000)));
    let moved = |at| TimingEdit {
        publish_at: Some(Some(at)),
        ..TimingEdit::default()
    };
    assert_eq!(
        next(&moved(NOW.0 + 7_000), &started_long_ago, 8),
        Some((8, 7_000))
    );
    assert_eq!(next(&moved(NOW.0 - 60_000), &started_long_ago, 8), Some((8, 0)));
    assert!(matches!(
        moved(NOW.0 - 60_001).rebase(&started_long_ago, 8, NOW),
        Err(TimingError::PublishAt(_))
    ));
}

#[test]
fn a_one_shot_without_its_time_is_due_now() {
    let one_shot = TimingFields {
        publish_at: Some(NOW.0 + 5_000),
        ..TimingFields::default()
    };
    let now = TimingEdit {
        publish_at: Some(None),
        ..TimingEdit::default()
    };
    assert_eq!(next(&now, &one_shot, 1), Some((1, 0)));
}

#[test]
fn one_kind_of_repetition_takes_the_place_of_the_other() {
    let calendar = TimingEdit {
        repeat_every: Some(None),
        repeat_cron: Some(Some("0 8 * * *".into())),
        ..TimingEdit::default()
    };
    // NOW is 08:00:00.000 in UTC: what may have been published at this moment comes tomorrow again.
    assert_eq!(next(&calendar, &every(30), 4), Some((4, 86_400_000)));
    assert_eq!(next(&calendar, &every(30), 1), Some((1, 0)));
    let both = TimingEdit {
        repeat_cron: Some(Some("0 8 * * *".into())),
        ..TimingEdit::default()
    };
    assert!(matches!(
        both.rebase(&every(30), 4, NOW),
        Err(TimingError::Repetition {
            field: "repeatCron",
            ..
        })
    ));
}

#[test]
fn new_limits_may_end_a_schedule_but_not_lie_in_the_past() {
    let times = |times| TimingEdit {
        repeat_times: Some(Some(times)),
        ..TimingEdit::default()
    };
    assert_eq!(next(&times(4), &every(30), 4), Some((4, 30_000)));
    assert_eq!(next(&times(3), &every(30), 4), None);
    let until = |at| TimingEdit {
        repeat_expires_at: Some(Some(at)),
        ..TimingEdit::default()
    };
    assert_eq!(next(&until(NOW.0 + 30_000), &every(30), 4), Some((4, 30_000)));
    assert_eq!(next(&until(NOW.0 + 29_999), &every(30), 4), None);
    assert!(matches!(
        until(NOW.0).rebase(&every(30), 4, NOW),
        Err(TimingError::RepeatExpiresAt(_))
    ));
}
