use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use model::app::AppKey;
use model::inbox::InboxMessage;
use model::inbox::change::{ChangeCursor, Counts, Removal};
use model::time::UnixMillis;

use crate::Store;
use crate::contract::fixtures::{
    NOW, clients, date, id, import_deleted, listed, message, messages, new_app, numbered,
};
use crate::inbox::{Change, Changes, ChangesQuery, ListQuery, MAX_SKEW, Snapshot};

fn after_ms(millis: i64) -> UnixMillis {
    UnixMillis(NOW.0 + millis)
}

/// What `ann` is shown on the web.
async fn snapshot(store: &dyn Store, app: AppKey, now: UnixMillis) -> Snapshot {
    let query = ListQuery {
        uid: "ann",
        client: "web",
        now,
        limit: 1_000,
        after: None,
    };
    store.snapshot(app, query).await.unwrap()
}

/// What `uid` is shown on a client that the cursor does not know.
async fn changes_for(
    store: &dyn Store,
    app: AppKey,
    (uid, client): (&str, &str),
    after: ChangeCursor,
    now: UnixMillis,
    limit: usize,
) -> Option<Changes> {
    let query = ChangesQuery {
        uid,
        client,
        after,
        now,
        limit,
    };
    store.changes(app, query).await.unwrap()
}

/// The same for `ann` on the web, without a limit.
async fn changes(store: &dyn Store, app: AppKey, after: ChangeCursor, now: UnixMillis) -> Changes {
    let changes = changes_for(store, app, ("ann", "web"), after, now, 1_000_000).await;
    changes.expect("the cursor is not too old")
}

/// `+id` is shown, `=id` read, `-id deleted` removed.
fn told(changes: &Changes) -> Vec<String> {
    let one = |change: &Change| match change {
        Change::Shown(message) => format!("+{}", message.id),
        Change::Read(id) => format!("={id}"),
        Change::Removed { id, reason } => {
            let reason = match reason {
                Removal::Deleted => "deleted",
                Removal::Retracted => "retracted",
                Removal::Expired => "expired",
            };
            format!("-{id} {reason}")
        }
    };
    changes.changes.iter().map(one).collect()
}

fn counts(unread: u64, total: u64) -> Counts {
    Counts { unread, total }
}

fn timed(text: &str, created: &str, expires: &str) -> InboxMessage {
    InboxMessage {
        created_at: date(created),
        expires_at: date(expires),
        ..message(&id(text), "ann")
    }
}

pub async fn a_snapshot_is_the_list_with_its_counts_and_what_comes_next(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let empty = snapshot(store, app, NOW).await;
    assert_eq!(
        (empty.messages, empty.counts, empty.next),
        (vec![], counts(0, 0), None)
    );

    let mut all = messages(3, "ann");
    all.push(timed("soon", "2026-06-01T00:00:10Z", "2026-07-01T00:00:00Z"));
    all.push(timed("later", "2026-01-01T00:00:00Z", "2026-06-01T00:00:20Z"));
    all.push(timed("never", "2026-06-01T00:00:06Z", "2026-06-01T00:00:05Z"));
    store.import(app, all).await.unwrap();
    assert!(store.mark_read(app, &numbered(1), "ann", NOW).await.unwrap());
    let query = ListQuery {
        uid: "ann",
        client: "web",
        now: NOW,
        limit: 2,
        after: None,
    };
    let snapshot = store.snapshot(app, query).await.unwrap();
    assert_eq!(snapshot.messages, store.list(app, query).await.unwrap());
    assert_eq!(snapshot.messages.len(), 2);
    assert_eq!(snapshot.counts, counts(3, 4));
    assert_eq!(snapshot.next, Some(after_ms(10_000)));
    assert_eq!(snapshot.cursor.at, NOW);
}

pub async fn changes_tell_what_the_cursor_does_not_know_and_nothing_twice(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store.import(app, messages(5, "ann")).await.unwrap();
    let start = snapshot(store, app, NOW).await.cursor;
    let nothing = changes(store, app, start, NOW).await;
    assert_eq!((told(&nothing), nothing.counts), (vec![], counts(5, 5)));

    store.import(app, vec![message(&id("new"), "ann")]).await.unwrap();
    assert!(store.mark_read(app, &numbered(0), "ann", NOW).await.unwrap());
    assert!(store.delete(app, &numbered(1), Some("ann")).await.unwrap());
    store.retract(app, vec![numbered(2)]).await.unwrap();
    let changed = changes(store, app, start, NOW).await;
    assert_eq!(
        told(&changed),
        ["+new", "=m0000", "-m0001 deleted", "-m0002 retracted"]
    );
    assert_eq!((changed.counts, changed.more), (counts(3, 4), false));
    let Change::Shown(shown) = &changed.changes[0] else {
        panic!("{changed:?}")
    };
    assert_eq!(**shown, message(&id("new"), "ann"));
    assert!(told(&changes(store, app, changed.cursor, NOW).await).is_empty());

    assert_eq!(store.delete_all(app, "ann").await.unwrap(), 4);
    let rest = changes(store, app, changed.cursor, NOW).await;
    let expected = [
        "-m0000 deleted",
        "-m0003 deleted",
        "-m0004 deleted",
        "-new deleted",
    ];
    assert_eq!(told(&rest), expected);
    assert_eq!(rest.counts, counts(0, 0));
}

pub async fn that_the_campaign_system_knows_of_a_deletion_is_no_change(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["1"]).await;
    let start = snapshot(store, app, NOW).await.cursor;
    let batch = store.claim_deleted(app, 1, 10, NOW, after_ms(1)).await.unwrap();
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 1);
    assert!(told(&changes(store, app, start, NOW).await).is_empty());
}

pub async fn a_message_appears_and_expires_by_time_alone(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let times = ("2026-06-01T00:00:00.100Z", "2026-06-01T00:00:00.200Z");
    store
        .import(app, vec![timed("1", times.0, times.1)])
        .await
        .unwrap();
    let start = snapshot(store, app, NOW).await;
    assert_eq!(start.next, Some(after_ms(100)));
    let before = changes(store, app, start.cursor, after_ms(99)).await;
    assert_eq!((told(&before), before.next), (vec![], Some(after_ms(100))));
    let shown = changes(store, app, before.cursor, after_ms(100)).await;
    assert_eq!((told(&shown), shown.counts), (vec!["+1".into()], counts(1, 1)));
    assert_eq!(shown.next, Some(after_ms(200)));
    assert!(told(&changes(store, app, shown.cursor, after_ms(199)).await).is_empty());
    let expired = changes(store, app, shown.cursor, after_ms(200)).await;
    assert_eq!(
        (told(&expired), expired.counts),
        (vec!["-1 expired".into()], counts(0, 0))
    );
    assert_eq!(expired.next, None);
    // Who was away all the time never saw it.
    assert!(told(&changes(store, app, start.cursor, after_ms(500)).await).is_empty());
}

pub async fn what_was_never_to_be_seen_is_not_taken_away(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let future = timed("future", "2026-06-01T00:00:01Z", "2026-07-01T00:00:00Z");
    let past = timed("past", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z");
    let start = snapshot(store, app, NOW).await.cursor;
    store.import(app, vec![future, past]).await.unwrap();
    let imported = changes(store, app, start, NOW).await;
    assert!(told(&imported).is_empty());
    store.retract(app, vec![id("future"), id("past")]).await.unwrap();
    assert!(told(&changes(store, app, imported.cursor, NOW).await).is_empty());
    assert!(told(&changes(store, app, imported.cursor, after_ms(2_000)).await).is_empty());
}

pub async fn changes_of_other_users_clients_and_apps_are_not_told(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let other = new_app(store, "news").await;
    let start = snapshot(store, app, NOW).await.cursor;
    let tv = InboxMessage {
        clients: clients(&["ios", "atv"]),
        ..message(&id("tv"), "ann")
    };
    store
        .import(app, vec![tv, message(&id("bob"), "bob")])
        .await
        .unwrap();
    store
        .import(other, vec![message(&id("other"), "ann")])
        .await
        .unwrap();
    let web = changes(store, app, start, NOW).await;
    assert_eq!((told(&web), web.counts, web.next), (vec![], counts(0, 0), None));
    let ios = changes_for(store, app, ("ann", "ios"), start, NOW, 10)
        .await
        .unwrap();
    assert_eq!((told(&ios), ios.counts), (vec!["+tv".into()], counts(1, 1)));
    let bob = changes_for(store, app, ("bob", "web"), start, NOW, 10)
        .await
        .unwrap();
    assert_eq!(told(&bob), ["+bob"]);
    let news = changes(store, other, start, NOW).await;
    assert_eq!(told(&news), ["+other"]);
    assert_eq!(store.count(app, "ann", "ios", NOW).await.unwrap(), counts(1, 1));
    assert_eq!(store.count(app, "ann", "web", NOW).await.unwrap(), counts(0, 0));
}

pub async fn many_changes_come_in_pages_that_lose_nothing(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store.import(app, messages(40, "ann")).await.unwrap();
    let start = snapshot(store, app, NOW).await;
    let mut shown: BTreeMap<_, _> = start.messages.into_iter().map(|m| (m.id.clone(), m)).collect();
    for number in 0..20 {
        assert!(store.delete(app, &numbered(number), None).await.unwrap());
        let second = format!("2026-06-01T00:00:{:02}Z", number % 10 + 1);
        let late = timed(&format!("late{number}"), &second, "2026-06-01T00:00:30Z");
        store.import(app, vec![late]).await.unwrap();
    }
    let now = after_ms(5_000);
    let (mut cursor, mut pages) = (start.cursor, 0);
    loop {
        let page = changes_for(store, app, ("ann", "web"), cursor, now, 3)
            .await
            .unwrap();
        // Two messages appear at a time, and stay together.
        assert!(page.changes.len() <= 4, "{page:?}");
        for change in page.changes {
            match change {
                Change::Shown(message) => drop(shown.insert(message.id.clone(), *message)),
                Change::Read(id) => panic!("nobody read {id}"),
                Change::Removed { id, .. } => assert!(shown.remove(&id).is_some(), "{id}"),
            }
        }
        pages += 1;
        cursor = page.cursor;
        if !page.more {
            break;
        }
        assert!(pages < 100, "the pages have no end");
    }
    assert!(pages > 5, "{pages}");
    let listed = snapshot(store, app, now).await;
    let expected: BTreeMap<_, _> = listed.messages.into_iter().map(|m| (m.id.clone(), m)).collect();
    assert_eq!(expected.len(), 30);
    assert_eq!(shown, expected);
    assert_eq!(cursor.at, now);
}

pub async fn a_cursor_is_too_old_once_a_cleanup_removed_what_it_does_not_know(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let other = new_app(store, "news").await;
    let mut all = messages(2, "ann");
    all.push(timed("short", "2026-01-01T00:00:00Z", "2026-06-01T00:00:01Z"));
    all.push(message(&id("bob"), "bob"));
    store.import(app, all).await.unwrap();
    let start = snapshot(store, app, NOW).await.cursor;
    store.retract(app, vec![numbered(0)]).await.unwrap();
    let retracted = changes(store, app, start, NOW).await;
    assert_eq!(told(&retracted), ["-m0000 retracted"]);

    // Nothing removed, nothing forgotten.
    assert_eq!(store.cleanup(other, NOW, true).await.unwrap(), 0);
    assert_eq!(told(&changes(store, app, start, NOW).await), ["-m0000 retracted"]);
    assert_eq!(store.cleanup(app, NOW, true).await.unwrap(), 1);
    let of = |cursor, now| changes_for(store, app, ("ann", "web"), cursor, now, 10);
    assert_eq!(of(start, NOW).await, None);
    assert_eq!(
        changes_for(store, app, ("bob", "web"), start, NOW, 10).await,
        None
    );
    assert!(
        changes_for(store, other, ("ann", "web"), start, NOW, 10)
            .await
            .is_some()
    );
    let known = of(retracted.cursor, NOW).await.unwrap();
    assert!(told(&known).is_empty());

    let late = after_ms(1_000);
    let expired = of(known.cursor, late).await.unwrap();
    assert_eq!(told(&expired), ["-short expired"]);
    assert_eq!(store.cleanup(app, late, true).await.unwrap(), 1);
    assert_eq!(of(known.cursor, late).await, None);
    assert!(of(expired.cursor, late).await.unwrap().changes.is_empty());
    // The id is free, and another message under it is a new one.
    store.import(app, messages(1, "ann")).await.unwrap();
    assert_eq!(told(&of(expired.cursor, late).await.unwrap()), ["+m0000"]);
}

pub async fn a_cursor_of_another_life_or_of_the_future_is_refused(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store.import(app, messages(1, "ann")).await.unwrap();
    let cursor = snapshot(store, app, NOW).await.cursor;
    let of = |cursor, now| changes_for(store, app, ("ann", "web"), cursor, now, 10);
    let epoch = cursor.epoch ^ 1;
    assert_eq!(of(ChangeCursor { epoch, ..cursor }, NOW).await, None);
    let change = cursor.change + 1;
    assert_eq!(of(ChangeCursor { change, ..cursor }, NOW).await, None);
    let back = NOW - MAX_SKEW;
    assert_eq!(of(cursor, back).await.unwrap().cursor, cursor);
    assert_eq!(of(cursor, UnixMillis(back.0 - 1)).await, None);
}

pub async fn only_what_a_user_is_shown_is_marked_as_read(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let mut all = messages(2, "ann");
    all.push(timed(
        "future",
        "2026-06-01T00:00:00.001Z",
        "2026-07-01T00:00:00Z",
    ));
    all.push(timed("past", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"));
    store.import(app, all).await.unwrap();
    import_deleted(store, app, &["deleted"]).await;
    let mark =
        |text: &'static str, uid| async move { store.mark_read(app, &id(text), uid, NOW).await.unwrap() };
    for text in ["future", "past", "deleted", "absent"] {
        assert!(!mark(text, "ann").await, "{text}");
    }
    assert!(!mark("m0000", "bob").await);
    assert_eq!(store.count(app, "ann", "web", NOW).await.unwrap(), counts(2, 2));
    let start = snapshot(store, app, NOW).await.cursor;
    assert!(mark("m0000", "ann").await);
    let marked = changes(store, app, start, NOW).await;
    assert_eq!(
        (told(&marked), marked.counts),
        (vec!["=m0000".into()], counts(1, 2))
    );
    // Again, with the same outcome and no change.
    assert!(mark("m0000", "ann").await);
    assert!(told(&changes(store, app, marked.cursor, NOW).await).is_empty());
    let shown = store.show(app, &numbered(0)).await.unwrap().unwrap();
    assert!(shown.read);
    assert!(!store.show(app, &numbered(1)).await.unwrap().unwrap().read);
    assert_eq!(listed(store, app, "ann").await, ["m0000", "m0001"]);
    // Who did not know it is given it, marked.
    store.import(app, vec![message(&id("new"), "ann")]).await.unwrap();
    assert!(mark("new", "ann").await);
    let new = changes(store, app, marked.cursor, NOW).await;
    assert_eq!(told(&new), ["+new"]);
    assert!(matches!(&new.changes[0], Change::Shown(message) if message.read));
}

/// Imports four messages a round, and reads, deletes and retracts one each.
async fn write(store: &dyn Store, app: AppKey, writer: usize) {
    for round in 0..25 {
        let of = |at: usize| id(&format!("w{writer}-{round}-{at}"));
        let imported = (0..4).map(|at| message(&of(at), "ann")).collect();
        store.import(app, imported).await.unwrap();
        assert!(store.mark_read(app, &of(0), "ann", NOW).await.unwrap());
        assert!(store.delete(app, &of(1), None).await.unwrap());
        assert_eq!(store.retract(app, vec![of(2)]).await.unwrap().retracted, 1);
    }
}

pub async fn who_follows_changes_made_at_the_same_time_loses_none(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let is_over = AtomicBool::new(false);
    let writing = async {
        tokio::join!(write(store, app, 0), write(store, app, 1), write(store, app, 2));
        is_over.store(true, Ordering::SeqCst);
    };
    let following = async {
        let start = snapshot(store, app, NOW).await;
        // The first changes may have come before it.
        let mut shown = by_id(&start);
        let mut cursor = start.cursor;
        loop {
            let is_last = is_over.load(Ordering::SeqCst);
            let page = changes_for(store, app, ("ann", "web"), cursor, NOW, 5)
                .await
                .unwrap();
            for change in page.changes {
                match change {
                    Change::Shown(message) => drop(shown.insert(message.id.to_string(), message.read)),
                    Change::Read(id) => *shown.get_mut(id.as_str()).unwrap() = true,
                    Change::Removed { id, .. } => drop(shown.remove(id.as_str())),
                }
            }
            cursor = page.cursor;
            if is_last && !page.more {
                return shown;
            }
        }
    };
    let ((), shown) = tokio::join!(writing, following);
    let listed = snapshot(store, app, NOW).await;
    assert_eq!((shown.len(), shown), (150, by_id(&listed)));
    assert_eq!(listed.counts, counts(75, 150));
}

/// Whether each message of a list is read.
fn by_id(snapshot: &Snapshot) -> BTreeMap<String, bool> {
    let messages = snapshot.messages.iter();
    messages
        .map(|message| (message.id.to_string(), message.read))
        .collect()
}
