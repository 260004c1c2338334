//! Who may, how many, how streams end, and counts.

use super::*;

#[tokio::test]
async fn a_stream_ends_with_a_reason_when_its_token_does() {
    let world = World::start().await;
    let token = world.app.token_with("u", &[], Duration::from_secs(60)).await;
    let mut short = Events::of(
        get(&world.server, "/messages/stream")
            .token(&token)
            .stream()
            .await,
    );
    let mut long = world.stream("").await;
    for events in [&mut short, &mut long] {
        assert_eq!(until_synced(events).await.len(), 1);
    }
    // The token's time and the leeway.
    world.server.clock.advance(Duration::from_secs(90));
    let end = short.next().await.unwrap();
    assert_eq!(
        (end.name.as_str(), end.json()["code"].as_u64()),
        ("end", Some(3064))
    );
    assert!(short.next().await.is_none());
    world.import(&[document("a", "u")]).await;
    assert_eq!(next(&mut long).await.0, "message");
    // Tokens that were signed with the old secret are no good any more.
    let other = model::settings::Secret::new("another secret that tests alone may use, of 32 bytes");
    world.app.set(|settings| settings.jwt.secret = Some(other)).await;
    assert_eq!(long.next().await.unwrap().name, "end");
    assert!(long.next().await.is_none());
    world.server.stop().await;
}

#[tokio::test]
async fn only_users_have_a_live_inbox_and_bad_parameters_are_told() {
    let world = World::start().await;
    let server = &world.server;
    let admin = world.app.key("admin", "admin").await;
    for path in ["/messages/stream", "/messages/count"] {
        assert_eq!(get(server, path).failure().await.0, 401, "{path}");
        assert_eq!(get(server, path).key(&admin).failure().await.0, 401, "{path}");
        assert_eq!(
            get(server, path).token("no token").failure().await.0,
            401,
            "{path}"
        );
    }
    assert_eq!(
        post(server, "/messages/1/read").key(&admin).failure().await.0,
        401
    );
    for (query, expected) in [
        (
            "?client=tv",
            "client: expected one of web, ios, android, atv, stv, found \"tv\"",
        ),
        ("?limit=0", "limit: expected 1 to 1000, found 0"),
        ("?limit=x", "limit: expected a whole number from 1, found \"x\""),
        (
            "?since=12",
            "cursor: expected the cursor of an event, found \"12\"",
        ),
        (
            "?since=1-+2-3",
            "cursor: expected the cursor of an event, found \"1- 2-3\"",
        ),
    ] {
        let call = get(server, &format!("/messages/stream{query}")).token(&world.token);
        assert_eq!(call.failure().await, (400, expected.to_owned()), "{query}");
    }
    let call = get(server, "/messages/stream")
        .token(&world.token)
        .header("last-event-id", "x");
    assert_eq!(call.failure().await.0, 400);
    world.server.stop().await;
}

#[tokio::test]
async fn live_inboxes_count_as_subscriptions_of_the_app() {
    let world = World::start().await;
    world.app.set(|settings| settings.limits.subscriptions = 2).await;
    let first = world.stream("").await;
    let _second = world.stream("").await;
    let call = get(&world.server, "/messages/stream").token(&world.token);
    assert_eq!(call.failure().await.0, 429);
    drop(first);
    // The server finds out by itself that the connection is gone.
    testkit::soon("a free place", async {
        loop {
            let response = get(&world.server, "/messages/stream")
                .token(&world.token)
                .stream()
                .await;
            if response.status() == 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    world.server.stop().await;
}

#[tokio::test]
async fn a_user_marks_what_is_shown_as_read_and_counts() {
    let world = World::start().await;
    let server = &world.server;
    world.import(&["a", "b"].map(|id| document(id, "u"))).await;
    let count = async |query: &str| {
        let call = get(server, &format!("/messages/count{query}")).token(&world.token);
        call.data().await
    };
    assert_eq!(count("").await, json!({"unread": 2, "total": 2}));
    assert_eq!(count("?client=ios").await, json!({"unread": 0, "total": 0}));
    world.read("a").await;
    world.read("a").await;
    assert_eq!(count("").await, json!({"unread": 1, "total": 2}));
    let list = get(server, "/messages").token(&world.token).data().await;
    let reads: Vec<_> = list["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message.get("read"))
        .collect();
    assert_eq!(reads, [Some(&json!(true)), None]);
    for (id, status) in [("none", 404), ("stream", 400), ("a%20b", 400)] {
        let call = post(server, &format!("/messages/{id}/read")).token(&world.token);
        assert_eq!(call.failure().await.0, status, "{id}");
    }
    let stranger = world.app.token("v").await;
    assert_eq!(
        post(server, "/messages/b/read")
            .token(&stranger)
            .failure()
            .await
            .0,
        404
    );
    let call = Call::new(server, Method::GET, "/messages/b/read").token(&world.token);
    assert_eq!(call.failure().await.0, 405);
    world.server.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_ends_no_stream_and_one_that_goes_on_failing_does() {
    let world = World::start().await;
    let server = &world.server;
    world.import(&["a", "b"].map(|id| document(id, "u"))).await;
    let mut events = world.stream("").await;
    assert_eq!(until_synced(&mut events).await.len(), 3);
    let delete = async |id: &str| {
        // The store itself, which the fault does not lie in.
        let id = id.parse().unwrap();
        assert!(server.store.delete(world.app.key, &id, None).await.unwrap());
    };
    server.faults.fail(Fault::Broken);
    delete("a").await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    server.faults.fail(Fault::None);
    assert_eq!(next(&mut events).await.0, "removed");
    let cursor = events.last_event_id().await;
    server.faults.fail(Fault::Broken);
    delete("b").await;
    let end = events.next().await.unwrap();
    assert_eq!(
        (end.name.as_str(), end.json()["code"].as_u64()),
        ("end", Some(5919))
    );
    let call = get(server, "/messages/stream").token(&world.token);
    assert_eq!(call.failure().await.0, 500);
    server.faults.fail(Fault::None);
    let mut events = world.resume(&cursor).await;
    assert_eq!(
        until_synced(&mut events).await,
        pairs(&[("removed", "b"), ("synced", "")])
    );
    world.server.stop().await;
}
