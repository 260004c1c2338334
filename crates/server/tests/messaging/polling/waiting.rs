use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::server::Server;

use super::{nothing, numbers};
use crate::support::{World, send};

/// Long enough for a poll to be held, on a slow machine too.
const HELD: Duration = Duration::from_millis(150);

#[tokio::test]
async fn an_answer_is_held_until_something_comes() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    let began = Instant::now();
    let publishing = async {
        tokio::time::sleep(HELD).await;
        world.publish("news", json!(1)).await;
    };
    let (heard, ()) = tokio::join!(polling.payloads("?wait=60"), publishing);
    assert_eq!(heard, numbers(1..=1));
    assert!(began.elapsed() >= HELD, "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // What is there already is not waited for.
    world.publish("news", json!(2)).await;
    let began = Instant::now();
    assert_eq!(polling.payloads("?wait=60").await, numbers(2..=2));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_without_messages_comes_when_the_wait_is_over() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    world.publish("other", json!(1)).await;
    let began = Instant::now();
    assert_eq!(
        polling.poll("?wait=1").await,
        json!({"messages": [], "position": "0"})
    );
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_belongs_to_the_subscription_is_refused_in_a_poll() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    for (query, name) in [
        ("?selector=a%3D1", "selector"),
        ("?wait=1&subtopic=a.*", "subtopic"),
    ] {
        let answer = polling.send(Method::GET, query).await;
        assert_eq!(answer.error(), (400, 5908), "{query}");
        let begin = format!("{name}: expected in the body of the subscribe request");
        assert!(answer.message().starts_with(&begin), "{}", answer.text);
    }
    assert_eq!(polling.payloads("?selector=&subtopic=").await, nothing());
}

#[tokio::test]
async fn a_wait_has_bounds() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    for (query, found) in [
        ("?wait=61", "61"),
        ("?wait=-1", "-1"),
        ("?wait=1.5", "1.5"),
        ("?wait=x", "x"),
    ] {
        let answer = polling.send(Method::GET, query).await;
        assert_eq!(answer.error(), (400, 5908), "{query}");
        assert!(answer.message().starts_with("wait: expected"), "{}", answer.text);
        assert!(answer.message().contains(found), "{}", answer.text);
    }
    assert_eq!(polling.payloads("?wait=").await, nothing());
    assert_eq!(polling.payloads("?wait=0").await, nothing());
    let shorter = World::of(
        Server::builder()
            .engine(|options| options.poll_wait = Duration::from_secs(2))
            .start()
            .await,
    )
    .await;
    let answer = shorter.polling("news").await.send(Method::GET, "?wait=3").await;
    assert_eq!(answer.error(), (400, 5908));
    assert!(answer.message().contains("at most 2 seconds"), "{}", answer.text);
}

#[tokio::test]
async fn a_held_answer_ends_when_its_key_is_revoked() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let key = app.create_key("reader", "subscribe", None).await;
    let polling = world.polling_with("news", &json!({}), &key.secret).await;
    let revoking = async {
        tokio::time::sleep(HELD).await;
        app.revoke(&key).await;
    };
    let (answer, ()) = tokio::join!(polling.send(Method::GET, "?wait=60"), revoking);
    assert_eq!(answer.error(), (401, 2002), "{}", answer.text);
}

#[tokio::test]
async fn a_held_answer_ends_when_a_rule_forbids_it() {
    let world = World::new().await;
    let app = world.server.default_app().await;
    let polling = world.polling("news").await;
    let changing = async {
        tokio::time::sleep(HELD).await;
        app.set(|settings| {
            let rule = serde_json::from_value(json!({"pattern": "news", "subscribe": ["role:editor"]}));
            settings.channels.push(rule.unwrap());
        })
        .await;
    };
    let (answer, ()) = tokio::join!(polling.send(Method::GET, "?wait=60"), changing);
    assert_eq!(answer.error(), (403, 5007), "{}", answer.text);
    assert_eq!(polling.send(Method::GET, "").await.error(), (403, 5007));
}

#[tokio::test]
async fn a_held_answer_ends_when_its_channel_is_deleted() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let polling = world.polling("news").await;
    assert_eq!(polling.payloads("").await, numbers(1..=1));
    let deleting = async {
        tokio::time::sleep(HELD).await;
        world.delete("/api/messaging/channels/news").await;
    };
    let (answer, ()) = tokio::join!(polling.send(Method::GET, "?wait=60"), deleting);
    assert_eq!(answer.error(), (404, 5907), "{}", answer.text);
}

#[tokio::test]
async fn a_held_answer_ends_when_its_subscription_is_deleted() {
    let world = World::new().await;
    let (polling, other) = (world.polling("news").await, world.polling("news").await);
    let deleting = async {
        tokio::time::sleep(HELD).await;
        let deleted = polling.send(Method::DELETE, "").await;
        assert_eq!(deleted.json(), json!(true));
        world.publish("news", json!(1)).await;
    };
    let began = Instant::now();
    let (ended, heard, ()) = tokio::join!(
        polling.send(Method::GET, "?wait=60"),
        other.payloads("?wait=60"),
        deleting
    );
    assert_eq!(ended.error(), (404, 5907), "{}", ended.text);
    assert_eq!(heard, numbers(1..=1), "others wait on");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_is_held_on_a_channel_that_only_a_schedule_is_for() {
    let world = World::new().await;
    let daily = json!({"message": 1, "repeatCron": "0 0 * * *"});
    let scheduling = world
        .request(Method::POST, "/api/messaging/news", &world.admin)
        .header("Content-Type", "application/json");
    send(scheduling.body(daily.to_string())).await.message_id();
    let polling = world.polling("news").await;
    let began = Instant::now();
    let answer = polling.poll("?wait=1").await;
    assert_eq!(
        answer,
        json!({"messages": [], "position": "0"}),
        "nothing was lost"
    );
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    world.publish("news", json!(2)).await;
    assert_eq!(polling.payloads("").await, numbers(2..=2));
}

#[tokio::test]
async fn a_held_answer_ends_when_the_server_stops_and_nothing_is_lost() {
    let world = World::new().await;
    let polling = world.polling("news").await;
    let (path, request) = (
        polling.path.clone(),
        world.request(Method::GET, &format!("{}?wait=60", polling.path), &polling.key),
    );
    let held = tokio::spawn(crate::support::send(request));
    tokio::time::sleep(HELD).await;
    let World { server, admin, key } = world;
    let server = server.restart().await;
    let answer = held.await.unwrap();
    assert_eq!(answer.error(), (503, 5914), "{}", answer.text);
    assert_eq!(answer.headers["retry-after"], "1");
    let world = World { server, admin, key };
    world.publish("news", json!(1)).await;
    assert_eq!(super::payloads(&world.get(&path).await.json()), numbers(1..=1));
}

#[tokio::test]
async fn held_answers_count_as_open_subscriptions() {
    let change = |settings: &mut model::settings::AppSettings| settings.limits.subscriptions = 1;
    let world = World::of(Server::builder().app(change).start().await).await;
    let polling = world.polling("news").await;
    let events = world.events("news", "").await;
    assert_eq!(polling.send(Method::GET, "?wait=60").await.error(), (429, 5913));
    assert_eq!(polling.payloads("").await, nothing());
    drop(events);
}

#[tokio::test]
async fn the_selector_of_a_subscription_counts_as_one_of_the_app_while_it_is_polled() {
    let change = |settings: &mut model::settings::AppSettings| settings.limits.selectors = 1;
    let world = World::of(Server::builder().app(change).start().await).await;
    let polling = world
        .polling_with("news", &json!({"selector": "n = 1"}), &world.key)
        .await;
    let same = world
        .polling_with("other", &json!({"selector": "(n)=1.0"}), &world.key)
        .await;
    let events = world.events("news", "?selector=n%20%3D%202").await;
    for query in ["", "?wait=60"] {
        assert_eq!(polling.send(Method::GET, query).await.error(), (429, 5913));
    }
    drop(events);
    testkit::soon("the place of a selector that nobody has any more", async {
        while polling.send(Method::GET, "").await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let publishing = async {
        testkit::soon("the poll is held", async {
            while world.server.engine.open_streams() != 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let events = "/api/messaging/news/events?selector=n%20%3D%202";
        assert_eq!(world.get(events).await.error(), (429, 5913));
        assert_eq!(same.payloads("").await, nothing());
        let body = json!({"message": 7, "headers": {"n": 1}});
        assert_eq!(world.post("news", body.to_string()).await.status, 200);
    };
    let (heard, _) = tokio::join!(polling.payloads("?wait=60"), publishing);
    assert_eq!(heard, numbers(7..=7));
}
