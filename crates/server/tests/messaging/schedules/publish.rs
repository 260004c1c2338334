use serde_json::json;

use super::{DAY, HOUR, Plan, SECOND, at};
use crate::support::send;

#[tokio::test]
async fn a_message_appears_at_its_time_and_not_before_and_once_under_its_own_id() {
    let plan = Plan::new().await;
    let id = plan
        .publish("news", json!({"publishAt": at(HOUR), "headers": {"a": 1}}))
        .await;
    plan.jump_to(HOUR - 1).await;
    assert_eq!(plan.published("news").await, []);
    plan.jump_to(HOUR).await;
    assert_eq!(plan.published("news").await, [(id.clone(), HOUR)]);
    plan.pass(DAY / 2).await;
    assert_eq!(plan.published("news").await, [(id, HOUR)]);
}

#[tokio::test]
async fn an_occurrence_has_the_whole_envelope() {
    let plan = Plan::new().await;
    let fields = json!({
        "message": {"a": 1.50}, "publisherId": "me", "subtopic": "news.dallas", "headers": {"n": 20},
        "publishPolicy": "PUBSUB", "pushBroadcast": 7,
        "publishAt": at(HOUR), "repeatEvery": 60, "repeatExpiresAt": at(DAY),
    });
    let id = plan.publish("news", fields).await;
    plan.jump_to(HOUR).await;
    let history = plan.world.get("/api/messaging/news/history").await;
    assert_eq!(
        history.json()["messages"],
        json!([{
            "messageId": format!("{id}-1"), "timestamp": at(HOUR), "message": {"a": 1.50},
            "publisherId": "me", "subtopic": "news.dallas", "pushSinglecast": null, "pushBroadcast": 7,
            "publishPolicy": "PUBSUB", "templateValues": null, "query": null, "publishAt": at(HOUR),
            "repeatEvery": 60, "repeatExpiresAt": at(DAY), "headers": {"n": "20"}, "seq": 1, "channel": "news",
        }])
    );
}

#[tokio::test]
async fn readers_that_wait_get_it_live_whenever_they_came() {
    let plan = Plan::new().await;
    let mut before = plan.world.events("news", "").await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let mut after = plan.world.events("news", "?since=all").await;
    let history = plan.world.get("/api/messaging/news/history").await.json();
    assert_eq!(history, json!({"messages": [], "nextSince": "0"}));
    plan.jump_to(HOUR).await;
    for events in [&mut before, &mut after] {
        let event = events.next().await.unwrap();
        assert_eq!(event.json()["messageId"], id.as_str());
    }
}

#[tokio::test]
async fn repeat_every_alone_starts_now_and_keeps_its_cadence() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 10})).await;
    plan.fire().await;
    assert_eq!(plan.fired("news", &id).await, [(1, 0)]);
    // Picked up late each time: what follows is not late.
    for late in [10_004, 20_900, 39_999] {
        plan.jump_to(late).await;
    }
    plan.jump_to(40_000).await;
    assert_eq!(
        plan.fired("news", &id).await,
        [(1, 0), (2, 10_004), (3, 20_900), (4, 39_999), (5, 40_000)]
    );
}

#[tokio::test]
async fn a_repetition_ends_at_its_expiry_which_still_counts() {
    let plan = Plan::new().await;
    let fields = json!({"publishAt": at(SECOND), "repeatEvery": 1, "repeatExpiresAt": at(3 * SECOND)});
    let id = plan.publish("news", fields).await;
    for second in 1..=5 {
        plan.jump_to(second * SECOND).await;
    }
    assert_eq!(
        plan.fired("news", &id).await,
        [(1, 1_000), (2, 2_000), (3, 3_000)]
    );
    assert_eq!(plan.status(&id).await["status"], "published");
}

#[tokio::test]
async fn repeat_times_counts_due_times() {
    let plan = Plan::new().await;
    let id = plan
        .publish("news", json!({"repeatEvery": 1, "repeatTimes": 3}))
        .await;
    for second in 0..=5 {
        plan.jump_to(second * SECOND).await;
    }
    assert_eq!(plan.fired("news", &id).await, [(1, 0), (2, 1_000), (3, 2_000)]);
    // Skipped ones count too: one fires, and the schedule is over.
    let id = plan
        .publish("late", json!({"repeatEvery": 1, "repeatTimes": 3}))
        .await;
    plan.jump_to(100 * SECOND).await;
    let status = plan.status(&id).await;
    assert_eq!(plan.fired("late", &id).await.len(), 1);
    assert_eq!(
        (&status["status"], &status["occurrences"], &status["skipped"]),
        (&json!("published"), &json!(1), &json!(2))
    );
}

#[tokio::test]
async fn a_calendar_repeats_in_its_time_zone() {
    let plan = Plan::new().await;
    // The test begins on Sunday 2026-03-01 at 12:00 UTC; Stockholm is an hour ahead.
    let fields = json!({"repeatCron": "0 9 * * MON-FRI", "timezone": "Europe/Stockholm"});
    let id = plan.publish("news", fields).await;
    let status = plan.status(&id).await;
    assert_eq!(status["nextAt"], at(20 * HOUR));
    for hour in 0..=72 {
        plan.jump_to(hour * HOUR).await;
    }
    assert_eq!(
        plan.fired("news", &id).await,
        [(1, 20 * HOUR), (2, 44 * HOUR), (3, 68 * HOUR)]
    );
}

#[tokio::test]
async fn a_dry_run_tells_the_next_ten_times_and_publishes_nothing() {
    let plan = Plan::new().await;
    for (fields, expected) in [
        (
            json!({"publishAt": at(HOUR), "repeatEvery": 60}),
            (0..10).map(|n| at(HOUR + n * 60_000)).collect::<Vec<_>>(),
        ),
        (json!({"publishAt": at(HOUR)}), vec![at(HOUR)]),
        (
            json!({"repeatEvery": 5, "repeatTimes": 2}),
            vec![at(0), at(5_000)],
        ),
        (json!({}), vec![at(0)]),
        (json!({"publishPolicy": "PUSH"}), vec![]),
        (
            json!({"repeatCron": "30 2 * * *", "timezone": "Europe/Stockholm", "publishAt": at(27 * DAY), "repeatTimes": 2}),
            // On 29 March the clock goes from 2 to 3: the skipped 2:30 runs at 3:00 (01:00 UTC).
            vec![at(27 * DAY + 13 * HOUR), at(28 * DAY + 12 * HOUR + 1_800_000)],
        ),
    ] {
        let answer = send(plan.posting("news?dryRun=true", fields.clone())).await;
        assert_eq!(answer.json(), json!({"occurrences": expected}), "{fields}");
    }
    plan.pass(HOUR).await;
    assert_eq!(plan.published("news").await, []);
    let list = plan.world.get("/api/messaging/scheduled").await.json();
    assert_eq!(list, json!({"schedules": [], "next": null}));
    let wrong = send(plan.posting("news?dryRun=true", json!({"repeatEvery": -1}))).await;
    assert_eq!(wrong.error(), (400, 5905));
}

#[tokio::test]
async fn an_idempotency_key_makes_one_schedule() {
    let plan = Plan::new().await;
    let post = || {
        let request = plan.posting("news", json!({"publishAt": at(HOUR)}));
        send(request.header("Idempotency-Key", "k"))
    };
    let (a, b, c) = tokio::join!(post(), post(), post());
    let id = a.message_id();
    assert_eq!((b.message_id(), c.message_id()), (id.clone(), id.clone()));
    let replayed = [&a, &b, &c].map(|answer| answer.headers.contains_key("idempotent-replayed"));
    assert_eq!(replayed.iter().filter(|replayed| **replayed).count(), 2);
    plan.jump_to(HOUR).await;
    assert_eq!(plan.published("news").await, [(id, HOUR)]);
    let other = plan.posting("news", json!({"publishAt": at(2 * HOUR)}));
    let other = send(other.header("Idempotency-Key", "k")).await;
    assert_eq!(other.error(), (422, 5912));
}

#[tokio::test]
async fn a_key_needs_the_scope_schedule_and_a_user_none() {
    let plan = Plan::new().await;
    let app = plan.world.server.default_app().await;
    let publisher = app.key("publisher", "publish").await;
    let body = json!({"message": 1, "publishAt": at(HOUR)}).to_string();
    let post = |credential: (&'static str, String)| {
        let url = plan.world.server.url("/api/messaging/news");
        let request = plan
            .world
            .server
            .http
            .post(url)
            .header(credential.0, credential.1);
        send(
            request
                .header("Content-Type", "application/json")
                .body(body.clone()),
        )
    };
    assert_eq!(post(("X-Api-Key", publisher)).await.error(), (403, 5007));
    post(("user-token", app.token("ann").await)).await.message_id();
}

#[tokio::test]
async fn a_cap_bounds_the_schedules_that_wait() {
    let server = testkit::server::Server::builder().app(|app| app.limits.schedules = 2);
    let plan = Plan::of(server.start().await).await;
    let later = || json!({"publishAt": at(HOUR)});
    let first = plan.publish("news", later()).await;
    plan.publish("news", later()).await;
    let refused = plan.post("news", later()).await;
    assert_eq!(refused.error(), (429, 5913));
    assert!(refused.message().contains("schedules"));
    // Whatever ends makes room: a cancel, an occurrence.
    assert_eq!(plan.cancel(&first).await.status, 200);
    plan.publish("news", later()).await;
    assert_eq!(plan.post("news", later()).await.error(), (429, 5913));
    plan.jump_to(HOUR).await;
    plan.publish("news", json!({"publishAt": at(2 * HOUR)})).await;
    plan.publish("news", json!({"publishAt": at(2 * HOUR)})).await;
}

#[tokio::test]
async fn thousands_due_in_one_moment_all_appear_once() {
    let plan = Plan::new().await;
    for start in (0..2_000).step_by(50) {
        let posts = (start..start + 50).map(|n| {
            plan.post(
                if n % 2 == 0 { "even" } else { "odd" },
                json!({"message": n, "publishAt": at(HOUR)}),
            )
        });
        for answer in futures_util::future::join_all(posts).await {
            answer.message_id();
        }
    }
    plan.jump_to(HOUR).await;
    for channel in ["even", "odd"] {
        let mut ids = plan.published(channel).await;
        assert_eq!(ids.len(), 1_000);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1_000);
    }
}
