//! `GET /messages/stream`: the list now, then every change.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::app::App;
use testkit::faults::Fault;
use testkit::server::Server;
use testkit::sse::{Event, Events};

use super::support::*;

mod bounds;
mod resuming;

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
