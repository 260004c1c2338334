use std::time::Duration;

use http::HeaderName;
use reqwest::Method;
use serde_json::json;
use testkit::app::App;

use crate::support::{Answer, World, send};

/// Who asks, as a header.
type Credential = (HeaderName, String);

fn token(token: impl Into<String>) -> Credential {
    (HeaderName::from_static("user-token"), token.into())
}

fn key(key: impl Into<String>) -> Credential {
    (HeaderName::from_static("x-api-key"), key.into())
}

async fn publish(world: &World, channel: &str, who: &[Credential]) -> Answer {
    let url = world.server.url(&format!("/api/messaging/{channel}"));
    let request = world
        .server
        .http
        .post(url)
        .header("Content-Type", "application/json")
        .body(r#"{"message":1}"#);
    send(
        who.iter()
            .fold(request, |request, (name, value)| request.header(name, value)),
    )
    .await
}

async fn read(world: &World, channel: &str, who: &[Credential]) -> Answer {
    let request = world
        .server
        .http
        .get(world.server.url(&format!("/api/messaging/{channel}/history")));
    send(
        who.iter()
            .fold(request, |request, (name, value)| request.header(name, value)),
    )
    .await
}

async fn rules(app: &App, rules: serde_json::Value) {
    app.set(|settings| settings.channels = serde_json::from_value(rules).unwrap())
        .await;
}

#[tokio::test]
async fn without_rules_a_key_with_the_scope_or_any_user_may() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let (publisher, reader) = (app.key("p", "publish").await, app.key("s", "subscribe").await);
    let ann = token(app.token("ann").await);
    assert_eq!(publish(&world, "news", &[key(&publisher)]).await.status, 200);
    assert_eq!(
        publish(&world, "news", &[key(&reader)]).await.error(),
        (403, 5007)
    );
    assert_eq!(
        publish(&world, "news", std::slice::from_ref(&ann)).await.status,
        200
    );
    assert_eq!(publish(&world, "news", &[]).await.error(), (401, 2002));
    assert_eq!(read(&world, "news", &[key(&reader)]).await.status, 200);
    assert_eq!(
        read(&world, "news", &[key(&publisher)]).await.error(),
        (403, 5007)
    );
    assert_eq!(read(&world, "news", &[ann]).await.status, 200);
    assert_eq!(read(&world, "news", &[]).await.error(), (401, 2002));
}

#[tokio::test]
async fn the_first_rule_that_matches_decides_alone_for_keys_and_users_alike() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    rules(
        &app,
        json!([
            {"pattern": "news.*", "publish": ["role:editor", "key:cms"], "subscribe": ["anyone"]},
            {"pattern": "*.private", "publish": ["user:ann"], "subscribe": ["authenticated"]},
            {"pattern": "closed"},
        ]),
    )
    .await;
    let cms = key(app.key("cms", "publish,subscribe").await);
    let other = key(app.key("other", "publish,subscribe").await);
    let ann = token(app.token("ann").await);
    let bob = token(app.token_with("bob", &["editor"], Duration::from_secs(60)).await);
    let admin = key(&world.admin);
    let cases: [(&str, Option<&Credential>, u16, u16); 16] = [
        ("news.a", Some(&cms), 200, 200),
        ("news.a", Some(&other), 403, 200),
        ("news.a", Some(&ann), 403, 200),
        ("news.a", Some(&bob), 200, 200),
        ("news.a", None, 401, 200),
        // Both rules match; the first counts.
        ("news.private", Some(&ann), 403, 200),
        ("my.private", Some(&ann), 200, 200),
        ("my.private", Some(&bob), 403, 200),
        ("my.private", Some(&cms), 403, 403),
        ("my.private", None, 401, 401),
        ("closed", Some(&cms), 403, 403),
        ("closed", Some(&bob), 403, 403),
        ("closed", Some(&admin), 200, 200),
        ("open", Some(&other), 200, 200),
        ("open", Some(&bob), 200, 200),
        ("open", None, 401, 401),
    ];
    for (channel, who, publishing, reading) in cases {
        let credentials: Vec<Credential> = who.into_iter().cloned().collect();
        assert_eq!(
            publish(&world, channel, &credentials).await.status,
            publishing,
            "publish {channel} {who:?}"
        );
        assert_eq!(
            read(&world, channel, &credentials).await.status,
            reading,
            "read {channel} {who:?}"
        );
    }
}

#[tokio::test]
async fn bad_credentials_are_refused_even_where_anyone_may() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    rules(
        &app,
        json!([{"pattern": "*", "publish": ["anyone"], "subscribe": ["anyone"]}]),
    )
    .await;
    let revoked = app.create_key("revoked", "admin", None).await;
    app.revoke(&revoked).await;
    app.set(|_| {}).await;
    let short = app
        .create_key("short", "admin", Some(Duration::from_secs(60)))
        .await;
    let expired = app.token_with("ann", &[], Duration::from_secs(60)).await;
    assert_eq!(publish(&world, "news", &[token(&expired)]).await.status, 200);
    assert_eq!(publish(&world, "news", &[key(&short.secret)]).await.status, 200);
    world.server.clock.advance(Duration::from_secs(120));
    let good = key(&world.key);
    let cases: [(&[Credential], u64); 7] = [
        (&[key("unknown-key")], 2002),
        (&[key(&revoked.secret)], 2002),
        (&[key(&short.secret)], 2002),
        (&[token(&expired)], 3064),
        (&[token("a.b.c")], 3064),
        (&[token("a.b.c"), good.clone()], 3064),
        (&[token(format!("{}x", app.token("ann").await))], 3064),
    ];
    for (who, code) in cases {
        assert_eq!(publish(&world, "news", who).await.error(), (401, code), "{who:?}");
        assert_eq!(read(&world, "news", who).await.error(), (401, code), "{who:?}");
    }
    for absent in ["", "undefined", "null"] {
        assert_eq!(
            read(&world, "news", &[token(absent), key(absent)]).await.status,
            200,
            "{absent:?} is absent"
        );
    }
}

#[tokio::test]
async fn credentials_come_in_each_of_their_places_and_two_different_keys_are_refused() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let (user, secret) = (app.token("ann").await, &world.key);
    let path = "/api/messaging/news/history";
    let get = |path: String| world.server.http.get(world.server.url(&path));
    for request in [
        get(path.into()).header("user-token", &user),
        get(path.into()).header("Authorization", format!("Bearer {user}")),
        get(path.into()).header("Authorization", format!("bearer {user}")),
        get(format!("{path}?token={user}")),
        get(path.into()).header("X-Api-Key", secret),
        get(format!("{path}?key={secret}")),
        get(format!("/default/{secret}/messaging/news/history")),
        get(format!("/default/{secret}/messaging/news/history?key={secret}")).header("X-Api-Key", secret),
    ] {
        assert_eq!(send(request).await.status, 200);
    }
    let two = [
        get(format!("{path}?key={secret}")).header("X-Api-Key", &world.admin),
        get(format!("/default/{secret}/messaging/news/history")).header("X-Api-Key", &world.admin),
        get(path.into())
            .header("X-Api-Key", secret)
            .header("X-Api-Key", &world.admin),
        get(format!("{path}?key={secret}&key={}", world.admin)),
    ];
    for request in two {
        assert_eq!(send(request).await.error(), (401, 2002));
    }
}

#[tokio::test]
async fn a_token_is_judged_alone_beside_a_key() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    rules(&app, json!([{"pattern": "*", "publish": ["role:editor"]}])).await;
    let ann = token(app.token("ann").await);
    assert_eq!(
        publish(&world, "news", &[ann, key(&world.admin)]).await.error(),
        (403, 5007)
    );
}

#[tokio::test]
async fn every_reading_route_asks_for_the_right_to_subscribe() {
    let world = World::new().await;
    let publisher = world.server.default_app().await.key("publisher", "publish").await;
    let id = "0199aa11-2233-7445-8667-78899aabbccd";
    for (method, path) in [
        (Method::GET, "/api/messaging/news/events".to_owned()),
        (Method::GET, "/api/messaging/news/history".to_owned()),
        (Method::POST, "/api/messaging/news/subscribe".to_owned()),
        (Method::GET, format!("/api/messaging/news/{id}")),
        (Method::DELETE, format!("/api/messaging/news/{id}")),
    ] {
        let answer = send(world.request(method.clone(), &path, &publisher)).await;
        assert_eq!(answer.error(), (403, 5007), "{method} {path}");
        let answer = send(world.server.http.request(method.clone(), world.server.url(&path))).await;
        assert_eq!(answer.error(), (401, 2002), "{method} {path}");
    }
}
