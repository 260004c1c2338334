use model::permission::ChannelRule;
use reqwest::Method;
use serde_json::json;

use super::{HOUR, Plan, at};
use crate::support::send;

fn rule(pattern: &str, publish: &[&str]) -> ChannelRule {
    ChannelRule {
        pattern: model::channel::ChannelPattern::new(pattern),
        publish: publish.iter().map(|who| who.parse().unwrap()).collect(),
        subscribe: vec!["anyone".parse().unwrap()],
    }
}

#[tokio::test]
async fn a_revoked_key_fails_its_schedules_when_they_are_due() {
    let plan = Plan::new().await;
    let app = plan.world.server.default_app().await;
    let key = app.create_key("robot", "publish,schedule", None).await;
    let url = plan.world.server.url("/api/messaging/news");
    let post = || {
        let request = plan.world.server.http.post(&url).header("X-Api-Key", &key.secret);
        let body = json!({"message": 1, "publishAt": at(HOUR), "repeatEvery": 60});
        send(
            request
                .header("Content-Type", "application/json")
                .body(body.to_string()),
        )
    };
    let id = post().await.message_id();
    app.revoke(&key).await;
    plan.world.server.engine.access().refresh().await.unwrap();
    // Until it is due it waits: a new key of that name may still come.
    assert_eq!(plan.status(&id).await["status"], "scheduled");
    plan.jump_to(HOUR).await;
    let status = plan.status(&id).await;
    assert_eq!(status["status"], "failed");
    let reason = status["errorMessage"].as_str().unwrap();
    assert!(reason.contains("robot") && reason.contains("key"), "{reason}");
    plan.jump_to(2 * HOUR).await;
    assert_eq!(plan.published("news").await, []);
    let admin = plan.world.admin.clone();
    assert_eq!(
        plan.request(Method::DELETE, &id, &admin).await.error(),
        (409, 5040)
    );
}

#[tokio::test]
async fn a_new_key_of_the_same_name_takes_over() {
    let plan = Plan::new().await;
    let app = plan.world.server.default_app().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let old = app.create_key("cms", "publish,schedule", None).await;
    app.revoke(&old).await;
    plan.world.server.engine.access().refresh().await.unwrap();
    plan.jump_to(HOUR).await;
    assert_eq!(plan.published("news").await, [(id, HOUR)]);
}

#[tokio::test]
async fn a_rule_that_no_longer_lets_the_key_publish_fails_it() {
    let plan = Plan::new().await;
    let app = plan.world.server.default_app().await;
    let [kept, lost] = ["kept", "lost"].map(|channel| (channel, json!({"publishAt": at(HOUR)})));
    let kept = plan.publish(kept.0, kept.1).await;
    let lost = plan.publish(lost.0, lost.1).await;
    app.set(|app| app.channels = vec![rule("kept", &["key:cms"]), rule("*", &["role:editor"])])
        .await;
    plan.jump_to(HOUR).await;
    assert_eq!(plan.published("kept").await, [(kept, HOUR)]);
    assert_eq!(plan.published("lost").await, []);
    let status = plan.status(&lost).await;
    assert_eq!(status["status"], "failed");
    assert_eq!(status["errorMessage"], "key:cms may no longer publish in lost");
}

#[tokio::test]
async fn a_user_counts_with_the_roles_of_its_publish_and_its_token_may_have_expired() {
    let plan = Plan::new().await;
    let app = plan.world.server.default_app().await;
    app.set(|app| app.channels = vec![rule("*", &["role:editor", "user:bob"])])
        .await;
    let minute = std::time::Duration::from_secs(60);
    let editor = app.token_with("ann", &["editor"], minute).await;
    let bob = app.token_with("bob", &[], minute).await;
    let post = |token: &str| {
        let url = plan.world.server.url("/api/messaging/news");
        let request = plan.world.server.http.post(url).header("user-token", token);
        let body = json!({"message": 1, "publishAt": at(HOUR), "repeatEvery": 3_600});
        send(
            request
                .header("Content-Type", "application/json")
                .body(body.to_string()),
        )
    };
    let (ann, bob) = (post(&editor).await.message_id(), post(&bob).await.message_id());
    plan.jump_to(HOUR).await;
    assert_eq!(plan.published("news").await.len(), 2);
    app.set(|app| app.channels = vec![rule("*", &["role:editor"])])
        .await;
    plan.jump_to(2 * HOUR).await;
    assert_eq!(plan.published("news").await.len(), 3);
    assert_eq!(plan.status(&ann).await["status"], "scheduled");
    let status = plan.status(&bob).await;
    assert_eq!(
        (&status["status"], &status["occurrences"]),
        (&json!("failed"), &json!(1))
    );
}

#[tokio::test]
async fn a_deleted_channel_fails_its_schedules_at_once_and_for_good() {
    let plan = Plan::new().await;
    let id = plan.publish("news", json!({"publishAt": at(HOUR)})).await;
    let other = plan.publish("other", json!({"publishAt": at(HOUR)})).await;
    let deleted = plan.world.delete("/api/messaging/channels/news").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, "true"));
    let status = plan.status(&id).await;
    assert_eq!(status["status"], "failed");
    assert_eq!(status["errorMessage"], "the channel was deleted");
    assert_eq!(plan.cancel(&id).await.error(), (409, 5040));
    // The channel made anew is another one.
    plan.world.publish("news", json!("new")).await;
    plan.jump_to(HOUR).await;
    assert_eq!(plan.world.payloads("news").await, [json!("new")]);
    assert_eq!(plan.status(&id).await["status"], "failed");
    assert_eq!(plan.published("other").await, [(other, HOUR)]);
}
