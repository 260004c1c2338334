use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::clock::START;

use crate::support::{Answer, World, send};

async fn list(world: &World, query: &str) -> Answer {
    send(world.request(
        Method::GET,
        &format!("/api/messaging/channels{query}"),
        &world.admin,
    ))
    .await
}

fn names(list: &Value) -> Vec<&str> {
    list["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_default_channel_always_exists() {
    let world = World::new().await;
    let expected =
        json!({"channels": [{"name": "default", "position": "0", "lastPublishedAt": null}], "next": null});
    assert_eq!(list(&world, "").await.json(), expected);
    let deleted = world.delete("/api/messaging/channels/default").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, "true"));
    assert_eq!(list(&world, "").await.json(), expected);
    assert_eq!(
        list(&world, "?after=default").await.json(),
        json!({"channels": [], "next": null})
    );
    let id = world.publish("default", json!(1)).await;
    assert_eq!(
        names(&list(&world, "").await.json()),
        ["default"],
        "once, after {id}"
    );
}

#[tokio::test]
async fn channels_are_listed_by_name_page_by_page() {
    let world = World::new().await;
    for name in ["b", "a", "c"] {
        world.publish(name, json!(1)).await;
    }
    let first = list(&world, "?limit=2").await.json();
    assert_eq!((names(&first), &first["next"]), (vec!["a", "b"], &json!("b")));
    assert_eq!(first["channels"][0]["lastPublishedAt"], START.0);
    let position = first["channels"][0]["position"].as_str().unwrap();
    assert!(position.len() == 18 && position.ends_with("-1"), "{position}");
    let second = list(&world, "?limit=2&after=b").await.json();
    assert_eq!(
        (names(&second), &second["next"]),
        (vec!["c", "default"], &Value::Null)
    );
}

#[tokio::test]
async fn a_bad_limit_or_name_is_refused() {
    let world = World::new().await;
    for (query, code) in [
        ("?limit=0", 5908),
        ("?limit=1001", 5908),
        ("?limit=x", 5908),
        ("?after=a%2Fb", 5903),
    ] {
        assert_eq!(list(&world, query).await.error(), (400, code), "{query}");
    }
}

#[tokio::test]
async fn administering_needs_the_scope_admin() {
    let world = World::new().await;
    world.publish("news", json!(1)).await;
    let token = world.server.default_app().await.token("ann").await;
    for (method, path) in [
        (Method::GET, "/api/messaging/channels"),
        (Method::DELETE, "/api/messaging/channels/news"),
    ] {
        assert_eq!(
            send(world.request(method.clone(), path, &world.key))
                .await
                .error(),
            (403, 5007)
        );
        let request = || world.server.http.request(method.clone(), world.server.url(path));
        assert_eq!(
            send(request().header("user-token", &token)).await.error(),
            (403, 5007)
        );
        assert_eq!(send(request()).await.error(), (401, 2002));
    }
    assert_eq!(world.payloads("news").await, [json!(1)]);
}

#[tokio::test]
async fn a_deleted_channel_is_gone_and_begins_anew() {
    let world = World::new().await;
    let id = world.publish("news", json!(1)).await;
    let before = list(&world, "?after=default").await.json()["channels"][0]["position"].take();
    let deleted = world.delete("/api/messaging/channels/news").await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, "true"));
    assert_eq!(deleted.headers["content-type"], "application/json");
    assert_eq!(
        world.delete("/api/messaging/channels/news").await.error(),
        (404, 5909)
    );
    assert_eq!(
        world.delete("/api/messaging/channels/n%2Fs").await.error(),
        (400, 5903)
    );
    assert_eq!(names(&list(&world, "").await.json()), ["default"]);
    assert_eq!(world.payloads("news").await, Vec::<Value>::new());
    assert_eq!(
        world.get(&format!("/api/messaging/{id}")).await.json()["status"],
        "unknown"
    );
    world.publish("news", json!(2)).await;
    let after = list(&world, "?after=default").await.json()["channels"][0]["position"].take();
    assert_ne!(before, after, "another epoch");
    assert!(after.as_str().unwrap().ends_with("-1"), "{after}");
}

#[tokio::test]
async fn history_goes_page_by_page_from_any_position() {
    let world = World::new().await;
    for n in 1..=5 {
        world.publish("news", json!(n)).await;
        world.server.clock.advance(Duration::from_secs(60));
    }
    let page = async |query: String| {
        let answer = world.get(&format!("/api/messaging/news/history{query}")).await;
        assert_eq!(answer.headers["content-type"], "application/json");
        let body = answer.json();
        assert_eq!(body.get("gap"), None);
        let seqs: Vec<u64> = body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["seq"].as_u64().unwrap())
            .collect();
        (seqs, body["nextSince"].as_str().unwrap().to_owned())
    };
    let (first, next) = page("?limit=2".into()).await;
    assert_eq!(first, [1, 2]);
    let (second, next) = page(format!("?limit=2&since={next}")).await;
    assert_eq!(second, [3, 4]);
    let (third, next) = page(format!("?limit=2&since={next}")).await;
    assert_eq!(third, [5]);
    assert_eq!(page(format!("?since={next}")).await, (vec![], next));
    assert_eq!(page("?since=3".into()).await.0, [4, 5]);
    assert_eq!(page("?since=all".into()).await.0, [1, 2, 3, 4, 5]);
    assert_eq!(page("?since=".into()).await.0, [1, 2, 3, 4, 5]);
    // The fourth came two minutes ago.
    assert_eq!(page("?since=150s".into()).await.0, [4, 5]);
}

#[tokio::test]
async fn history_of_a_channel_that_never_was_is_empty_and_starts_at_0() {
    let world = World::new().await;
    let answer = world.get("/api/messaging/never/history").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"messages": [], "nextSince": "0"}))
    );
    assert_eq!(
        names(&list(&world, "").await.json()),
        ["default"],
        "reading makes no channel"
    );
}

#[tokio::test]
async fn bad_positions_and_limits_are_5908() {
    let world = World::new().await;
    for query in [
        "since=yesterday",
        "since=-1",
        "since=0123-1",
        "since=10",
        "limit=0",
        "limit=1001",
        "limit=many",
    ] {
        let (name, value) = query.split_once('=').unwrap();
        let answer = world.get(&format!("/api/messaging/news/history?{query}")).await;
        if value == "10" {
            assert_eq!(answer.status, 200, "a bare seq is fine");
            continue;
        }
        assert_eq!(answer.error(), (400, 5908), "{query}");
        assert!(answer.message().starts_with(name), "{}", answer.text);
    }
    assert_eq!(
        world.get("/api/messaging/a%2Fb/history").await.error(),
        (400, 5903)
    );
    assert_eq!(world.get("/api/messaging/%FF/history").await.error(), (400, 5903));
}

#[tokio::test]
async fn history_tells_what_the_window_lost() {
    let world = World::new().await;
    world
        .server
        .default_app()
        .await
        .set(|settings| settings.history.count = 3)
        .await;
    for n in 1..=5 {
        world.publish("news", json!(n)).await;
    }
    let body = world.get("/api/messaging/news/history?since=1").await.json();
    let seqs: Vec<u64> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, [3, 4, 5]);
    assert_eq!(body["gap"]["from"], "1");
    assert!(body["gap"]["to"].as_str().unwrap().ends_with("-2"), "{body}");
    assert_eq!(
        world
            .get("/api/messaging/news/history?since=2")
            .await
            .json()
            .get("gap"),
        None
    );
}
