use serde_json::{Value, json};

use super::{HOUR, Plan, SECOND, at};

#[tokio::test]
async fn an_edit_of_the_content_moves_no_due_time() {
    let plan = Plan::new().await;
    let fields = json!({
        "message": 1, "publisherId": "me", "headers": {"a": "1"}, "subtopic": "x", "pushBroadcast": 3,
        "publishAt": at(10 * SECOND), "repeatEvery": 10,
    });
    let id = plan.publish("news", fields).await;
    plan.jump_to(15 * SECOND).await;
    let change = json!({
        "message": [2.50], "headers": {"b": true}, "publisherId": null, "pushBroadcast": {"c": 1},
    });
    let answer = plan.edit(&id, change).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        answer.json(),
        json!({
            "status": "scheduled", "messageId": id, "errorMessage": null, "channel": "news", "seq": 1,
            "publishedAt": at(15_000), "publishAt": at(10_000), "nextAt": at(20_000), "occurrences": 1,
            "skipped": 0,
        })
    );
    plan.jump_to(20 * SECOND).await;
    let history = plan.world.get("/api/messaging/news/history").await;
    assert!(history.text.contains(r#""message":[2.50]"#) || history.text.contains(r#""message":[2.5]"#));
    let second = history.json()["messages"][1].take();
    for (field, expected) in [
        ("messageId", json!(format!("{id}-2"))),
        ("publisherId", json!(null)),
        ("headers", json!({"b": "true"})),
        ("subtopic", json!("x")),
        ("pushBroadcast", json!({"c": 1})),
        ("publishAt", json!(at(10_000))),
        ("repeatEvery", json!(10)),
    ] {
        assert_eq!(second[field], expected, "{field}");
    }
}

#[tokio::test]
async fn an_edit_of_the_timing_counts_from_now_and_n_goes_on() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 10})).await;
    plan.fire().await;
    plan.jump_to(10 * SECOND).await;
    plan.jump_to(13 * SECOND).await;
    let status = plan.edit(&id, json!({"repeatEvery": 60})).await.json();
    assert_eq!(status["nextAt"], at(73 * SECOND));
    for second in [20, 73, 133] {
        plan.jump_to(second * SECOND).await;
    }
    assert_eq!(
        plan.fired("news", &id).await,
        [(1, 0), (2, 10_000), (3, 73_000), (4, 133_000)]
    );
    let history = plan.world.get("/api/messaging/news/history").await.json();
    assert_eq!(history["messages"][1]["repeatEvery"], 10);
    assert_eq!(history["messages"][2]["repeatEvery"], 60);
}

#[tokio::test]
async fn the_same_values_again_change_nothing() {
    let plan = Plan::new().await;
    let id = plan
        .publish("news", json!({"publishAt": at(10 * SECOND), "repeatEvery": 10}))
        .await;
    plan.jump_to(14 * SECOND).await;
    let change =
        json!({"publishAt": at(10 * SECOND), "repeatEvery": 10, "repeatCron": null, "repeatTimes": null});
    let status = plan.edit(&id, change).await.json();
    assert_eq!(status["nextAt"], at(20 * SECOND));
    assert_eq!(plan.edit(&id, json!({})).await.json(), status);
}

#[tokio::test]
async fn a_message_is_put_off_brought_forward_and_made_to_repeat() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let later = plan.edit(&id, json!({"publishAt": at(2 * HOUR)})).await.json();
    assert_eq!(
        (&later["publishAt"], &later["nextAt"]),
        (&json!(at(2 * HOUR)), &json!(at(2 * HOUR)))
    );
    plan.jump_to(HOUR).await;
    assert_eq!(plan.published("news").await, []);
    let sooner = plan
        .edit(
            &id,
            json!({"publishAt": at(HOUR + SECOND), "repeatEvery": 5, "repeatTimes": 2}),
        )
        .await;
    assert_eq!(sooner.status, 200, "{}", sooner.text);
    for second in [1, 6, 11] {
        plan.jump_to(HOUR + second * SECOND).await;
    }
    assert_eq!(
        plan.fired("news", &id).await,
        [(1, HOUR + 1_000), (2, HOUR + 6_000)]
    );
    assert_eq!(plan.status(&id).await["status"], "published");
}

#[tokio::test]
async fn without_its_time_it_is_published_now() {
    for removed in [json!(null), json!(0)] {
        let plan = Plan::new().await;
        let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
        let answer = plan.edit(&id, json!({"publishAt": removed})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        plan.fire().await;
        assert_eq!(plan.published("news").await, [(id, 0)]);
    }
}

#[tokio::test]
async fn a_repetition_is_ended_by_an_edit() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 10})).await;
    plan.fire().await;
    plan.jump_to(10 * SECOND).await;
    let status = plan.edit(&id, json!({"repeatTimes": 2})).await;
    assert_eq!(status.json()["status"], "published", "{}", status.text);
    plan.jump_to(60 * SECOND).await;
    assert_eq!(plan.fired("news", &id).await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let plan = Plan::new().await;
    let id = plan
        .publish("news", json!({"publishAt": at(HOUR), "repeatEvery": 60}))
        .await;
    let before = plan.world.get("/api/messaging/scheduled").await.json();
    let long = "x".repeat(9_000);
    let cases: [(Value, u16, u64); 14] = [
        (json!({"message": null}), 400, 5902),
        (json!({"headers": []}), 400, 5904),
        (json!({"headers": {"a": long}}), 400, 5904),
        (json!({"subtopic": "a..b"}), 400, 5908),
        (json!({"publishPolicy": "ALL"}), 400, 5908),
        (json!({"publishPolicy": "PUSH"}), 400, 5908),
        (json!({"publishAt": at(-61 * SECOND)}), 400, 5030),
        (json!({"publishAt": "soon"}), 400, 5030),
        (json!({"repeatEvery": -1}), 400, 5905),
        (json!({"repeatCron": "0 9 * * *"}), 400, 5905),
        (json!({"timezone": "UTC"}), 400, 5905),
        (json!({"repeatExpiresAt": at(SECOND)}), 400, 5003),
        (
            json!({"repeatEvery": null, "repeatExpiresAt": at(2 * HOUR)}),
            400,
            5003,
        ),
        (json!([]), 400, 5901),
    ];
    for (change, status, code) in cases {
        assert_eq!(
            plan.edit(&id, change.clone()).await.error(),
            (status, code),
            "{change}"
        );
    }
    assert_eq!(plan.world.get("/api/messaging/scheduled").await.json(), before);
    let path = format!("/api/messaging/{id}");
    let plain = plan.world.request(reqwest::Method::PATCH, &path, &plan.world.key);
    let plain = crate::support::send(plain.header("Content-Type", "text/plain").body("{}")).await;
    assert_eq!(plain.error(), (415, 5911));
}

#[tokio::test]
async fn edits_at_once_all_take_place() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let edits = [
        json!({"message": "new"}),
        json!({"publisherId": "me"}),
        json!({"subtopic": "x.y"}),
        json!({"headers": {"a": "1"}}),
        json!({"publishAt": at(2 * HOUR)}),
    ];
    for answer in futures_util::future::join_all(edits.map(|change| plan.edit(&id, change))).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let list = plan.world.get("/api/messaging/scheduled").await.json();
    let schedule = &list["schedules"][0];
    for (field, expected) in [
        ("message", json!("new")),
        ("publisherId", json!("me")),
        ("subtopic", json!("x.y")),
        ("headers", json!({"a": "1"})),
        ("publishAt", json!(at(2 * HOUR))),
    ] {
        assert_eq!(schedule[field], expected, "{field}");
    }
}
