use std::time::Duration;

use serde_json::json;
use testkit::faults::Fault;
use testkit::server::Server;
use testkit::soon;

use super::{DAY, HOUR, Plan, SECOND, at};

#[tokio::test]
async fn after_a_pause_the_latest_fires_and_the_others_are_skipped() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 60})).await;
    let once = plan.publish("once", json!({"publishAt": at(SECOND)})).await;
    plan.fire().await;
    // Nothing is picked up while the store cannot be read; then the server stops and starts again.
    plan.world.server.faults.fail(Fault::Unavailable);
    let pause = Duration::from_millis((HOUR + 30_000).unsigned_abs());
    plan.world.server.clock.advance(pause);
    let plan = plan.restart().await;
    plan.fire().await;
    assert_eq!(plan.fired("news", &id).await, [(1, 0), (61, HOUR + 30_000)]);
    assert_eq!(plan.published("once").await, [(once, HOUR + 30_000)]);
    let status = plan.status(&id).await;
    assert_eq!(
        (&status["occurrences"], &status["skipped"], &status["nextAt"]),
        (&json!(2), &json!(59), &json!(at(HOUR + 60_000)))
    );
}

#[tokio::test]
async fn a_jump_of_the_clock_fires_nothing_early_and_nothing_twice() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 3_600})).await;
    let once = plan.publish("once", json!({"publishAt": at(2 * HOUR)})).await;
    plan.fire().await;
    // Forwards over some due times, back before them, forwards again.
    plan.jump_to(3 * HOUR + 1).await;
    plan.jump_to(-DAY).await;
    plan.jump_to(HOUR).await;
    plan.jump_to(3 * HOUR + 2).await;
    let expected = [(1, 0), (4, 3 * HOUR + 1)];
    assert_eq!(plan.fired("news", &id).await, expected);
    assert_eq!(plan.published("once").await, [(once.clone(), 3 * HOUR + 1)]);
    plan.jump_to(4 * HOUR - 1).await;
    assert_eq!(plan.fired("news", &id).await, expected);
    plan.jump_to(4 * HOUR).await;
    assert_eq!(plan.fired("news", &id).await.last(), Some(&(5, 4 * HOUR)));
    // What is made while the clock stands back is due by that clock.
    plan.jump_to(-DAY).await;
    let past = plan
        .publish("past", json!({"publishAt": at(-DAY + SECOND)}))
        .await;
    plan.jump_to(-DAY + SECOND).await;
    assert_eq!(plan.published("past").await, [(past, -DAY + SECOND)]);
}

#[tokio::test]
async fn the_job_itself_publishes_at_the_time_without_being_asked() {
    let server = Server::builder().wall_clock().start().await;
    let plan = Plan::of(server).await;
    let now = plan.world.server.engine.clock().now().0;
    let mut due = Vec::new();
    for n in 0..20 {
        // Each is due before the one that was made before it: the job is woken at once.
        let at = now + 1_500 - n * 50;
        due.push((plan.publish("news", json!({"publishAt": at})).await, at));
    }
    let far = plan.publish("news", json!({"publishAt": now + HOUR})).await;
    soon("the last of the messages", async {
        while plan.world.payloads("news").await.len() < due.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    for (id, due) in due {
        let at = plan.status(&id).await["publishedAt"].as_i64().unwrap();
        assert!(at >= due, "{id} came {} ms early", due - at);
        assert!(at < due + 900, "{id} came {} ms late", at - due);
    }
    assert_eq!(plan.status(&far).await["status"], "scheduled");
}

#[tokio::test]
async fn what_the_store_failed_to_do_is_done_later_and_once() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 3_600})).await;
    plan.fire().await;
    for (hour, fault) in [(1, Fault::Unavailable), (2, Fault::Broken), (3, Fault::Unknown)] {
        plan.world.server.faults.fail(fault);
        plan.world
            .server
            .clock
            .set(model::time::UnixMillis(at(hour * HOUR)));
        assert!(plan.world.server.engine.fire_due().await.is_err());
        plan.world.server.faults.fail(Fault::None);
        plan.fire().await;
    }
    assert_eq!(
        plan.fired("news", &id).await,
        [(1, 0), (2, HOUR), (3, 2 * HOUR), (4, 3 * HOUR)]
    );
}
