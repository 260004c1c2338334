use proptest::prelude::*;

use super::*;

#[test]
fn a_date_time_is_a_point_in_time_whatever_its_offset() {
    let read = |text| UnixMillis::parse(text).unwrap();
    assert_eq!(read("2014-11-06T13:34:59+01:00"), UnixMillis(1_415_277_299_000));
    assert_eq!(read("2014-11-06T12:34:59Z"), UnixMillis(1_415_277_299_000));
    assert_eq!(read("2014-11-06t12:34:59z"), UnixMillis(1_415_277_299_000));
    assert_eq!(read("1969-12-31T23:59:59.9999Z"), UnixMillis(-1));
    assert_eq!(read("2014-11-06T12:34:59.5Z"), UnixMillis(1_415_277_299_500));
    assert_eq!(
        read("2014-11-06T12:34:59.123456789012345678901234567890Z"),
        UnixMillis(1_415_277_299_123)
    );
    assert_eq!(read("1970-01-02T00:00:00+23:59"), UnixMillis(60_000));
    assert_eq!(read("9999-12-31T23:59:59Z"), UnixMillis(253_402_300_799_000));
    assert_eq!(read("9999-12-31T23:59:59-23:59"), UnixMillis(253_402_387_139_000));
    assert_eq!(read("0000-01-01T00:00:00Z"), UnixMillis(-62_167_219_200_000));
}

#[test]
fn what_is_no_rfc_3339_date_time_is_refused() {
    for text in [
        "",
        "2014",
        "2014-11-06",
        "2014-11-06T13:34:59",
        "2014-13-06T13:34:59Z",
        "2014-11-06T25:34:59Z",
        "2014-11-06T13:34+01:00",
        "2014-11-06T13:34:59+0100",
        "20141106T133459Z",
        "2014-11-06T13:34:59Z[Europe/Stockholm]",
        "2014-11-06T13:34:59+24:00",
        "2014-11-06T13:34:59-25:00",
        "2014-11-06T13:34:59+01:60",
        "2014-11-06T13:34:59++1:00",
        "2014-11-06T13:34:59+01:00:00",
        "2014-11-06T13:34:59,5Z",
        "2014-11-06T13:34:59.Z",
        "2014-11-06T13:34:59.5",
        "2014-11-06T13:34:5\u{e5}Z",
        "2015-02-29T13:34:59Z",
    ] {
        assert!(UnixMillis::parse(text).is_err(), "{text}");
    }
}

#[test]
fn durations_are_read_with_their_unit() {
    assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
    assert_eq!(parse_duration("7d"), Ok(Duration::from_secs(604_800)));
    for text in ["", "10", "m", "-1s", "1.5h", "10 m"] {
        let expected = DurationError::Malformed(text.to_owned());
        assert_eq!(parse_duration(text), Err(expected));
    }
}

#[test]
fn a_duration_that_is_too_long_is_told_the_limit() {
    assert!(parse_duration("36525d").is_ok());
    for text in ["36526d", "99999999d", "99999999999999999999s"] {
        assert_eq!(
            parse_duration(text).unwrap_err().to_string(),
            format!("expected a duration of at most 36525d (100 years), found {text:?}")
        );
    }
    assert_eq!(
        "0s".parse::<Timer>().unwrap_err().to_string(),
        "expected a duration of more than 0, found \"0s\""
    );
}

proptest! {
    #[test]
    fn a_written_duration_reads_back(millis in 0u64..3_155_760_000_000) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
    }

    #[test]
    fn a_written_date_time_reads_back(millis in -62_167_219_200_000i64..253_402_207_200_000) {
        let text = jiff::Timestamp::from_millisecond(millis).unwrap().to_string();
        prop_assert_eq!(UnixMillis::parse(&text), Ok(UnixMillis(millis)));
    }

    #[test]
    fn no_text_makes_the_date_time_reader_panic(text in "\\PC{0,45}") {
        let _ = UnixMillis::parse(&text);
    }
}

#[test]
fn a_manual_clock_stands_until_it_is_moved_and_stays_in_its_range() {
    use crate::time::manual::{LAST, ManualClock};

    let clock = ManualClock::new(UnixMillis(1_000));
    assert_eq!(clock.now(), UnixMillis(1_000));
    clock.advance(Duration::from_millis(250));
    assert_eq!(clock.now(), UnixMillis(1_250));
    clock.set(UnixMillis(500));
    assert_eq!(clock.now(), UnixMillis(500));
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), LAST);
    assert_eq!(clock.timestamp().strftime("%F").to_string(), "9998-12-31");
    clock.set(UnixMillis(i64::MIN));
    assert_eq!(clock.now(), UnixMillis(0));
}
