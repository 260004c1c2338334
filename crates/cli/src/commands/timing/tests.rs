use jiff::tz::TimeZone;

use super::*;

#[test]
fn a_time_is_rfc_3339_or_epoch_milliseconds_or_a_duration_from_now() {
    assert_eq!(time("2026-12-24T15:00:00+01:00"), Ok(Time::At(1_798_120_800_000)));
    assert_eq!(time("2026-12-24T14:00:00Z"), Ok(Time::At(1_798_120_800_000)));
    assert_eq!(time("1798120800000"), Ok(Time::At(1_798_120_800_000)));
    assert_eq!(time("+10m"), Ok(Time::In(Duration::from_secs(600))));
    assert_eq!(
        Time::In(Duration::from_secs(600)).millis(UnixMillis(1_000)),
        601_000
    );
    for text in [
        "",
        "+",
        "+10",
        "tomorrow",
        "2026-12-24",
        "2026-12-24T15:00:00",
        "-5",
    ] {
        assert!(time(text).is_err(), "{text}");
    }
}

#[test]
fn an_interval_is_whole_seconds() {
    assert_eq!(seconds("30s"), Ok(30));
    assert_eq!(seconds("2000ms"), Ok(2));
    assert_eq!(seconds("1d"), Ok(86_400));
    for text in ["0s", "1500ms", "30", "soon"] {
        assert!(seconds(text).is_err(), "{text}");
    }
}

#[test]
fn times_are_told_in_the_local_zone_with_its_offset() {
    let zone = || TimeZone::get("Europe/Stockholm").unwrap();
    assert_eq!(
        in_zone(1_798_120_800_000, zone()),
        "Thu 2026-12-24 15:00:00 +01:00"
    );
    assert_eq!(
        in_zone(1_782_115_200_000, zone()),
        "Mon 2026-06-22 10:00:00 +02:00"
    );
    assert_eq!(in_zone(i64::MAX, zone()), i64::MAX.to_string());
}
