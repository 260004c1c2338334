use reqwest::Method;
use serde_json::{Value, json};

use super::Client;
use crate::support::{World, send};

/// Imports a message of the user `ann`, for the clients `web` and `ios`.
async fn import(world: &World, id: &str) {
    let document = json!({
        "id": id, "uid": "ann", "created": "2020-01-01T00:00:00Z", "expires": "2100-01-01T00:00:00Z",
        "title": "t", "body": "b", "clients": ["web", "ios"], "type": "info", "prio": 1,
    });
    let request = world.request(Method::POST, "/messages/import", &world.admin);
    let request = request.header("Content-Type", "application/x-ndjson");
    let answer = send(request.body(document.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn delete(world: &World, id: &str) {
    let path = format!("/messages/{id}");
    let answer = send(world.request(Method::DELETE, &path, &world.admin)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

async fn connect(world: &World, user: &str) -> Client {
    let token = world.server.default_app().await.token(user).await;
    Client::try_connect(&world.server, &format!("/api/realtime?token={token}"), &[])
        .await
        .unwrap()
}

impl Client {
    /// The next event of this inbox: its name, its data, and the cursor behind it.
    async fn event(&mut self, id: &str) -> (String, Value, Value) {
        let mut event = self.hear().await;
        assert_eq!(
            (&event["op"], &event["id"]),
            (&json!("inbox"), &json!(id)),
            "{event}"
        );
        assert_eq!(event.as_object().unwrap().len(), 5, "{event}");
        let name = event["event"].as_str().unwrap().to_owned();
        (name, event["data"].take(), event["cursor"].take())
    }
}

#[tokio::test]
async fn an_inbox_tells_the_list_then_every_change_and_resumes_at_a_cursor() {
    let world = World::new().await;
    import(&world, "1").await;
    let mut client = connect(&world, "ann").await;
    client
        .say(json!({"op": "inbox", "id": "i", "client": "ios"}))
        .await;
    let (name, data, _) = client.event("i").await;
    assert_eq!(
        (name.as_str(), &data["id"], &data["unread"]),
        ("message", &json!("1"), &json!(1))
    );
    let (name, data, _) = client.event("i").await;
    assert_eq!(
        (name.as_str(), data),
        ("synced", json!({"unread": 1, "total": 1}))
    );
    import(&world, "2").await;
    let (name, data, cursor) = client.event("i").await;
    assert_eq!(
        (name.as_str(), &data["id"], &data["unread"]),
        ("message", &json!("2"), &json!(2))
    );
    delete(&world, "1").await;
    let (name, data, _) = client.event("i").await;
    assert_eq!(name, "removed");
    assert_eq!(data, json!({"id": "1", "reason": "deleted", "unread": 1}));
    let answer = client.ask(json!({"op": "unsubscribe", "id": "i"})).await;
    assert_eq!(answer, json!({"op": "ok", "id": "i"}));
    let again = json!({"op": "inbox", "id": "j", "client": "ios", "since": cursor});
    client.say(again).await;
    assert_eq!(client.event("j").await.1["id"], "1");
    assert_eq!(client.event("j").await.0, "synced");
}

#[tokio::test]
async fn an_inbox_goes_beside_subscriptions_and_counts_as_one() {
    let server = testkit::server::Server::builder()
        .app(|settings| settings.limits.connection_subscriptions = 2)
        .start()
        .await;
    let world = World::of(server).await;
    let mut client = connect(&world, "ann").await;
    client.say(json!({"op": "inbox", "id": "i"})).await;
    assert_eq!(client.event("i").await.0, "synced");
    assert_eq!(
        client.error(json!({"op": "inbox", "id": "i"}), json!("i")).await,
        5908
    );
    client.subscribe("a", "news").await;
    assert_eq!(
        client.error(json!({"op": "inbox", "id": "j"}), json!("j")).await,
        5913
    );
    world.publish("news", json!(1)).await;
    assert_eq!(client.message().await, ("a".to_owned(), json!(1)));
    import(&world, "1").await;
    assert_eq!(client.event("i").await.0, "message");
}

#[tokio::test]
async fn an_inbox_is_refused_to_keys_and_to_clients_that_are_none() {
    let world = World::new().await;
    let mut key = Client::new(&world).await;
    assert_eq!(key.error(json!({"op": "inbox", "id": 1}), json!(1)).await, 5007);
    let mut client = connect(&world, "ann").await;
    for bad in [
        json!({"op": "inbox", "id": 1, "client": "fridge"}),
        json!({"op": "inbox", "id": 1, "client": 7}),
        json!({"op": "inbox", "id": 1, "since": "yesterday"}),
    ] {
        assert_eq!(client.error(bad.clone(), json!(1)).await, 5908, "{bad}");
    }
    client.say(json!({"op": "inbox", "id": "i"})).await;
    assert_eq!(client.event("i").await.0, "synced");
}

#[tokio::test]
async fn an_auth_as_another_user_ends_the_inbox_and_as_the_same_one_does_not() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let mut client = connect(&world, "ann").await;
    client.say(json!({"op": "inbox", "id": "i"})).await;
    assert_eq!(client.event("i").await.0, "synced");
    let token = app.token("ann").await;
    let answer = client.ask(json!({"op": "auth", "id": 1, "token": token})).await;
    assert_eq!(answer, json!({"op": "ok", "id": 1}));
    import(&world, "1").await;
    assert_eq!(client.event("i").await.1["id"], "1");
    let token = app.token("bob").await;
    let end = client.ask(json!({"op": "auth", "id": 2, "token": token})).await;
    assert_eq!(
        (&end["op"], &end["id"], &end["code"]),
        (&json!("end"), &json!("i"), &json!(5007))
    );
    assert_eq!(client.hear().await, json!({"op": "ok", "id": 2}));
    client.say(json!({"op": "inbox", "id": "i"})).await;
    let (name, data, _) = client.event("i").await;
    assert_eq!(
        (name.as_str(), data),
        ("synced", json!({"unread": 0, "total": 0}))
    );
}
