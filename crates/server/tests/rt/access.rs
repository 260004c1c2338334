use std::time::Duration;

use model::channel::ChannelPattern;
use model::key::KeyName;
use model::permission::{ChannelRule, Who};
use serde_json::json;
use testkit::rt::polling::Polling;
use testkit::rt::websocket::Ws;
use testkit::rt::{error_of, ready};

use crate::support::World;

fn rule(pattern: &str, publish: Vec<Who>, subscribe: Vec<Who>) -> ChannelRule {
    ChannelRule {
        pattern: ChannelPattern::new(pattern),
        publish,
        subscribe,
    }
}

#[tokio::test]
async fn a_bad_key_or_token_shakes_hands_and_may_subscribe_to_nothing() {
    let world = World::new().await;
    let good = world.app.token("ann").await;
    let key = &world.key;
    for (query, code) in [
        ("apiKey=app-00000000000000000000000000000000".to_owned(), 2002),
        ("apiKey=undefined&userToken=null".to_owned(), 2002),
        (String::new(), 2002),
        ("userToken=bad".to_owned(), 3064),
        (format!("apiKey={key}&userToken=bad"), 3064),
        (format!("apiKey={key}&apiKey=other&userToken={good}x"), 3064),
    ] {
        let mut client = Polling::connect(&world.server, &query).await;
        for name in [
            "PUB_SUB_CONNECT",
            "PUB_SUB_MESSAGES",
            "PUB_SUB_COMMANDS",
            "PUB_SUB_USERS",
        ] {
            let refused = client.refused(name, name, json!({"channel": "news"})).await;
            assert_eq!(refused, code, "{name}");
        }
        let command =
            json!({"id": "i", "name": "PUB_SUB_COMMAND", "options": {"channel": "news", "type": "t"}});
        client.say("MET_REQ", command).await;
        assert_eq!(error_of(client.event().await, "MET_RES", "i"), code);
    }
}

#[tokio::test]
async fn rules_decide_alone_and_anyone_needs_no_key() {
    let world = World::new().await;
    world
        .app
        .set(|settings| {
            settings.channels = vec![
                rule("open.*", vec![], vec![Who::Anyone]),
                rule("closed", vec![], vec![Who::User("ann".into())]),
            ];
        })
        .await;
    let mut nobody = Polling::connect(&world.server, "apiKey=undefined").await;
    nobody
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "open.a"}))
        .await;
    assert_eq!(
        nobody
            .refused("c", "PUB_SUB_MESSAGES", json!({"channel": "closed"}))
            .await,
        2002
    );
    let mut key = world.polling("c").await;
    assert_eq!(
        key.refused("c", "PUB_SUB_MESSAGES", json!({"channel": "closed"}))
            .await,
        5007
    );
    let token = world.app.token("ann").await;
    let mut ann = Polling::connect(&world.server, &format!("userToken={token}")).await;
    ann.subscribe("c", "PUB_SUB_MESSAGES", json!({"channel": "closed"}))
        .await;
    let command = json!({"channel": "closed", "type": "t"});
    ann.say(
        "MET_REQ",
        json!({"id": "i", "name": "PUB_SUB_COMMAND", "options": command}),
    )
    .await;
    assert_eq!(
        error_of(ann.event().await, "MET_RES", "i"),
        5007,
        "commands are as publish"
    );
}

#[tokio::test]
async fn a_revoked_key_and_a_changed_rule_end_what_is_no_longer_allowed() {
    let world = World::new().await;
    let key = world.app.create_key("mobile", "subscribe", None).await;
    let mut client = Ws::connect(&world.server, &format!("apiKey={}", key.secret)).await;
    client
        .subscribe("a", "PUB_SUB_MESSAGES", json!({"channel": "a"}))
        .await;
    client
        .subscribe("b", "PUB_SUB_MESSAGES", json!({"channel": "b"}))
        .await;
    client
        .subscribe("c", "PUB_SUB_COMMANDS", json!({"channel": "a"}))
        .await;
    let other: KeyName = "other".parse().unwrap();
    world
        .app
        .set(|settings| settings.channels = vec![rule("a", vec![], vec![Who::Key(other.to_string().into())])])
        .await;
    let mut ended: Vec<_> = [client.event().await, client.event().await]
        .into_iter()
        .map(|event| {
            let id = event.1["id"].as_str().unwrap().to_owned();
            (error_of(event, "SUB_RES", &id), id)
        })
        .collect();
    ended.sort();
    assert_eq!(ended, [(5007, "a".to_owned()), (5007, "c".to_owned())]);
    world.publish("b", json!(1)).await;
    assert_eq!(client.message("b").await, 1, "the other goes on");
    world.app.revoke(&key).await;
    assert_eq!(error_of(client.event().await, "SUB_RES", "b"), 2002);
}

#[tokio::test]
async fn an_expired_token_ends_its_subscriptions() {
    let world = World::new().await;
    let token = world.app.token_with("ann", &[], Duration::from_secs(60)).await;
    let mut client = Polling::connect(&world.server, &format!("userToken={token}")).await;
    client
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    client
        .subscribe("c", "PUB_SUB_CONNECT", json!({"channel": "news"}))
        .await;
    client.event().await;
    world.server.clock.advance(Duration::from_secs(120));
    let mut codes = vec![];
    for _ in 0..2 {
        let event = client.event().await;
        let id = event.1["id"].as_str().unwrap().to_owned();
        codes.push(error_of(event, "SUB_RES", &id));
    }
    assert_eq!(codes, [3064, 3064]);
    assert_eq!(
        client
            .refused("n", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
            .await,
        3064
    );
}

#[tokio::test]
async fn a_new_user_token_is_in_force_at_once() {
    let world = World::new().await;
    let user = |name: &str| vec![Who::User(name.into())];
    world
        .app
        .set(|settings| {
            settings.channels = vec![
                rule("ann", user("ann"), user("ann")),
                rule(
                    "both",
                    user("ann"),
                    vec![Who::User("ann".into()), Who::User("bob".into())],
                ),
            ];
        })
        .await;
    let (ann, bob) = (world.app.token("ann").await, world.app.token("bob").await);
    let mut client = Ws::connect(&world.server, &format!("userToken={ann}&clientId=c")).await;
    client
        .subscribe("a", "PUB_SUB_MESSAGES", json!({"channel": "ann"}))
        .await;
    client
        .subscribe("b", "PUB_SUB_MESSAGES", json!({"channel": "both"}))
        .await;
    client
        .subscribe("u", "PUB_SUB_USERS", json!({"channel": "both"}))
        .await;
    client.event().await;

    client
        .say(
            "MET_REQ",
            json!({"id": "t", "name": "SET_USER_TOKEN", "options": {"userToken": bob}}),
        )
        .await;
    assert_eq!(error_of(client.event().await, "SUB_RES", "a"), 5007);
    assert_eq!(
        client.event().await,
        ("MET_RES".to_owned(), json!({"id": "t", "result": null}))
    );
    let publish = world.server.http.post(world.server.url("/api/messaging/both"));
    let publish = publish
        .header("user-token", &ann)
        .json(&json!({"message": 1}))
        .send();
    assert_eq!(publish.await.unwrap().status(), 200);
    assert_eq!(client.message("b").await, 1);

    let answer = client
        .invoke("again", "SET_USER_TOKEN", json!({"userToken": ann}))
        .await;
    assert_eq!(answer.1, json!({"id": "again", "result": null}));
    client
        .subscribe("a2", "PUB_SUB_MESSAGES", json!({"channel": "ann"}))
        .await;
}

#[tokio::test]
async fn a_refused_user_token_ends_what_not_anyone_may_have() {
    let world = World::new().await;
    world
        .app
        .set(|settings| settings.channels = vec![rule("open", vec![Who::Anyone], vec![Who::Anyone])])
        .await;
    let mut client = world.websocket("c").await;
    client
        .subscribe("o", "PUB_SUB_MESSAGES", json!({"channel": "open"}))
        .await;
    client
        .subscribe("n", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    client
        .say(
            "MET_REQ",
            json!({"id": "t", "name": "SET_USER_TOKEN", "options": {"userToken": "bad"}}),
        )
        .await;
    assert_eq!(error_of(client.event().await, "SUB_RES", "n"), 3064);
    assert_eq!(error_of(client.event().await, "MET_RES", "t"), 3064);
    world.publish("open", json!(1)).await;
    assert_eq!(client.message("o").await, 1);
    client
        .say(
            "SUB_ON",
            json!({"id": "x", "name": "PUB_SUB_MESSAGES", "options": {"channel": "open"}}),
        )
        .await;
    assert_eq!(error_of(client.event().await, "SUB_RES", "x"), 3064);

    // Without a token the key is what counts.
    let answer = client
        .invoke("u", "SET_USER_TOKEN", json!({"userToken": null}))
        .await;
    assert_eq!(answer.1, json!({"id": "u", "result": null}));
    client
        .say(
            "SUB_ON",
            json!({"id": "n", "name": "PUB_SUB_MESSAGES", "options": {"channel": "news"}}),
        )
        .await;
    assert_eq!(client.event().await, ready("n"));
}

#[tokio::test]
async fn a_deleted_channel_ends_its_readers_with_a_reason() {
    let world = World::new().await;
    let mut client = world.websocket("c").await;
    world.publish("news", json!(1)).await;
    client
        .subscribe("s", "PUB_SUB_MESSAGES", json!({"channel": "news"}))
        .await;
    let delete = world
        .server
        .http
        .delete(world.server.url("/api/messaging/channels/news"))
        .header("X-Api-Key", &world.admin);
    assert_eq!(delete.send().await.unwrap().status(), 200);
    assert_eq!(error_of(client.event().await, "SUB_RES", "s"), 5909);
}
