//! `GET /messages/stream`: the list now, then every change.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::app::App;
use testkit::faults::Fault;
use testkit::server::Server;
use testkit::sse::{Event, Events};

use super::support::*;

/// A server with a user, and what acts upon the inbox.
struct World {
    server: Server,
    app: App,
    /// Imports and retracts.
    campaign: String,
    token: String,
}

impl World {
    async fn start() -> Self {
        let server = Server::start().await;
        let app = server.default_app().await;
        let campaign = app.key("campaign", "import,cleanup").await;
        let token = app.token("u").await;
        Self {
            server,
            app,
            campaign,
            token,
        }
    }

    async fn import(&self, documents: &[Value]) {
        imported(&self.server, &self.campaign, documents).await;
    }

    async fn stream(&self, query: &str) -> Events {
        Events::of(
            get(&self.server, &format!("/messages/stream{query}"))
                .token(&self.token)
                .stream()
                .await,
        )
    }

    async fn resume(&self, id: &str) -> Events {
        let call = get(&self.server, "/messages/stream").token(&self.token);
        Events::of(call.header("last-event-id", id).stream().await)
    }

    async fn delete(&self, id: &str) {
        let call = delete(&self.server, &format!("/messages/{id}")).token(&self.token);
        assert_eq!(call.text().await.0, 204);
    }

    async fn read(&self, id: &str) {
        let call = post(&self.server, &format!("/messages/{id}/read")).token(&self.token);
        assert_eq!(call.text().await, (204, String::new()));
    }

    async fn retract(&self, id: &str) {
        let body = json!({"messages": [{"id": id}]}).to_string();
        let call = post(&self.server, "/messages/retract").key(&self.campaign);
        let call = call.header("content-type", "application/json").body(body);
        assert_eq!(call.data().await["retracted"], 1);
    }

    async fn cleanup(&self) -> u64 {
        let data = post(&self.server, "/messages/cleanup")
            .key(&self.campaign)
            .data()
            .await;
        data["removed"].as_u64().unwrap()
    }
}

/// The name and the data of the next event.
async fn next(events: &mut Events) -> (String, Value) {
    let event = events.next().await.expect("the stream goes on");
    assert!(!event.id.is_empty(), "{event:?}");
    (event.name.clone(), event.json())
}

/// The next events as far as `synced`: their names and ids.
async fn until_synced(events: &mut Events) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    loop {
        let (name, data) = next(events).await;
        let is_last = name == "synced";
        seen.push((name, data["id"].as_str().unwrap_or_default().to_owned()));
        if is_last {
            return seen;
        }
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = expected
        .iter()
        .map(|(name, id)| ((*name).to_owned(), (*id).to_owned()));
    owned.collect()
}

fn event(name: &str, data: Value) -> (String, Value) {
    (name.to_owned(), data)
}

/// A message as its user gets it.
fn shown(document: Value, unread: u64) -> Value {
    with(document, json!({"state": "imported", "unread": unread}))
}

#[tokio::test]
async fn the_list_comes_first_and_then_every_change_on_every_device() {
    let world = World::start().await;
    let fields = json!({"prio": 40, "expires": "2026-03-01T12:30:00Z"});
    let first = with(document("first", "u"), fields);
    world.import(&[document("second", "u"), first.clone()]).await;
    let mut devices = [world.stream("").await, world.stream("?client=web").await];
    for device in &mut devices {
        assert_eq!(next(device).await, event("message", shown(first.clone(), 2)));
        assert_eq!(
            next(device).await,
            event("message", shown(document("second", "u"), 2))
        );
        assert_eq!(
            next(device).await,
            event("synced", json!({"unread": 2, "total": 2}))
        );
    }
    world.import(&[document("third", "u")]).await;
    for device in &mut devices {
        assert_eq!(
            next(device).await,
            event("message", shown(document("third", "u"), 3))
        );
    }
    world.read("first").await;
    for device in &mut devices {
        assert_eq!(
            next(device).await,
            event("read", json!({"id": "first", "unread": 2}))
        );
    }
    world.delete("second").await;
    for device in &mut devices {
        let expected = json!({"id": "second", "reason": "deleted", "unread": 1});
        assert_eq!(next(device).await, event("removed", expected));
    }
    world.retract("third").await;
    for device in &mut devices {
        let expected = json!({"id": "third", "reason": "retracted", "unread": 0});
        assert_eq!(next(device).await, event("removed", expected));
    }
    world.server.clock.advance(Duration::from_secs(1_800));
    for device in &mut devices {
        let expected = json!({"id": "first", "reason": "expired", "unread": 0});
        assert_eq!(next(device).await, event("removed", expected));
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_message_of_the_future_comes_when_its_time_has_come() {
    let world = World::start().await;
    let times = json!({"created": "2026-03-01T12:00:10Z", "expires": "2026-03-01T12:00:30Z"});
    let future = with(document("future", "u"), times);
    world.import(std::slice::from_ref(&future)).await;
    let mut events = world.stream("").await;
    assert_eq!(
        next(&mut events).await,
        event("synced", json!({"unread": 0, "total": 0}))
    );
    let cursor = events.last_event_id().await;
    // Also one that is imported while somebody waits, and comes earlier.
    let times = json!({"created": "2026-03-01T12:00:05Z"});
    let sooner = with(document("sooner", "u"), times);
    world.import(std::slice::from_ref(&sooner)).await;
    world.server.clock.advance(Duration::from_secs(5));
    assert_eq!(next(&mut events).await, event("message", shown(sooner, 1)));
    world.server.clock.advance(Duration::from_secs(5));
    assert_eq!(next(&mut events).await, event("message", shown(future, 2)));
    world.server.clock.advance(Duration::from_secs(20));
    let expected = json!({"id": "future", "reason": "expired", "unread": 1});
    assert_eq!(next(&mut events).await, event("removed", expected));
    // Who was away meanwhile never saw it.
    let mut away = world.resume(&cursor).await;
    assert_eq!(
        until_synced(&mut away).await,
        pairs(&[("message", "sooner"), ("synced", "")])
    );
    world.server.stop().await;
}

#[tokio::test]
async fn who_comes_back_is_told_what_happened_meanwhile_removals_included() {
    let world = World::start().await;
    world
        .import(&["a", "b", "c", "d"].map(|id| document(id, "u")))
        .await;
    let mut events = world.stream("").await;
    assert_eq!(until_synced(&mut events).await.len(), 5);
    let cursor = events.last_event_id().await;
    drop(events);
    world.delete("a").await;
    world.retract("b").await;
    world.read("c").await;
    world.import(&[document("e", "u")]).await;
    let mut events = world.resume(&cursor).await;
    let expected = pairs(&[
        ("removed", "a"),
        ("removed", "b"),
        ("read", "c"),
        ("message", "e"),
        ("synced", ""),
    ]);
    assert_eq!(until_synced(&mut events).await, expected);
    // The parameter says the same as the header, which counts more.
    let mut events = world.stream(&format!("?since={cursor}")).await;
    assert_eq!(until_synced(&mut events).await, expected);
    let latest = events.last_event_id().await;
    let call = get(&world.server, &format!("/messages/stream?since={cursor}")).token(&world.token);
    let mut events = Events::of(call.header("last-event-id", &latest).stream().await);
    assert_eq!(
        next(&mut events).await,
        event("synced", json!({"unread": 2, "total": 3}))
    );
    world.server.stop().await;
}

#[tokio::test]
async fn who_comes_back_after_a_restart_goes_on_where_it_stopped() {
    let mut world = World::start().await;
    world.import(&["a", "b"].map(|id| document(id, "u"))).await;
    let mut events = world.stream("").await;
    assert_eq!(until_synced(&mut events).await.len(), 3);
    let cursor = events.last_event_id().await;
    world.server = world.server.restart().await;
    let Event { name, data, .. } = events.next().await.unwrap();
    assert_eq!(
        (name.as_str(), data.as_str()),
        ("end", r#"{"code":5914,"message":"the server is shutting down"}"#)
    );
    assert!(events.next().await.is_none());
    world.delete("b").await;
    let mut events = world.resume(&cursor).await;
    assert_eq!(
        until_synced(&mut events).await,
        pairs(&[("removed", "b"), ("synced", "")])
    );
    world.server.stop().await;
}

#[tokio::test]
async fn a_cursor_from_before_a_cleanup_is_answered_by_a_reset_and_the_list() {
    let world = World::start().await;
    world.import(&["a", "b"].map(|id| document(id, "u"))).await;
    let mut live = world.stream("").await;
    assert_eq!(until_synced(&mut live).await.len(), 3);
    let cursor = live.last_event_id().await;
    world.retract("a").await;
    assert_eq!(next(&mut live).await.0, "removed");
    let behind = live.last_event_id().await;
    assert_eq!(world.cleanup().await, 1);
    let mut old = world.resume(&cursor).await;
    assert_eq!(
        next(&mut old).await,
        event("reset", json!({"unread": 1, "total": 1}))
    );
    assert_eq!(
        until_synced(&mut old).await,
        pairs(&[("message", "b"), ("synced", "")])
    );
    // Who knew of the removal, and who is connected, goes on.
    let mut new = world.resume(&behind).await;
    assert_eq!(until_synced(&mut new).await, pairs(&[("synced", "")]));
    world.import(&[document("c", "u")]).await;
    for events in [&mut live, &mut old, &mut new] {
        assert_eq!(next(events).await, event("message", shown(document("c", "u"), 2)));
    }
    world.server.stop().await;
}

#[tokio::test]
async fn what_others_cleanups_removed_does_not_reset_a_quiet_stream() {
    let world = World::start().await;
    let mut live = world.stream("").await;
    assert_eq!(until_synced(&mut live).await.len(), 1);
    world.import(&[document("other", "v")]).await;
    world.retract("other").await;
    world.server.clock.advance(Duration::from_secs(60));
    assert_eq!(world.cleanup().await, 1);
    world.import(&[document("a", "u")]).await;
    assert_eq!(
        next(&mut live).await,
        event("message", shown(document("a", "u"), 1))
    );
    world.server.stop().await;
}

#[tokio::test]
async fn a_list_that_was_cut_off_is_told_anew_after_a_reset() {
    let world = World::start().await;
    world.import(&["a", "b", "c"].map(|id| document(id, "u"))).await;
    let mut events = world.stream("").await;
    let cut = events.next().await.unwrap();
    assert_eq!(cut.json()["id"], "a");
    drop(events);
    world.delete("a").await;
    let mut events = world.resume(&cut.id).await;
    let expected = pairs(&[("reset", ""), ("message", "b"), ("message", "c"), ("synced", "")]);
    assert_eq!(until_synced(&mut events).await, expected);
    world.server.stop().await;
}

#[tokio::test]
async fn the_limit_bounds_the_list_and_not_the_changes() {
    let world = World::start().await;
    let documents: Vec<_> = (0..150).map(|at| document(&format!("m{at:03}"), "u")).collect();
    world.import(&documents).await;
    let mut events = world.stream("?limit=2").await;
    let expected = pairs(&[("message", "m000"), ("message", "m001"), ("synced", "")]);
    assert_eq!(until_synced(&mut events).await, expected);
    world.delete("m100").await;
    let expected = json!({"id": "m100", "reason": "deleted", "unread": 149});
    assert_eq!(next(&mut events).await, event("removed", expected));
    let mut events = world.stream("").await;
    assert_eq!(until_synced(&mut events).await.len(), 101);
    // Many more than one read of the store takes.
    let more: Vec<_> = (0..450).map(|at| document(&format!("n{at:03}"), "u")).collect();
    world.import(&more).await;
    for document in more {
        assert_eq!(next(&mut events).await.1["id"], document["id"]);
    }
    world.server.stop().await;
}

#[tokio::test]
async fn users_clients_and_apps_do_not_see_each_others_changes() {
    let world = World::start().await;
    let server = &world.server;
    let mut own = world.stream("").await;
    let mut tv = world.stream("?client=stv").await;
    let other_app = server.create_app("other").await;
    let (token, key) = (
        other_app.token("u").await,
        other_app.key("campaign", "import").await,
    );
    let call = get(server, &format!("/other/{key}/messages/stream")).token(&token);
    let mut foreign = Events::of(call.stream().await);
    for events in [&mut own, &mut tv, &mut foreign] {
        assert_eq!(until_synced(events).await.len(), 1);
    }
    let on_tv = with(document("tv", "u"), json!({"clients": ["stv"]}));
    world
        .import(&[document("v", "v"), on_tv.clone(), document("u", "u")])
        .await;
    let call =
        post(server, &format!("/other/{key}/messages/import")).header("content-type", "application/json");
    let body = document("foreign", "u").to_string();
    assert_eq!(call.body(body).data().await, json!({"imported": 1}));
    assert_eq!(
        next(&mut own).await,
        event("message", shown(document("u", "u"), 1))
    );
    assert_eq!(next(&mut tv).await, event("message", shown(on_tv, 1)));
    assert_eq!(
        next(&mut foreign).await,
        event("message", shown(document("foreign", "u"), 1))
    );
    // Nothing else came: the next is of what comes next.
    world.delete("u").await;
    assert_eq!(next(&mut own).await.0, "removed");
    world.delete("tv").await;
    assert_eq!(next(&mut tv).await.0, "removed");
    world.server.stop().await;
}

#[tokio::test]
async fn a_heartbeat_tells_where_a_quiet_stream_stands() {
    let world = World::start().await;
    let mut events = world.stream("").await;
    assert_eq!(until_synced(&mut events).await.len(), 1);
    events.comment().await;
    let cursor = events.last_event_id().await;
    drop(events);
    world.import(&[document("a", "u")]).await;
    let mut events = world.resume(&cursor).await;
    assert_eq!(
        until_synced(&mut events).await,
        pairs(&[("message", "a"), ("synced", "")])
    );
    world.server.stop().await;
}

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
