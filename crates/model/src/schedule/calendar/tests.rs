use std::collections::BTreeSet;

use jiff::Zoned;
use proptest::prelude::*;

use super::*;

/// Zones whose clocks change at two, at one, at midnight, by half an hour, into the next day, by two
/// hours, or never.
const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Stockholm",
    "Europe/London",
    "America/New_York",
    "America/Santiago",
    "America/Nuuk",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
];

fn calendar(expression: &str, zone: &str) -> Calendar {
    Calendar::parse(expression, TimeZone::get(zone).unwrap()).unwrap()
}

fn at(text: &str) -> UnixMillis {
    UnixMillis(text.parse::<Zoned>().unwrap().timestamp().as_millisecond())
}

/// The first due times after `from`, as local time with offset.
fn next(calendar: &Calendar, from: &str, count: usize) -> Vec<String> {
    std::iter::successors(calendar.after(at(from)), |due| calendar.after(*due))
        .take(count)
        .map(|due| {
            let due = Timestamp::from_millisecond(due.0).unwrap();
            let due = due.to_zoned(calendar.timezone.clone());
            due.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        })
        .collect()
}

/// All due times in (`from`, `until`], found by walking through every minute.
fn walked(expression: &str, zone: &str, from: UnixMillis, until: UnixMillis) -> Vec<UnixMillis> {
    let cron: Cron = CronParser::builder().build().parse(expression).unwrap();
    let fields: Vec<&str> = expression.split(' ').collect();
    let fixed = !fields[..2].iter().any(|field| field.contains('*'));
    let zone = TimeZone::get(zone).unwrap();
    let local = |minute: i64| zone.to_datetime(Timestamp::from_second(minute * 60).unwrap());
    let first = from.0.div_euclid(60_000) + 1;
    let mut seen = BTreeSet::new();
    let mut due = Vec::new();
    // A day ahead, so that what was doubled or skipped before `from` is known.
    for minute in first - 1_440..=until.0.div_euclid(60_000) {
        let here = local(minute);
        let mut runs = cron.is_time_matching(&here).unwrap() && (!fixed || seen.insert(here));
        let mut skipped = local(minute - 1).checked_add(1.minute()).unwrap();
        while fixed && skipped < here {
            runs |= cron.is_time_matching(&skipped).unwrap();
            skipped = skipped.checked_add(1.minute()).unwrap();
        }
        if runs && minute >= first {
            due.push(UnixMillis(minute * 60_000));
        }
    }
    due
}

fn all_after(calendar: &Calendar, from: UnixMillis, until: UnixMillis) -> Vec<UnixMillis> {
    std::iter::successors(calendar.after(from), |due| calendar.after(*due))
        .take_while(|due| *due <= until)
        .collect()
}

#[test]
fn an_error_tells_the_field_what_was_expected_and_what_was_found() {
    let minutes = "minutes: expected 0 to 59, `*`, or lists, ranges and steps of them, found";
    let cases = [
        ("61 9 * * *", format!("{minutes} \"61\"")),
        ("0-5/0 9 * * *", format!("{minutes} \"0-5/0\"")),
        ("0 61 9 * * *", format!("{minutes} \"61\"")),
        (
            "60 0 9 * * *",
            "seconds: expected 0 to 59, `*`, or lists, ranges and steps of them, found \"60\"".into(),
        ),
        (
            "0 24 * * *",
            "hours: expected 0 to 23, `*`, or lists, ranges and steps of them, found \"24\"".into(),
        ),
        (
            "0 9 32 * *",
            "days of the month: expected 1 to 31 or L, `*`, or lists, ranges and steps of them, found \"32\"".into(),
        ),
        (
            "0 9 * JANUARY *",
            "months: expected 1 to 12 or JAN to DEC, `*`, or lists, ranges and steps of them, found \"JANUARY\"".into(),
        ),
        (
            "0 9 * * FOO",
            "weekdays: expected 0 to 7 or SUN to SAT, `*`, or lists, ranges and steps of them, found \"FOO\"".into(),
        ),
        ("0 9 * *", "expected 5 fields (or 6, seconds first), found 4".into()),
        (
            &"1,".repeat(200),
            "expected at most 255 bytes, found 400".into(),
        ),
    ];
    for (expression, expected) in cases {
        let error = Calendar::parse(expression, TimeZone::UTC).unwrap_err();
        assert_eq!(error, expected, "{expression}");
    }
}

#[test]
fn a_fixed_local_time_that_is_skipped_runs_at_the_next_valid_instant() {
    // Stockholm goes from 02:00 to 03:00 on 29 March 2026.
    let daily = calendar("30 2 * * *", "Europe/Stockholm");
    assert_eq!(
        next(&daily, "2026-03-28T00:00[Europe/Stockholm]", 3),
        [
            "2026-03-28T02:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-30T02:30:00+02:00"
        ]
    );
    // Lord Howe goes from 02:00 to 02:30 on 4 October 2026.
    let daily = calendar("15 2 * * *", "Australia/Lord_Howe");
    assert_eq!(
        next(&daily, "2026-10-03T12:00[Australia/Lord_Howe]", 2),
        ["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"]
    );
}

#[test]
fn several_fixed_times_in_one_gap_run_once_together() {
    let list = calendar("0,15,30 2,3 * * *", "Europe/Stockholm");
    assert_eq!(
        next(&list, "2026-03-29T00:00[Europe/Stockholm]", 4),
        [
            "2026-03-29T03:00:00+02:00",
            "2026-03-29T03:15:00+02:00",
            "2026-03-29T03:30:00+02:00",
            "2026-03-30T02:00:00+02:00"
        ]
    );
}

#[test]
fn a_gap_that_ends_on_the_next_day_does_not_lose_the_time_of_the_day_before() {
    // Nuuk goes from Saturday 23:00 to Sunday 00:00 on 28 March 2026.
    let saturdays = calendar("30 23 * * SAT", "America/Nuuk");
    assert_eq!(
        next(&saturdays, "2026-03-22T00:00[America/Nuuk]", 2),
        ["2026-03-29T00:00:00-01:00", "2026-04-04T23:30:00-01:00"]
    );
}

#[test]
fn a_doubled_fixed_local_time_runs_once_at_the_first() {
    // Stockholm goes from 03:00 back to 02:00 on 25 October 2026.
    let daily = calendar("30 2 * * *", "Europe/Stockholm");
    assert_eq!(
        next(&daily, "2026-10-24T12:00[Europe/Stockholm]", 2),
        ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    );
    // Begun between the two, it waits for the next day.
    assert_eq!(
        next(&daily, "2026-10-25T02:10:00+01:00[Europe/Stockholm]", 1),
        ["2026-10-26T02:30:00+01:00"]
    );
}

#[test]
fn wildcards_and_steps_go_on_through_changes_of_the_clock() {
    let half_hours = calendar("*/30 * * * *", "Europe/Stockholm");
    assert_eq!(
        next(&half_hours, "2026-03-29T01:00[Europe/Stockholm]", 3),
        [
            "2026-03-29T01:30:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-03-29T03:30:00+02:00"
        ]
    );
    assert_eq!(
        next(&half_hours, "2026-10-25T02:00:00+02:00[Europe/Stockholm]", 4),
        [
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T03:00:00+01:00"
        ]
    );
    let in_the_gap = calendar("*/20 2 * * *", "Europe/Stockholm");
    assert_eq!(
        next(&in_the_gap, "2026-03-28T02:30[Europe/Stockholm]", 2),
        ["2026-03-28T02:40:00+01:00", "2026-03-30T02:00:00+02:00"]
    );
}

#[test]
fn seconds_come_first_where_there_are_six_fields() {
    let twice = calendar("15,45 0 9 * * MON", "UTC");
    assert_eq!(
        next(&twice, "2026-03-01T12:00[UTC]", 3),
        [
            "2026-03-02T09:00:15+00:00",
            "2026-03-02T09:00:45+00:00",
            "2026-03-09T09:00:15+00:00"
        ]
    );
}

#[test]
fn days_may_be_named_by_weekday_number_end_of_month_or_nearest_working_day() {
    let from = "2026-03-01T12:00[UTC]";
    let dates = |expression: &str| {
        let mut dates = next(&calendar(expression, "UTC"), from, 2);
        for date in &mut dates {
            date.truncate(10);
        }
        dates
    };
    assert_eq!(dates("0 9 L * *"), ["2026-03-31", "2026-04-30"]);
    assert_eq!(dates("0 9 * * FRI#2"), ["2026-03-13", "2026-04-10"]);
    assert_eq!(dates("0 9 15W * *"), ["2026-03-16", "2026-04-15"]);
    assert_eq!(dates("0 9 29 2 *"), ["2028-02-29", "2032-02-29"]);
    // A day of the month or a weekday, as cron has always read the two.
    assert_eq!(dates("0 9 13 * FRI"), ["2026-03-06", "2026-03-13"]);
}

#[test]
fn what_never_comes_ends_the_search_soon() {
    for (expression, zone) in [
        ("0 0 30 2 *", "UTC"),
        ("* * * 31 4 *", "Europe/Stockholm"),
        ("*/5 0 30 2 *", "Africa/Casablanca"),
    ] {
        assert_eq!(
            calendar(expression, zone).after(UnixMillis(1_800_000_000_000)),
            None
        );
    }
}

#[test]
fn both_ends_of_the_range_are_answered_with_none() {
    for (expression, zone) in [
        ("* * * * * *", "UTC"),
        ("30 2 * * *", "Europe/Stockholm"),
        ("*/5 * * * *", "America/New_York"),
    ] {
        let calendar = calendar(expression, zone);
        for time in [i64::MIN, i64::MIN + 1_000, i64::MAX - 1_000, i64::MAX] {
            assert_eq!(
                calendar.after(UnixMillis(time)),
                None,
                "{expression} after {time}"
            );
            let none = calendar.count(UnixMillis(time), UnixMillis(i64::MAX), 9);
            assert_eq!(none, (0, None));
        }
        let end = UnixMillis(Timestamp::MAX.as_millisecond());
        let mut last = UnixMillis(end.0 - 2 * 86_400_000);
        while let Some(next) = calendar.after(last) {
            assert!(next > last && next <= end);
            last = UnixMillis(next.0.max(last.0 + 3_600_000));
        }
    }
}

#[test]
fn every_zone_runs_a_daily_job_once_a_day_for_years() {
    let from = at("2026-01-01T00:00[UTC]");
    let until = at("2028-01-01T00:00[UTC]");
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        let calendar = Calendar::parse("30 2 * * *", zone).unwrap();
        let due = all_after(&calendar, from, until);
        assert!((729..=731).contains(&due.len()), "{name}: {} times", due.len());
        for pair in due.windows(2) {
            let hours = (pair[1].0 - pair[0].0) / 3_600_000;
            assert!(
                (21..=27).contains(&hours),
                "{name}: {hours} hours after {}",
                pair[0]
            );
        }
        assert_eq!(
            calendar.count(from, until, u64::MAX),
            (due.len() as u64, due.last().copied())
        );
    }
}

#[test]
fn years_of_every_second_are_counted_at_once() {
    let calendar = calendar("* * * * * *", "UTC");
    let (from, until) = (at("2026-01-01T00:00[UTC]"), at("2126-01-01T00:00[UTC]"));
    let seconds = u64::try_from((until.0 - from.0) / 1_000).unwrap();
    assert_eq!(calendar.count(from, until, u64::MAX), (seconds, Some(until)));
    let hundred = UnixMillis(from.0 + 100_000);
    assert_eq!(calendar.count(from, until, 100), (100, Some(hundred)));
}

fn field(range: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = String> {
    let one = range.clone().prop_map(|value| value.to_string());
    prop_oneof![
        3 => one.clone(),
        1 => prop::collection::btree_set(range.clone(), 2..4)
            .prop_map(|values| values.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
        1 => (1u32..30).prop_map(|step| format!("*/{step}")),
        2 => Just("*".to_owned()),
    ]
}

/// Minutes and hours near changes of the clock, days that often match.
fn expression() -> impl Strategy<Value = String> {
    let days = prop_oneof![4 => Just("*"), 1 => Just("1-20"), 1 => Just("L")];
    let weekdays = prop_oneof![4 => Just("*"), 1 => Just("SAT"), 1 => Just("SUN"), 1 => Just("MON-FRI")];
    (
        field(0..=59),
        prop_oneof![field(0..=4), field(20..=23)],
        days,
        weekdays,
    )
        .prop_map(|(minute, hour, day, weekday)| format!("{minute} {hour} {day} * {weekday}"))
}

/// A zone and a time up to two days before a change of its clock, if it has one.
fn near_a_change() -> impl Strategy<Value = (&'static str, UnixMillis)> {
    let times = at("2024-01-01T00:00[UTC]").0..at("2090-01-01T00:00[UTC]").0;
    (prop::sample::select(ZONES.to_vec()), times, 0i64..172_800_000).prop_map(|(zone, time, before)| {
        let around = Timestamp::from_millisecond(time).unwrap();
        let zoned = TimeZone::get(zone).unwrap();
        let change = zoned.following(around).next().map(|change| change.timestamp());
        let change = change.map_or(time, Timestamp::as_millisecond);
        (zone, UnixMillis(change - before))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn due_times_are_those_that_a_walk_through_every_minute_finds(
        expression in expression(), (zone, from) in near_a_change(), hours in 1i64..80,
    ) {
        let until = UnixMillis(from.0 + hours * 3_600_000);
        let calendar = calendar(&expression, zone);
        let found = all_after(&calendar, from, until);
        let expected = walked(&expression, zone, from, until);
        prop_assert_eq!(&found, &expected, "{} in {}", expression, zone);
        let counted = calendar.count(from, until, u64::MAX);
        prop_assert_eq!(counted, (found.len() as u64, found.last().copied()));
    }

    #[test]
    fn counting_agrees_with_stepping(
        expression in expression(), (zone, from) in near_a_change(), days in 1i64..40, limit in 0usize..2_000,
    ) {
        let until = UnixMillis(from.0 + days * 86_400_000);
        let calendar = calendar(&expression, zone);
        let mut stepped = all_after(&calendar, from, until);
        stepped.truncate(limit);
        let counted = calendar.count(from, until, limit as u64);
        prop_assert_eq!(counted, (stepped.len() as u64, stepped.last().copied()));
    }

    #[test]
    fn no_expression_makes_parsing_or_searching_panic(
        expression in "[0-9*/,A-Z#LW?+ -]{0,30}", time: i64,
    ) {
        if let Ok(calendar) = Calendar::parse(&expression, TimeZone::get("Europe/Stockholm").unwrap()) {
            for time in [time, time % 200_000_000_000_000] {
                if let Some(next) = calendar.after(UnixMillis(time)) {
                    prop_assert!(next.0 > time);
                }
            }
        }
    }
}
