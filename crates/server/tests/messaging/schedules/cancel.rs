use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use testkit::server::Server;

use super::{HOUR, Plan, SECOND, at};
use crate::support::{World, send};

#[tokio::test]
async fn what_is_cancelled_never_appears() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let answer = plan.cancel(&id).await;
    let expected = json!({"status": "cancelled", "messageId": id, "errorMessage": null, "occurrences": 0});
    assert_eq!((answer.status, answer.json()), (200, expected));
    plan.jump_to(2 * HOUR).await;
    assert_eq!(plan.published("news").await, []);
    assert_eq!(plan.cancel(&id).await.error(), (409, 5040));
    assert_eq!(plan.edit(&id, json!({"message": 1})).await.error(), (409, 5040));
    assert_eq!(plan.status(&id).await["status"], "cancelled");
}

#[tokio::test]
async fn a_repetition_stops_where_it_is_cancelled() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"repeatEvery": 1})).await;
    for second in 0..=2 {
        plan.jump_to(second * SECOND).await;
    }
    // Both forms of the colon, and a lower-case id.
    let answer = plan.cancel(&id.replace(':', "%3A").to_lowercase()).await;
    assert_eq!(answer.json()["occurrences"], 3, "{}", answer.text);
    assert_eq!(answer.json()["messageId"], id.as_str());
    plan.jump_to(10 * SECOND).await;
    assert_eq!(plan.fired("news", &id).await.len(), 3);
    let occurrence = plan.cancel(&format!("{id}-4")).await;
    assert_eq!(occurrence.error(), (409, 5040));
}

#[tokio::test]
async fn what_was_published_at_its_time_is_not_cancelled() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"publishAt": at(SECOND)})).await;
    plan.jump_to(SECOND).await;
    assert_eq!(plan.cancel(&id).await.error(), (409, 5040));
    assert_eq!(plan.published("news").await.len(), 1);
}

#[tokio::test]
async fn only_the_principal_itself_and_admin_cancel_edit_and_look() {
    let plan = Plan::new().await;
    let app = plan.world.server.default_app().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let other = app.key("other", "publish,schedule,subscribe").await;
    let unscoped = app.key("cms", "publish,subscribe").await;
    let calls = [
        (Method::DELETE, id.clone()),
        (Method::PATCH, id.clone()),
        (Method::GET, format!("{id}/occurrences")),
    ];
    for (method, path) in &calls {
        for key in [&other, &unscoped] {
            let answer = plan.request(method.clone(), path, key).await;
            assert_eq!(answer.error(), (403, 5007), "{method} {path}");
        }
        let url = plan.world.server.url(&format!("/api/messaging/{path}"));
        let answer = send(plan.world.server.http.request(method.clone(), url)).await;
        assert_eq!(answer.error(), (401, 2002), "{method} {path} without a key");
    }
    // A new key of the same name is the same principal; another app's is not there at all.
    let same = app.key("cms", "publish,schedule").await;
    let elsewhere = plan.world.server.create_app("shop").await;
    let foreign = elsewhere.key("cms", "publish,schedule").await;
    let url = plan.world.server.url(&format!("/shop/{foreign}/messaging/{id}"));
    assert_eq!(
        send(plan.world.server.http.delete(url)).await.error(),
        (409, 5040)
    );
    assert_eq!(plan.request(Method::DELETE, &id, &same).await.status, 200);
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let admin = plan.world.admin.clone();
    assert_eq!(plan.request(Method::DELETE, &id, &admin).await.status, 200);
}

/// Thousands of cancels race with the due times, by the machine's clock: whatever was cancelled with 200
/// has no message more than the answer says, ever; whatever was not, has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_200_of_a_cancel_nothing_is_appended() {
    const RACES: usize = 3_000;
    let server = Server::builder()
        .wall_clock()
        .app(|app| app.history.count = 1_000_000);
    let plan = Arc::new(Plan::of(server.start().await).await);
    let now = plan.world.server.engine.clock().now().0;
    let permits = Arc::new(tokio::sync::Semaphore::new(32));
    let mut races = Vec::new();
    for race in 0..RACES {
        let (plan, permits) = (Arc::clone(&plan), Arc::clone(&permits));
        races.push(tokio::spawn(async move {
            let permit = permits.acquire_owned().await.unwrap();
            let now = plan.world.server.engine.clock().now().0.max(now);
            // Every third repeats, so that a cancel meets the gap between two occurrences.
            let repeats = race % 3 == 0;
            let due = now + 20 + (race as i64 % 7) * 3;
            let fields = match repeats {
                true => json!({"message": race, "publishAt": due, "repeatEvery": 1}),
                false => json!({"message": race, "publishAt": due}),
            };
            let id = plan.publish(&format!("race-{}", race % 5), fields).await;
            let wait = due - plan.world.server.engine.clock().now().0 + (race as i64 % 11) - 5;
            tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
            let answer = plan.cancel(&id).await;
            drop(permit);
            let counted = match answer.status {
                200 => answer.json()["occurrences"].as_u64().unwrap(),
                _ => {
                    assert_eq!(answer.error(), (409, 5040));
                    assert!(!repeats, "a repetition without end can be cancelled at any time");
                    1
                }
            };
            (race, id, counted, answer.status)
        }));
    }
    let mut expected = Vec::new();
    for race in races {
        expected.push(race.await.unwrap());
    }
    let cancelled = expected.iter().filter(|(.., status)| *status == 200).count();
    let late = RACES - cancelled;
    assert!(
        cancelled > RACES / 20 && late > RACES / 20,
        "{cancelled} won, {late} lost"
    );
    // Long enough for the second occurrence of whatever would still repeat.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let plan = Arc::into_inner(plan).unwrap();
    let mut found = std::collections::HashMap::new();
    for channel in 0..5 {
        count_messages(&plan.world, &format!("race-{channel}"), &mut found).await;
    }
    for (race, id, counted, status) in expected {
        let found = found.get(&id).copied().unwrap_or(0);
        assert_eq!(found, counted, "race {race}, {id}, answer {status}");
    }
}

/// Counts a channel's messages by the id of their schedule.
async fn count_messages(world: &World, channel: &str, found: &mut std::collections::HashMap<String, u64>) {
    let mut since = "all".to_owned();
    loop {
        let path = format!("/api/messaging/{channel}/history?limit=1000&since={since}");
        let page = world.get(&path).await.json();
        let messages = page["messages"].as_array().unwrap();
        for message in messages {
            let id = message["messageId"].as_str().unwrap();
            let base = &id[.."message:".len() + 36];
            *found.entry(base.to_owned()).or_default() += 1;
        }
        if messages.is_empty() {
            return;
        }
        since = page["nextSince"].as_str().unwrap().to_owned();
    }
}
