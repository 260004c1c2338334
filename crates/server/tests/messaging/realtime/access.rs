use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Client;
use crate::support::World;

/// The id and the code of the `end` that must be next.
async fn end(client: &mut Client) -> (Value, u64) {
    let end = client.hear().await;
    assert_eq!(end["op"], "end", "{end}");
    assert!(!end["message"].as_str().unwrap().is_empty());
    assert_eq!(end.as_object().unwrap().len(), 4, "{end}");
    (end["id"].clone(), end["code"].as_u64().unwrap())
}

fn subscribe(id: &str, channel: &str) -> Value {
    json!({"op": "subscribe", "id": id, "channel": channel})
}

fn publish(id: &str, channel: &str) -> Value {
    json!({"op": "publish", "id": id, "channel": channel, "message": 1})
}

/// The answer to a publish and the message itself come next, in either order.
async fn assert_publishes_and_hears(client: &mut Client) {
    let heard = [client.hear().await, client.hear().await];
    for op in ["ok", "message"] {
        assert!(heard.iter().any(|heard| heard["op"] == op), "{op}: {heard:?}");
    }
}

/// `staff.*` is for editors.
async fn world_with_staff() -> World {
    let world = World::new().await;
    let app = world.server.default_app().await;
    app.set(|settings| {
        let rule = json!({"pattern": "staff.*", "subscribe": ["role:editor"], "publish": ["role:editor"]});
        settings.channels.push(serde_json::from_value(rule).unwrap());
        let rule = json!({"pattern": "open.*", "subscribe": ["anyone"], "publish": ["anyone"]});
        settings.channels.push(serde_json::from_value(rule).unwrap());
    })
    .await;
    world
}

#[tokio::test]
async fn what_the_caller_may_not_do_is_refused_by_op() {
    let world = world_with_staff().await;
    let mut key = Client::new(&world).await;
    assert_eq!(key.error(subscribe("a", "staff.x"), json!("a")).await, 5007);
    assert_eq!(key.error(publish("p", "staff.x"), json!("p")).await, 5007);
    let mut nobody = Client::try_connect(&world.server, "/api/realtime", &[])
        .await
        .unwrap();
    assert_eq!(nobody.error(subscribe("a", "news"), json!("a")).await, 2002);
    assert_eq!(nobody.error(publish("p", "news"), json!("p")).await, 2002);
    nobody.subscribe("a", "open.x").await;
    assert_eq!(nobody.ask(publish("p", "open.y")).await["op"], "ok");
}

#[tokio::test]
async fn a_revoked_key_ends_its_subscriptions_within_two_seconds_and_its_requests_at_once() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let key = app.create_key("reader", "subscribe,publish", None).await;
    let mut client = Client::with_key(&world, &key.secret).await;
    client.subscribe("a", "news").await;
    client.subscribe("b", "sport").await;
    let mut stays = Client::new(&world).await;
    stays.subscribe("a", "news").await;
    let revoked = Instant::now();
    app.revoke(&key).await;
    let mut ended = [end(&mut client).await, end(&mut client).await];
    assert!(
        revoked.elapsed() < Duration::from_secs(2),
        "{:?}",
        revoked.elapsed()
    );
    ended.sort_by_key(|(id, _)| id.to_string());
    assert_eq!(ended, [(json!("a"), 2002), (json!("b"), 2002)]);
    assert_eq!(client.error(subscribe("a", "news"), json!("a")).await, 2002);
    assert_eq!(client.error(publish("p", "news"), json!("p")).await, 2002);
    world.publish("news", json!(1)).await;
    assert_eq!(stays.message().await, ("a".to_owned(), json!(1)));
}

#[tokio::test]
async fn an_expired_token_ends_subscriptions_unless_a_new_one_came_before() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let token = app.token_with("ann", &[], Duration::from_secs(600)).await;
    let path = format!("/api/realtime?token={token}");
    let mut lapses = Client::try_connect(&world.server, &path, &[]).await.unwrap();
    let mut renews = Client::try_connect(&world.server, &path, &[]).await.unwrap();
    lapses.subscribe("a", "news").await;
    renews.subscribe("a", "news").await;
    let token = app.token_with("ann", &[], Duration::from_secs(3_600)).await;
    let answer = renews.ask(json!({"op": "auth", "token": token})).await;
    assert_eq!(answer, json!({"op": "ok", "id": null}));
    world.server.clock.advance(Duration::from_secs(631));
    assert_eq!(end(&mut lapses).await, (json!("a"), 3064));
    assert_eq!(lapses.error(publish("p", "news"), json!("p")).await, 3064);
    world.publish("news", json!(1)).await;
    assert_eq!(renews.message().await, ("a".to_owned(), json!(1)));
    world.server.clock.advance(Duration::from_secs(3_001));
    assert_eq!(end(&mut renews).await, (json!("a"), 3064));
}

#[tokio::test]
async fn a_changed_rule_ends_the_subscriptions_that_it_forbids() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news.a").await;
    client.subscribe("b", "sport").await;
    let app = world.server.default_app().await;
    app.set(|settings| {
        let rule = json!({"pattern": "news.*", "subscribe": ["role:editor"]});
        settings.channels.push(serde_json::from_value(rule).unwrap());
    })
    .await;
    assert_eq!(end(&mut client).await, (json!("a"), 5007));
    world.publish("sport", json!(1)).await;
    assert_eq!(client.message().await, ("b".to_owned(), json!(1)));
}

#[tokio::test]
async fn an_auth_replaces_the_caller_and_ends_what_the_new_one_may_not_have() {
    let world = world_with_staff().await;
    let app = world.server.default_app().await;
    let editor = app.token_with("eve", &["editor"], Duration::from_secs(600)).await;
    let reader = app.token("ann").await;
    let mut client = Client::try_connect(&world.server, "/api/realtime", &[])
        .await
        .unwrap();
    assert_eq!(client.error(subscribe("s", "staff.x"), json!("s")).await, 2002);
    let answer = client.ask(json!({"op": "auth", "id": 1, "token": editor})).await;
    assert_eq!(answer, json!({"op": "ok", "id": 1}));
    client.subscribe("s", "staff.x").await;
    client.subscribe("n", "news").await;
    client.say(publish("p", "staff.x")).await;
    assert_publishes_and_hears(&mut client).await;
    client.say(json!({"op": "auth", "id": 2, "token": reader})).await;
    assert_eq!(end(&mut client).await, (json!("s"), 5007));
    assert_eq!(client.hear().await, json!({"op": "ok", "id": 2}));
    assert_eq!(client.error(publish("p", "staff.x"), json!("p")).await, 5007);
    world.publish("news", json!(2)).await;
    assert_eq!(client.message().await, ("n".to_owned(), json!(2)));
    // Without a token the caller is again who opened the connection: nobody.
    client.say(json!({"op": "auth", "id": 3, "token": null})).await;
    assert_eq!(end(&mut client).await, (json!("n"), 2002));
    assert_eq!(client.hear().await, json!({"op": "ok", "id": 3}));
}

#[tokio::test]
async fn a_refused_auth_is_an_error_and_leaves_the_caller_as_it_was() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    assert_eq!(
        client
            .error(json!({"op": "auth", "id": 1, "token": "x.y.z"}), json!(1))
            .await,
        3064
    );
    assert_eq!(
        client
            .error(json!({"op": "auth", "id": 2, "token": 7}), json!(2))
            .await,
        5908
    );
    client.say(publish("p", "news")).await;
    assert_publishes_and_hears(&mut client).await;
}

#[tokio::test]
async fn deleting_a_channel_ends_its_subscriptions_after_its_last_message() {
    let world = World::new().await;
    let mut client = Client::new(&world).await;
    client.subscribe("a", "news").await;
    client.subscribe("b", "sport").await;
    world.publish("news", json!(1)).await;
    world.delete("/api/messaging/channels/news").await;
    assert_eq!(client.message().await, ("a".to_owned(), json!(1)));
    assert_eq!(end(&mut client).await, (json!("a"), 5909));
    world.publish("sport", json!(2)).await;
    assert_eq!(client.message().await, ("b".to_owned(), json!(2)));
}
