use model::app::AppKey;
use model::inbox::{ClientTypes, InboxId, InboxMessage};
use model::time::UnixMillis;

use crate::Store;
use crate::contract::fixtures::{
    NOW, clients, date, id, import_deleted, listed, message, messages, new_app, numbered,
};
use crate::inbox::ListQuery;

/// The ids of a page of `ann`'s list on the web.
async fn page(store: &dyn Store, app: AppKey, limit: usize, after: Option<&InboxId>) -> Vec<String> {
    let query = ListQuery {
        uid: "ann",
        client: "web",
        now: NOW,
        limit,
        after,
    };
    let messages = store.list(app, query).await.unwrap();
    messages.iter().map(|message| message.id.to_string()).collect()
}

/// The ids that `ann` is shown at a time.
async fn listed_at(store: &dyn Store, app: AppKey, client: &str, now: UnixMillis) -> Vec<String> {
    let query = ListQuery {
        uid: "ann",
        client,
        now,
        limit: 100,
        after: None,
    };
    let messages = store.list(app, query).await.unwrap();
    messages.iter().map(|message| message.id.to_string()).collect()
}

fn ranked(text: &str, prio: i64, created: &str) -> InboxMessage {
    InboxMessage {
        prio,
        created_at: date(created),
        ..message(&id(text), "ann")
    }
}

pub async fn a_list_is_ordered_by_prio_then_newer_created_then_id(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let messages = vec![
        ranked("10", 0, "2026-01-02T00:00:00Z"),
        ranked("9", 0, "2026-01-02T00:00:00Z"),
        ranked("B", 0, "2026-01-02T00:00:00Z"),
        ranked("a", 0, "2026-01-02T00:00:00Z"),
        ranked("newer", 0, "2026-01-02T00:00:00.001Z"),
        ranked("same-time", 0, "2026-01-02T01:00:00+01:00"),
        ranked("low", -1, "2026-05-01T00:00:00Z"),
        ranked("lowest", i64::MIN, "2026-05-01T00:00:00Z"),
        ranked("high", 1, "2026-01-01T00:00:00Z"),
        ranked("highest", i64::MAX, "2026-01-01T00:00:00Z"),
    ];
    store.import(app, messages).await.unwrap();
    let expected = [
        "highest",
        "high",
        "newer",
        "10",
        "9",
        "B",
        "a",
        "same-time",
        "low",
        "lowest",
    ];
    assert_eq!(listed(store, app, "ann").await, expected);
}

pub async fn the_limit_keeps_the_best(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let ranks = [3, 9, 1, 7, 5];
    let created = "2026-01-01T00:00:00Z";
    let messages = ranks.map(|prio| ranked(&format!("p{prio}"), prio, created));
    store.import(app, messages.to_vec()).await.unwrap();
    assert_eq!(page(store, app, 1, None).await, ["p9"]);
    assert_eq!(page(store, app, 3, None).await, ["p9", "p7", "p5"]);
    assert_eq!(page(store, app, 5, None).await, ["p9", "p7", "p5", "p3", "p1"]);
    assert_eq!(page(store, app, 6, None).await.len(), 5);
}

pub async fn the_best_of_many_are_listed_whatever_order_they_came_in(store: &dyn Store) {
    const COUNT: usize = 200;
    let app = new_app(store, "shop").await;
    let mut all = messages(COUNT, "ann");
    for (at, message) in all.iter_mut().enumerate() {
        // Every rank from 0 to 199 once.
        message.prio = (at * 83 % COUNT) as i64;
    }
    store.import(app, all.clone()).await.unwrap();
    all.sort_by_key(|message| -message.prio);
    let expected: Vec<_> = all.iter().map(|message| message.id.to_string()).collect();
    for limit in [1, 2, 5, 50, 199, 200, 1_000] {
        assert_eq!(
            page(store, app, limit, None).await,
            expected[..limit.min(COUNT)],
            "limit {limit}"
        );
    }
    assert_eq!(
        page(store, app, 5, Some(&id(&expected[99]))).await,
        expected[100..105]
    );
    assert_eq!(page(store, app, usize::MAX, None).await.len(), COUNT);
    assert_eq!(page(store, app, 0, None).await, Vec::<String>::new());
}

pub async fn a_list_holds_whole_messages_in_their_order(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let messages = [
        InboxMessage {
            clients: clients(&["ios", "web"]),
            ..ranked("a", 1, "2026-01-02T00:00:00+02:00")
        },
        ranked("b", 0, "2026-01-02T00:00:00Z"),
    ];
    store
        .import(app, messages.iter().rev().cloned().collect())
        .await
        .unwrap();
    let query = ListQuery {
        uid: "ann",
        client: "web",
        now: NOW,
        limit: 10,
        after: None,
    };
    assert_eq!(store.list(app, query).await.unwrap(), messages);
}

pub async fn a_message_is_shown_from_created_until_before_expires(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let message = InboxMessage {
        created_at: date("2026-06-01T00:00:00.100Z"),
        expires_at: date("2026-06-01T00:00:00.200Z"),
        ..message(&id("1"), "ann")
    };
    store.import(app, vec![message]).await.unwrap();
    let mut shown = Vec::new();
    for millis in [0, 99, 100, 199, 200, 1_000] {
        shown.push(
            listed_at(store, app, "web", UnixMillis(NOW.0 + millis))
                .await
                .len(),
        );
    }
    assert_eq!(shown, [0, 0, 1, 1, 0, 0]);
}

pub async fn a_user_sees_only_own_messages(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    for (text, uid) in [
        ("1", "ann"),
        ("2", "Ann"),
        ("3", "ann "),
        ("4", "an"),
        ("5", "ann%"),
    ] {
        store.import(app, vec![message(&id(text), uid)]).await.unwrap();
    }
    assert_eq!(listed(store, app, "ann").await, ["1"]);
    assert_eq!(listed(store, app, "Ann").await, ["2"]);
    assert_eq!(listed(store, app, "").await, Vec::<String>::new());
}

pub async fn a_client_sees_only_messages_for_it(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let types = ClientTypes::new(&["tv", "atv", "tvx", "web"].map(String::from)).unwrap();
    let lists: [(&str, &[&str]); 4] = [
        ("1", &["atv"]),
        ("2", &["tvx", "tv"]),
        ("3", &["web", "tv", "atv"]),
        ("4", &["tvx", "web"]),
    ];
    let messages = lists.map(|(text, names)| InboxMessage {
        clients: types.clients(names.iter().copied()).unwrap(),
        ..message(&id(text), "ann")
    });
    store.import(app, messages.to_vec()).await.unwrap();
    assert_eq!(listed_at(store, app, "tv", NOW).await, ["2", "3"]);
    assert_eq!(listed_at(store, app, "atv", NOW).await, ["1", "3"]);
    assert_eq!(listed_at(store, app, "web", NOW).await, ["3", "4"]);
    assert_eq!(listed_at(store, app, "ios", NOW).await, Vec::<String>::new());
}

pub async fn only_imported_messages_are_listed(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["synced"]).await;
    let batch = store
        .claim_deleted(app, 1, 1, NOW, UnixMillis(NOW.0 + 1))
        .await
        .unwrap();
    assert_eq!(store.mark_synced(app, &batch).await.unwrap(), 1);
    import_deleted(store, app, &["deleted"]).await;
    store
        .import(
            app,
            vec![message(&id("retracted"), "ann"), message(&id("kept"), "ann")],
        )
        .await
        .unwrap();
    store.retract(app, vec![id("retracted")]).await.unwrap();
    assert_eq!(listed(store, app, "ann").await, ["kept"]);
}

pub async fn pages_cover_all_without_repeats_while_messages_are_deleted_between(store: &dyn Store) {
    const COUNT: usize = 60;
    let app = new_app(store, "shop").await;
    let mut all = messages(COUNT, "ann");
    for (at, message) in all.iter_mut().enumerate() {
        message.prio = (at % 3) as i64;
        message.created_at = date(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"][at / 3 % 2]);
    }
    store.import(app, all).await.unwrap();
    let whole = listed(store, app, "ann").await;
    assert_eq!(whole.len(), COUNT);

    let mut seen: Vec<String> = Vec::new();
    let mut after: Option<InboxId> = None;
    loop {
        let page = page(store, app, 7, after.as_ref()).await;
        let Some(last) = page.last() else { break };
        let last = id(last);
        // What the next page starts behind goes, and one that was seen long ago.
        assert!(store.delete(app, &last, None).await.unwrap());
        if let Some(early) = seen.first() {
            let early = id(early);
            store.delete(app, &early, None).await.unwrap();
        }
        after = Some(last);
        seen.extend(page);
    }
    assert_eq!(seen, whole);
}

pub async fn after_a_message_no_longer_listed_the_list_goes_on_behind_its_place(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let mut all = messages(6, "ann");
    all[1].expires_at = date("2026-05-31T00:00:00Z");
    all[4].clients = clients(&["ios"]);
    store.import(app, all).await.unwrap();
    assert!(store.delete(app, &numbered(2), None).await.unwrap());
    store.retract(app, vec![numbered(3)]).await.unwrap();
    assert_eq!(page(store, app, 10, None).await, ["m0000", "m0005"]);
    for place in 0..5 {
        assert_eq!(
            page(store, app, 10, Some(&numbered(place))).await,
            ["m0005"],
            "after {place}"
        );
    }
    assert_eq!(
        page(store, app, 10, Some(&numbered(5))).await,
        Vec::<String>::new()
    );
}

pub async fn after_an_id_that_the_user_does_not_have_the_list_is_empty(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let other = message(&id("other"), "bob");
    let best = InboxMessage { prio: 9, ..other };
    store
        .import(app, vec![best, message(&id("1"), "ann")])
        .await
        .unwrap();
    assert_eq!(
        page(store, app, 10, Some(&id("none"))).await,
        Vec::<String>::new()
    );
    assert_eq!(
        page(store, app, 10, Some(&id("other"))).await,
        Vec::<String>::new()
    );
}
