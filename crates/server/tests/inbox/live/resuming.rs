//! Coming back with a cursor.

use super::*;

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
