use reqwest::Method;
use testkit::log::Log;
use tracing::level_filters::LevelFilter;

use crate::support::{World, send};

#[tokio::test]
async fn keys_tokens_and_payloads_are_neither_logged_nor_told() {
    let log = Log::default();
    let writer = log.clone();
    // For the whole process: a subscriber of one thread alone misses what other tests met first. What
    // they log is looked through too.
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let world = World::new().await;
    let app = world.server.default_app().await;
    let token = app.token("ann").await;
    let (bad_key, bad_token) = ("a-key-that-is-unknown", "e30.bad-token.signature");
    let http = &world.server.http;
    let mut told = String::new();
    let paths = [
        format!("/api/messaging/news/history?key={}", world.key),
        format!("/default/{}/messaging/news/history", world.key),
        format!("/default/{}/messages", world.key),
        format!("/default/{}/nothing", world.key),
        format!("/default/{bad_key}/messaging/news/history"),
        format!("/default/{bad_key}/messages"),
        format!("/nobody/{bad_key}/messaging/news"),
        format!("/api/messaging/news/history?token={token}"),
        format!("/api/messaging/news/history?token={bad_token}"),
        format!("/api/messaging/news/history?key={bad_key}"),
        format!("/messages?token={bad_token}"),
    ];
    for method in [Method::GET, Method::POST, Method::PUT] {
        for path in &paths {
            let answer = send(http.request(method.clone(), world.server.url(path))).await;
            told.push_str(&answer.text);
            told.push_str(&format!("{:?}", answer.headers));
        }
    }
    let payload = "a-payload-that-is-private";
    world
        .post("news", format!(r#"{{"message":"{payload}"}}"#))
        .await
        .message_id();
    told.push_str(&world.post("news", format!(r#""{payload}""#)).await.text);
    world.server.stop().await;

    let logged = log.text();
    assert!(logged.contains("request answered"), "the log was taken: {logged}");
    assert!(
        logged.contains("/api/messaging/{channel}/history"),
        "routes are logged as templates"
    );
    let logged = lines_of_ours(&logged);
    for secret in [&world.key, &world.admin, &token, bad_key, bad_token, payload] {
        assert!(!told.contains(secret), "{secret} was told");
        assert!(!logged.contains(secret), "{secret} was logged");
    }
}

/// Without what the HTTP client of the test logs.
fn lines_of_ours(log: &str) -> String {
    let ours = |line: &&str| !line.contains("reqwest") && !line.contains("hyper_util::client");
    log.lines().filter(ours).map(|line| format!("{line}\n")).collect()
}
