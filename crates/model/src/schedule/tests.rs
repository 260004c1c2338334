use proptest::prelude::*;

use super::*;

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn check(fields: TimingFields) -> Result<Option<Planned>, TimingError> {
    Planned::new(&fields, NOW)
}

#[test]
fn no_fields_and_zeroes_mean_now() {
    assert_eq!(check(TimingFields::default()), Ok(None));
    let zeroes = TimingFields {
        publish_at: Some(0),
        repeat_every: Some(0),
        repeat_expires_at: Some(0),
        ..TimingFields::default()
    };
    assert_eq!(check(zeroes), Ok(None));
}

#[test]
fn publish_at_is_now_up_to_a_minute_ago_and_refused_before() {
    let at = |ms: i64| {
        check(TimingFields {
            publish_at: Some(ms),
            ..TimingFields::default()
        })
    };
    assert_eq!(at(NOW.0 - 60_000), Ok(None));
    assert!(matches!(at(NOW.0 - 60_001), Err(TimingError::PublishAt(_))));
    assert!(matches!(at(-1), Err(TimingError::PublishAt(_))));
    assert!(matches!(
        at(NOW.0 + MAX_AHEAD_MS + 1),
        Err(TimingError::PublishAt(_))
    ));
    assert_eq!(
        at(NOW.0 + 1).unwrap().unwrap().first,
        Due {
            n: 1,
            at: UnixMillis(NOW.0 + 1)
        }
    );
}

#[test]
fn repeat_expires_at_must_lie_after_the_first_occurrence_of_a_repetition() {
    let until = |every, expires| {
        check(TimingFields {
            publish_at: Some(NOW.0 + 1_000),
            repeat_every: every,
            repeat_expires_at: Some(expires),
            ..TimingFields::default()
        })
    };
    assert!(until(Some(1), NOW.0 + 1_001).is_ok());
    assert!(matches!(
        until(Some(1), NOW.0 + 1_000),
        Err(TimingError::RepeatExpiresAt(_))
    ));
    assert!(matches!(
        until(None, NOW.0 + 2_000),
        Err(TimingError::RepeatExpiresAt(_))
    ));
    assert!(matches!(until(Some(1), -5), Err(TimingError::RepeatExpiresAt(_))));
}

#[test]
fn repetitions_are_of_one_kind_and_well_formed() {
    let wrong_field = |fields| match check(fields) {
        Err(TimingError::Repetition { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let cron = |text: &str| TimingFields {
        repeat_cron: Some(text.into()),
        ..TimingFields::default()
    };
    assert_eq!(
        wrong_field(TimingFields {
            repeat_every: Some(-1),
            ..TimingFields::default()
        }),
        "repeatEvery"
    );
    assert_eq!(
        wrong_field(TimingFields {
            repeat_every: Some(1),
            ..cron("0 9 * * MON")
        }),
        "repeatCron"
    );
    assert_eq!(wrong_field(cron("0 9 * *")), "repeatCron");
    assert_eq!(wrong_field(cron("0 9 * * NOPE")), "repeatCron");
    assert_eq!(
        wrong_field(TimingFields {
            timezone: Some("Mars/Base".into()),
            ..cron("0 9 * * *")
        }),
        "timezone"
    );
    assert_eq!(
        wrong_field(TimingFields {
            timezone: Some("UTC".into()),
            ..TimingFields::default()
        }),
        "timezone"
    );
    assert_eq!(
        wrong_field(TimingFields {
            repeat_times: Some(3),
            ..TimingFields::default()
        }),
        "repeatTimes"
    );
    assert_eq!(
        wrong_field(TimingFields {
            repeat_times: Some(0),
            ..cron("0 9 * * *")
        }),
        "repeatTimes"
    );
    assert!(
        check(TimingFields {
            timezone: Some("Europe/Stockholm".into()),
            ..cron("0 9 * * MON-FRI")
        })
        .is_ok()
    );
    assert!(check(cron("30 0 9 * JAN *")).is_ok());
}

proptest! {
    #[test]
    fn no_field_makes_the_check_panic(
        publish_at: Option<i64>, repeat_every: Option<i64>, repeat_expires_at: Option<i64>,
        repeat_times: Option<i64>, cron in prop::option::of("[0-9*/,A-Z#L? -]{0,30}"),
        timezone in prop::option::of("\\PC{0,20}"), now in 0i64..4_000_000_000_000,
    ) {
        let fields = TimingFields {
            publish_at, repeat_every, repeat_expires_at, repeat_times, timezone, repeat_cron: cron,
        };
        let _ = Planned::new(&fields, UnixMillis(now));
    }
}
