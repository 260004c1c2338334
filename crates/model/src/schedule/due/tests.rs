use proptest::prelude::*;

use super::*;
use crate::schedule::{Planned, TimingFields};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn due(n: u64, at: i64) -> Due {
    Due {
        n,
        at: UnixMillis(at),
    }
}

fn planned(fields: TimingFields) -> Planned {
    Planned::new(&fields, NOW).unwrap().unwrap()
}

fn every(seconds: i64) -> Planned {
    planned(TimingFields {
        repeat_every: Some(seconds),
        ..TimingFields::default()
    })
}

#[test]
fn an_interval_alone_starts_now_and_has_no_end() {
    let Planned { timing, first } = every(30);
    assert_eq!(first, due(1, NOW.0));
    let ten: Vec<Due> = timing.upcoming(first).take(10).collect();
    assert_eq!(ten[1], due(2, NOW.0 + 30_000));
    assert_eq!(ten[9], due(10, NOW.0 + 270_000));
    assert!(timing.after(due(1_000_000_000, NOW.0)).is_some());
}

#[test]
fn a_one_shot_is_due_once_and_fires_however_late() {
    let Planned { timing, first } = planned(TimingFields {
        publish_at: Some(NOW.0 + 5_000),
        ..TimingFields::default()
    });
    assert_eq!(first, due(1, NOW.0 + 5_000));
    assert_eq!(timing.after(first), None);
    assert_eq!(timing.catch_up(first, UnixMillis(NOW.0 + 4_999)), None);
    for now in [5_000, 5_001, 900_000_000] {
        let fire = timing.catch_up(first, UnixMillis(NOW.0 + now)).unwrap();
        assert_eq!((fire.due, fire.skipped, fire.next), (first, 0, None));
    }
}

#[test]
fn the_latest_missed_one_fires_and_the_others_are_skipped() {
    let Planned { timing, first } = every(60);
    let fire = timing.catch_up(first, UnixMillis(NOW.0 + 59_999)).unwrap();
    assert_eq!(
        (fire.due, fire.skipped, fire.next),
        (first, 0, Some(due(2, NOW.0 + 60_000)))
    );
    let fire = timing.catch_up(first, UnixMillis(NOW.0 + 60_000)).unwrap();
    assert_eq!(
        (fire.due, fire.skipped, fire.next),
        (due(2, NOW.0 + 60_000), 1, Some(due(3, NOW.0 + 120_000)))
    );
    let fire = timing
        .catch_up(due(3, NOW.0 + 120_000), UnixMillis(NOW.0 + 3_600_001))
        .unwrap();
    assert_eq!(
        (fire.due, fire.skipped, fire.next),
        (due(61, NOW.0 + 3_600_000), 58, Some(due(62, NOW.0 + 3_660_000)))
    );
}

#[test]
fn a_calendar_catches_up_by_the_same_rule() {
    // 2027-01-15T08:00:00Z is a Friday.
    let Planned { timing, first } = planned(TimingFields {
        repeat_cron: Some("0 9 * * MON-FRI".into()),
        ..TimingFields::default()
    });
    let day = 86_400_000;
    let friday = NOW.0 + 3_600_000;
    assert_eq!(first, due(1, friday));
    let fire = timing.catch_up(first, UnixMillis(friday + 10 * day)).unwrap();
    // Friday, Monday to Friday; Monday after next weekend has come too by then.
    assert_eq!(fire.due, due(7, friday + 10 * day));
    assert_eq!(fire.skipped, 6);
    assert_eq!(fire.next, Some(due(8, friday + 11 * day)));
}

#[test]
fn the_first_of_a_calendar_is_the_first_from_publish_at_on() {
    let at = |publish_at| {
        planned(TimingFields {
            publish_at: Some(publish_at),
            repeat_cron: Some("0 9 * * *".into()),
            ..TimingFields::default()
        })
        .first
    };
    let nine = NOW.0 + 3_600_000;
    assert_eq!(at(nine), due(1, nine));
    assert_eq!(at(nine + 1), due(1, nine + 86_400_000));
    assert_eq!(at(nine - 1), due(1, nine));
}

#[test]
fn an_expiry_and_a_number_of_times_end_a_repetition() {
    let fields = TimingFields {
        repeat_every: Some(10),
        repeat_expires_at: Some(NOW.0 + 30_000),
        ..TimingFields::default()
    };
    let Planned { timing, first } = planned(fields.clone());
    let all: Vec<u64> = timing.upcoming(first).map(|due| due.n).collect();
    // The one at the very expiry is not after it.
    assert_eq!(all, [1, 2, 3, 4]);
    let fire = timing.catch_up(first, UnixMillis(NOW.0 + 10_000_000)).unwrap();
    assert_eq!(
        (fire.due, fire.skipped, fire.next),
        (due(4, NOW.0 + 30_000), 3, None)
    );

    let Planned { timing, first } = planned(TimingFields {
        repeat_times: Some(3),
        ..fields
    });
    assert_eq!(timing.upcoming(first).count(), 3);
    let fire = timing.catch_up(first, UnixMillis(NOW.0 + 10_000_000)).unwrap();
    assert_eq!(
        (fire.due, fire.skipped, fire.next),
        (due(3, NOW.0 + 20_000), 2, None)
    );
}

#[test]
fn a_walk_through_skipped_ones_can_begin_in_the_middle() {
    let Planned { timing, first } = planned(TimingFields {
        repeat_cron: Some("*/5 * * * *".into()),
        repeat_times: Some(1_000),
        ..TimingFields::default()
    });
    assert_eq!(timing.skip(first, 0), first);
    assert_eq!(timing.skip(first, 500), due(501, first.at.0 + 500 * 300_000));
    assert_eq!(
        timing.skip(first, u64::MAX),
        due(1_000, first.at.0 + 999 * 300_000)
    );
}

proptest! {
    #[test]
    fn the_cadence_never_drifts(seconds in 1i64..10_000_000, n in 1u64..1_000, late in prop::collection::vec(0i64..50_000_000_000, 1..20)) {
        let Planned { timing, first } = every(seconds);
        // However late it is picked up, the n-th due time is first + (n - 1) intervals.
        let (mut next, mut now) = (first, NOW.0);
        let mut fired = 0;
        for late in late {
            now += late;
            let Some(fire) = timing.catch_up(next, UnixMillis(now)) else { continue };
            fired += 1 + fire.skipped;
            prop_assert_eq!(fire.due.n, fired);
            prop_assert_eq!(fire.due.at.0, NOW.0 + (i64::try_from(fired).unwrap() - 1) * seconds * 1_000);
            prop_assert!(fire.due.at.0 <= now && now < fire.due.at.0 + seconds * 1_000);
            next = fire.next.unwrap();
            prop_assert_eq!(next.n, fired + 1);
        }
        let nth = timing.skip(first, n - 1);
        prop_assert_eq!(nth.at.0, NOW.0 + (i64::try_from(n).unwrap() - 1) * seconds * 1_000);
    }

    #[test]
    fn catching_up_is_stepping_until_the_present(
        cron: bool, seconds in 1i64..4_000, times in prop::option::of(1i64..400), lasts in prop::option::of(1i64..900_000_000),
        passed in 0i64..900_000_000,
    ) {
        let fields = TimingFields {
            repeat_every: (!cron).then_some(seconds * 60),
            repeat_cron: cron.then(|| format!("*/{} * * * *", seconds % 59 + 1)),
            timezone: cron.then(|| "America/New_York".into()),
            repeat_times: times,
            ..TimingFields::default()
        };
        let first = planned(fields.clone()).first;
        let Planned { timing, .. } = planned(TimingFields {
            repeat_expires_at: lasts.map(|lasts| first.at.0 + lasts),
            ..fields
        });
        let now = UnixMillis(first.at.0 + passed);
        let fire = timing.catch_up(first, now).unwrap();
        let stepped: Vec<Due> = timing.upcoming(first).take_while(|due| due.at <= now).collect();
        prop_assert_eq!(fire.due, *stepped.last().unwrap());
        prop_assert_eq!(fire.skipped, stepped.len() as u64 - 1);
        prop_assert_eq!(fire.next, timing.after(fire.due));
    }

    #[test]
    fn arithmetic_saturates_at_the_ends_of_the_range(
        seconds in prop_oneof![Just(u64::MAX), any::<u64>(), 1u64..100], n in prop_oneof![Just(u64::MAX), any::<u64>()],
        at in prop_oneof![Just(i64::MAX), Just(i64::MIN), any::<i64>()], now in prop_oneof![Just(i64::MAX), any::<i64>()],
        times in prop::option::of(any::<u64>()), expires in prop::option::of(any::<i64>()), cron: bool,
    ) {
        let repetition = match cron {
            false => Repetition::Every(seconds),
            true => {
                let fields = TimingFields { repeat_cron: Some("* * * * *".into()), ..TimingFields::default() };
                Timing::restore(&fields).unwrap().repetition.unwrap()
            }
        };
        // A calendar of minutes over all of time is counted by days: a year is enough.
        let now = if cron { at.saturating_add(now.rem_euclid(31_536_000_000)) } else { now };
        let timing = Timing { repetition: Some(repetition), expires_at: expires.map(UnixMillis), times };
        let next = Due { n, at: UnixMillis(at) };
        if let Some(after) = timing.after(next) {
            prop_assert!(after > next && after.at > next.at);
        }
        match timing.catch_up(next, UnixMillis(now)) {
            None => prop_assert!(at > now),
            Some(fire) => {
                prop_assert!(fire.due.at.0 <= now && fire.due >= next);
                prop_assert_eq!(fire.due.n - n, fire.skipped);
                // Nothing that is due is left behind.
                prop_assert!(fire.next.is_none_or(|next| next.at.0 > now));
            }
        }
    }
}
