use serde_json::json;
use testkit::server::Server;

use super::{DAY, HOUR, Plan, SECOND, at};

#[tokio::test]
async fn a_one_shot_is_scheduled_then_published() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    assert_eq!(
        plan.status(&id).await,
        json!({
            "status": "scheduled", "messageId": id, "errorMessage": null, "channel": "news",
            "publishAt": at(HOUR), "nextAt": at(HOUR), "occurrences": 0, "skipped": 0,
        })
    );
    plan.jump_to(HOUR + 7).await;
    assert_eq!(
        plan.status(&id).await,
        json!({
            "status": "published", "messageId": id, "errorMessage": null, "channel": "news", "seq": 1,
            "publishedAt": at(HOUR + 7), "publishAt": at(HOUR), "occurrences": 1, "skipped": 0,
        })
    );
}

#[tokio::test]
async fn a_repetition_tells_its_next_time_and_what_it_did() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 10})).await;
    plan.fire().await;
    plan.jump_to(35 * SECOND).await;
    assert_eq!(
        plan.status(&id).await,
        json!({
            "status": "scheduled", "messageId": id, "errorMessage": null, "channel": "news", "seq": 2,
            "publishedAt": at(35_000), "nextAt": at(40_000), "occurrences": 2, "skipped": 2,
        })
    );
    // Each occurrence has a status of its own; one that was skipped or is to come has none.
    let expected = json!({
        "status": "published", "messageId": format!("{id}-4"), "errorMessage": null, "channel": "news",
        "seq": 2, "publishedAt": at(35_000),
    });
    assert_eq!(plan.status(&format!("{id}-4")).await, expected);
    for n in ["2", "3", "5"] {
        assert_eq!(plan.status(&format!("{id}-{n}")).await["status"], "unknown");
    }
}

#[tokio::test]
async fn what_has_ended_is_kept_for_7_days_and_its_occurrences_for_the_window() {
    let server = Server::builder().app(|_| {});
    let plan = Plan::of(server.start().await).await;
    let id = plan
        .publish("news", json!({"repeatEvery": 1, "repeatTimes": 1}))
        .await;
    let cancelled = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    plan.cancel(&cancelled).await;
    plan.fire().await;
    plan.jump_to(DAY + SECOND).await;
    assert_eq!(plan.status(&format!("{id}-1")).await["status"], "unknown");
    plan.jump_to(7 * DAY - 1).await;
    assert_eq!(plan.status(&id).await["status"], "published");
    assert_eq!(plan.status(&cancelled).await["status"], "cancelled");
    plan.jump_to(7 * DAY).await;
    testkit::soon("the end of what has ended", async {
        while plan.status(&id).await["status"] != "unknown"
            || plan.status(&cancelled).await["status"] != "unknown"
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(plan.cancel(&id).await.error(), (409, 5040));
}
