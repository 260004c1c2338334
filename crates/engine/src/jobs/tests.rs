use super::*;

const KEY: (AppKey, Job) = (AppKey(1), Job::Sync);
const MINUTE: Duration = Duration::from_secs(60);

fn turns(times: &[i64], interval: Option<Duration>) -> Vec<bool> {
    let mut due = HashMap::new();
    times
        .iter()
        .map(|at| is_due(&mut due, KEY, interval, UnixMillis(*at)))
        .collect()
}

#[test]
fn a_job_runs_once_an_interval_and_first_after_one() {
    let times = [0, 59_999, 60_000, 60_001, 120_000, 500_000];
    assert_eq!(
        turns(&times, Some(MINUTE)),
        [false, false, true, false, true, true]
    );
}

#[test]
fn a_job_that_is_switched_off_never_runs() {
    assert_eq!(turns(&[0, 600_000], None), [false, false]);
}

#[test]
fn a_clock_that_goes_back_puts_a_job_off_by_one_interval_at_most() {
    assert_eq!(turns(&[1_000_000, 0, 60_000], Some(MINUTE)), [false, false, true]);
}

#[test]
fn a_changed_interval_counts_from_the_change() {
    let mut due = HashMap::new();
    assert!(!is_due(&mut due, KEY, Some(MINUTE), UnixMillis(0)));
    assert!(!is_due(&mut due, KEY, Some(MINUTE * 2), UnixMillis(60_000)));
    assert!(is_due(&mut due, KEY, Some(MINUTE * 2), UnixMillis(180_000)));
}
