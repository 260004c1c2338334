use std::time::Duration;

use super::*;

async fn is_woken(alarm: &Alarm) -> bool {
    let woken = tokio::time::timeout(Duration::from_millis(20), alarm.earlier.notified());
    woken.await.is_ok()
}

#[tokio::test]
async fn only_what_is_due_before_the_next_look_wakes_the_job() {
    let alarm = Alarm::default();
    alarm.looks_at.store(1_000, Ordering::SeqCst);
    alarm.due(UnixMillis(1_000));
    assert!(!is_woken(&alarm).await);
    alarm.due(UnixMillis(999));
    assert!(is_woken(&alarm).await);
}

#[tokio::test]
async fn what_is_made_while_the_job_is_at_work_wakes_it_afterwards() {
    let alarm = Alarm::default();
    alarm.due(UnixMillis(i64::MAX - 1));
    assert!(is_woken(&alarm).await);
    assert!(!is_woken(&alarm).await);
}
