use std::time::Duration;

use tokio::task::coop::{consume_budget, has_budget_remaining};
use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn a_stop_after_a_poll_without_budget_is_seen() {
    let (phase, mut stop) = watch::channel(Phase::Serving);
    let mut has_begun = false;
    let working = tokio::spawn(async move {
        let work = |cx: &mut Context<'_>| -> Poll<()> {
            // Nothing is left of what the runtime lets a task do in one poll.
            while !has_begun && has_budget_remaining() {
                let mut one = pin!(consume_budget());
                let _ = one.as_mut().poll(cx);
            }
            has_begun = true;
            Poll::Pending
        };
        unless_stopped(&mut stop, work).await
    });
    // Until the task is woken no more.
    for _ in 0..20 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    phase.send_replace(Phase::Draining);
    assert_eq!(
        timeout(Duration::from_secs(10), working).await.unwrap().unwrap(),
        None
    );
}

#[tokio::test]
async fn work_that_is_done_is_given_also_once_the_stop_has_come() {
    let (phase, mut stop) = watch::channel(Phase::Serving);
    phase.send_replace(Phase::Draining);
    assert_eq!(unless_stopped(&mut stop, |_| Poll::Ready(7)).await, Some(7));
    assert_eq!(unless_stopped(&mut stop, |_| Poll::<()>::Pending).await, None);
}
