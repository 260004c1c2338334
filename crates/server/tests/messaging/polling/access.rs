use std::time::Duration;

use model::settings::AppSettings;
use reqwest::Method;
use serde_json::json;
use testkit::server::Server;

use super::numbers;
use crate::support::{World, send};

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test]
async fn a_subscription_belongs_to_its_creator_and_to_its_channel() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let other = app.key("other", "publish,subscribe").await;
    let polling = world.polling("news").await;
    world.publish("news", json!(1)).await;
    let id = polling.path.rsplit('/').next().unwrap();
    let foreign = [
        (polling.path.clone(), other.clone()),
        (polling.path.clone(), world.admin.clone()),
        (format!("/api/messaging/other/{id}"), world.key.clone()),
        (
            "/api/messaging/news/0199aa11-2233-7445-8667-78899aabbccd".to_owned(),
            world.key.clone(),
        ),
        ("/api/messaging/news/nonsense".to_owned(), world.key.clone()),
    ];
    for (path, key) in &foreign {
        for method in [Method::GET, Method::DELETE] {
            let answer = send(world.request(method.clone(), path, key)).await;
            assert_eq!(answer.error(), (404, 5907), "{method} {path}");
        }
    }
    let apart = world.server.create_app("shop").await;
    let key = apart.key("app", "publish,subscribe").await;
    let path = format!("/shop/{key}/messaging/news/{id}");
    let elsewhere = send(world.server.http.get(world.server.url(&path))).await;
    assert_eq!(elsewhere.error(), (404, 5907));
    // A new key of the same name is the same principal.
    let renewed = app.key("app", "subscribe").await;
    let answer = send(world.request(Method::GET, &polling.path, &renewed)).await;
    assert_eq!(super::payloads(&answer.json()), numbers(1..=1));
}

#[tokio::test]
async fn users_have_subscriptions_of_their_own() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let (ann, bob) = (app.token("ann").await, app.token("bob").await);
    let as_user = |method, path: &str, token: &str| {
        let url = world.server.url(path);
        world.server.http.request(method, url).header("user-token", token)
    };
    let subscribed = send(as_user(Method::POST, "/api/messaging/news/subscribe", &ann)).await;
    let id = subscribed.json()["subscriptionId"].as_str().unwrap().to_owned();
    world.publish("news", json!(1)).await;
    let path = format!("/api/messaging/news/{id}");
    assert_eq!(send(as_user(Method::GET, &path, &bob)).await.error(), (404, 5907));
    let again = app.token("ann").await;
    let answer = send(as_user(Method::GET, &path, &again)).await;
    assert_eq!(super::payloads(&answer.json()), numbers(1..=1));
}

#[tokio::test]
async fn who_may_not_subscribe_may_not_poll() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let publisher = app.key("publisher", "publish").await;
    let path = "/api/messaging/news/0199aa11-2233-7445-8667-78899aabbccd";
    let requests = [
        (Method::POST, "/api/messaging/news/subscribe"),
        (Method::GET, path),
        (Method::DELETE, path),
    ];
    for (method, path) in requests {
        let answer = send(world.request(method.clone(), path, &publisher)).await;
        assert_eq!(answer.error(), (403, 5007), "{method} {path}");
        let url = world.server.url(path);
        let anonymous = send(world.server.http.request(method.clone(), url)).await;
        assert_eq!(anonymous.error(), (401, 2002), "{method} {path}");
        let bad = path.replace("/news/", "/a%2Fb/");
        let answer = send(world.request(method.clone(), &bad, &world.key)).await;
        assert_eq!(answer.error(), (400, 5903), "{method} {bad}");
    }
}

#[tokio::test]
async fn a_bad_body_is_told_with_its_field() {
    let world = World::new().await;
    let long = "x".repeat(17 * 1024);
    let cases = [
        ("[]", (400, 5901), "line 1"),
        ("{\"selector\":", (400, 5901), "line 1"),
        (
            "{\"selector\":1}",
            (400, 5908),
            "selector: expected a string, found a number",
        ),
        (
            "{\"subtopic\":[]}",
            (400, 5908),
            "subtopic: expected a string, found an array",
        ),
        (
            "{\"subscriberId\":{}}",
            (400, 5908),
            "subscriberId: expected a string, found an object",
        ),
        (long.as_str(), (413, 5910), "16384"),
    ];
    for (body, error, text) in cases {
        let answer = send(world.subscribing("news", body.to_owned(), &world.key)).await;
        assert_eq!(answer.error(), error, "{body:.40}");
        assert!(answer.message().contains(text), "{}", answer.text);
    }
    let empty = [
        "",
        " \n",
        "{}",
        "{\"subscriberId\":null,\"selector\":\"\",\"subtopic\":null,\"x\":1}",
    ];
    for body in empty {
        let answer = send(world.subscribing("news", body, &world.key)).await;
        assert_eq!(answer.status, 200, "{body:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn delete_ends_a_subscription() {
    let world = World::new().await;
    let (polling, other) = (world.polling("news").await, world.polling("news").await);
    let deleted = polling.send(Method::DELETE, "").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, "true"));
    assert_eq!(polling.send(Method::DELETE, "").await.error(), (404, 5907));
    assert_eq!(polling.send(Method::GET, "").await.error(), (404, 5907));
    other.poll("").await;
}

#[tokio::test]
async fn an_idle_subscription_is_gone_after_a_day_and_a_polled_one_stays() {
    let world = World::new().await;
    let (idle, polled) = (world.polling("news").await, world.polling("news").await);
    world.server.clock.advance(DAY - Duration::from_secs(1));
    polled.poll("").await;
    world.server.clock.advance(Duration::from_secs(1));
    assert_eq!(idle.send(Method::GET, "").await.error(), (404, 5907));
    assert_eq!(idle.send(Method::DELETE, "").await.error(), (404, 5907));
    polled.poll("").await;
    world.server.clock.advance(DAY);
    assert_eq!(polled.send(Method::GET, "").await.error(), (404, 5907));
}

#[tokio::test]
async fn the_idle_time_is_configurable() {
    let change = |settings: &mut AppSettings| settings.polling.idle = model::time::Span::seconds(30);
    let world = World::of(Server::builder().app(change).start().await).await;
    let polling = world.polling("news").await;
    for _ in 0..4 {
        world.server.clock.advance(Duration::from_secs(20));
        polling.poll("").await;
    }
    world.server.clock.advance(Duration::from_secs(30));
    assert_eq!(polling.send(Method::GET, "").await.error(), (404, 5907));
}

#[tokio::test]
async fn the_cap_of_subscriptions_is_429_until_there_is_room() {
    let change = |settings: &mut AppSettings| settings.limits.subscriptions = 2;
    let world = World::of(Server::builder().app(change).start().await).await;
    let first = world.polling("news").await;
    world.polling("other").await;
    let refused = send(world.subscribing("news", "", &world.key)).await;
    assert_eq!(refused.error(), (429, 5913));
    assert!(refused.message().contains('2'), "{}", refused.text);
    first.send(Method::DELETE, "").await;
    world.polling("news").await;
}

#[tokio::test]
async fn deleting_a_channel_deletes_its_subscriptions() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let (gone, stays) = (world.polling("news").await, world.polling("other").await);
    world.delete("/api/messaging/channels/news").await;
    assert_eq!(gone.send(Method::GET, "").await.error(), (404, 5907));
    world.publish("news", json!(2)).await;
    assert_eq!(gone.send(Method::GET, "?since=all").await.error(), (404, 5907));
    stays.poll("").await;
    assert_eq!(world.polling("news").await.payloads("").await, numbers(2..=2));
}
