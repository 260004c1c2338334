use reqwest::Method;
use serde_json::{Value, json};

use super::{HOUR, Plan, SECOND, at};
use crate::support::send;

fn ids(list: &Value) -> Vec<&str> {
    let schedules = list["schedules"].as_array().unwrap();
    schedules
        .iter()
        .map(|schedule| schedule["messageId"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_schedule_is_listed_with_its_status_and_publish_fields() {
    let plan = Plan::new().await;
    let fields = json!({
        "message": {"a": [1]}, "publisherId": "me", "headers": {"b": "2", "a": "1"}, "subtopic": "x.y",
        "publishPolicy": "BOTH", "pushSinglecast": ["d"], "publishAt": at(HOUR), "repeatCron": "0 9 * * MON",
        "timezone": "Europe/Stockholm", "repeatTimes": 3, "repeatExpiresAt": at(100 * 24 * HOUR),
    });
    let id = plan.publish("news", fields.clone()).await;
    let list = plan.world.get("/api/messaging/scheduled").await;
    let mut expected = fields;
    for (field, value) in [
        ("status", json!("scheduled")),
        ("messageId", json!(id)),
        ("errorMessage", json!(null)),
        ("channel", json!("news")),
        ("nextAt", json!(at(20 * HOUR))),
        ("occurrences", json!(0)),
        ("skipped", json!(0)),
    ] {
        expected[field] = value;
    }
    assert_eq!(list.json(), json!({"schedules": [expected], "next": null}));
}

#[tokio::test]
async fn pages_cover_all_schedules_in_the_order_they_were_made() {
    let plan = Plan::new().await;
    let mut made = Vec::new();
    for n in 0..7 {
        let channel = if n % 2 == 0 { "even" } else { "odd" };
        made.push(
            plan.publish(channel, json!({"publishAt": at(HOUR - n * 1_000)}))
                .await,
        );
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/messaging/scheduled?limit=3&after={after}");
        let page = plan.world.get(&path).await.json();
        found.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => after = next.replace(':', "%3A"),
            None => break,
        }
    }
    assert_eq!(found, made);
    let odd = plan
        .world
        .get("/api/messaging/scheduled?channel=odd&limit=2")
        .await
        .json();
    assert_eq!(ids(&odd), [&made[1], &made[3]]);
    assert_eq!(odd["next"], made[3].as_str());
    let rest = format!("/api/messaging/scheduled?channel=odd&after={}", made[3]);
    assert_eq!(ids(&plan.world.get(&rest).await.json()), [&made[5]]);
}

#[tokio::test]
async fn everybody_sees_the_own_schedules_and_admin_all() {
    let plan = Plan::new().await;
    let app = plan.world.server.default_app().await;
    let mine = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let token = app.token("ann").await;
    let url = plan.world.server.url("/api/messaging/news");
    let request = plan.world.server.http.post(url).header("user-token", &token);
    let body = json!({"message": 1, "publishAt": at(HOUR)}).to_string();
    let hers = send(request.header("Content-Type", "application/json").body(body))
        .await
        .message_id();
    let list = plan.world.get("/api/messaging/scheduled").await.json();
    assert_eq!(ids(&list), [&mine]);
    let url = plan.world.server.url("/api/messaging/scheduled");
    let request = plan.world.server.http.get(&url).header("user-token", &token);
    assert_eq!(ids(&send(request).await.json()), [&hers]);
    let all = plan
        .request(Method::GET, "scheduled", &plan.world.admin)
        .await
        .json();
    assert_eq!(ids(&all), [&mine, &hers]);
    let unscoped = app.key("reader", "publish,subscribe").await;
    let refused = plan.request(Method::GET, "scheduled", &unscoped).await;
    assert_eq!(refused.error(), (403, 5007));
    let nobody = send(plan.world.server.http.get(&url)).await;
    assert_eq!(nobody.error(), (401, 2002));
}

#[tokio::test]
async fn occurrences_tell_what_was_published_and_what_was_skipped() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 10})).await;
    plan.fire().await;
    plan.jump_to(10 * SECOND).await;
    plan.jump_to(45 * SECOND).await;
    let expected = json!([
        {"n": 1, "due": at(0), "fired": at(0), "seq": 1},
        {"n": 2, "due": at(10_000), "fired": at(10_000), "seq": 2},
        {"n": 3, "due": at(20_000), "fired": null, "seq": null},
        {"n": 4, "due": at(30_000), "fired": null, "seq": null},
        {"n": 5, "due": at(40_000), "fired": at(45_000), "seq": 3},
    ]);
    assert_eq!(plan.occurrences(&id).await, expected);
    // Pages go through the midst of what was skipped.
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/messaging/{id}/occurrences?limit=1&after={after}");
        let page = plan.world.get(&path).await.json();
        found.extend(page["occurrences"].as_array().unwrap().clone());
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(json!(found), expected);
    let unknown = plan
        .world
        .get("/api/messaging/message:0199AA11-2233-7445-8667-78899AABBCCD/occurrences")
        .await;
    assert_eq!(unknown.error(), (404, 5909));
}

#[tokio::test]
async fn bad_parameters_of_lists_are_5908() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    for path in [
        "scheduled?limit=0".to_owned(),
        "scheduled?limit=1001".to_owned(),
        "scheduled?limit=x".to_owned(),
        "scheduled?after=x".to_owned(),
        format!("{id}/occurrences?limit=0"),
        format!("{id}/occurrences?after=-1"),
    ] {
        let answer = plan.request(Method::GET, &path, &plan.world.key).await;
        assert_eq!(answer.error(), (400, 5908), "{path}");
    }
    let answer = plan
        .request(Method::GET, "scheduled?channel=a%2Fb", &plan.world.key)
        .await;
    assert_eq!(answer.error(), (400, 5903));
}
