use model::app::AppKey;
use model::inbox::{InboxMessage, InboxState};

use crate::Store;
use crate::contract::fixtures::{
    clients, date, document, id, import_deleted, listed, message, messages, new_app, numbered, state,
};
use crate::inbox::Imported;

/// Whole, with every field set.
fn full() -> InboxMessage {
    InboxMessage {
        id: id("A.b_c:d-1"),
        uid: "åsa/1 \u{1f514}".into(),
        created_at: date("2014-11-06T13:34:59.123456+01:00"),
        expires_at: date("2034-11-06T13:34:59-08:30"),
        clients: clients(&["stv", "web"]),
        prio: i64::MIN,
        state: InboxState::Imported,
        read: false,
        document: document(r#"<b>\u0000\"'</b>\n🔔 Räksmörgås"#),
    }
}

pub async fn a_message_comes_back_as_it_was_imported(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let bare = InboxMessage {
        prio: i64::MAX,
        ..message(&id("bare"), "ann")
    };
    let imported = store.import(app, vec![full(), bare.clone()]).await.unwrap();
    let expected = Imported {
        imported: 2,
        duplicates: 0,
        first_duplicate: None,
    };
    assert_eq!(imported, expected);
    assert_eq!(store.show(app, &full().id).await.unwrap(), Some(full()));
    assert_eq!(store.show(app, &bare.id).await.unwrap(), Some(bare));
    assert_eq!(store.show(app, &id("none")).await.unwrap(), None);
}

pub async fn an_empty_import_imports_nothing(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    assert_eq!(store.import(app, Vec::new()).await.unwrap(), Imported::default());
}

pub async fn new_messages_go_in_beside_duplicates_and_the_first_of_these_is_told(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let before = ["c", "e"].map(|text| message(&id(text), "ann")).to_vec();
    store.import(app, before).await.unwrap();
    // Users in falling order: whatever order the store writes in, the import's order counts.
    let users = ["f", "e", "d", "c", "b"];
    let ids = ["a", "e", "b", "c", "d"];
    let second = ids
        .iter()
        .zip(users)
        .map(|(text, uid)| message(&id(text), uid))
        .collect();
    let imported = store.import(app, second).await.unwrap();
    let expected = Imported {
        imported: 3,
        duplicates: 2,
        first_duplicate: Some(id("e")),
    };
    assert_eq!(imported, expected);
    let kept = store.show(app, &id("e")).await.unwrap().unwrap();
    assert_eq!(&*kept.uid, "ann");
}

pub async fn of_an_id_repeated_in_an_import_the_first_message_stays(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    let messages = vec![
        message(&id("1"), "zoe"),
        message(&id("2"), "zoe"),
        message(&id("2"), "ann"),
        message(&id("1"), "ann"),
        message(&id("2"), "bob"),
    ];
    let imported = store.import(app, messages).await.unwrap();
    let expected = Imported {
        imported: 2,
        duplicates: 3,
        first_duplicate: Some(id("2")),
    };
    assert_eq!(imported, expected);
    assert_eq!(listed(store, app, "zoe").await, ["1", "2"]);
    assert_eq!(listed(store, app, "ann").await, Vec::<String>::new());
}

pub async fn the_first_duplicate_is_told_in_import_order(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    store
        .import(app, vec![message(&id("stored"), "ann")])
        .await
        .unwrap();
    let repeated_first = vec![
        message(&id("a"), "ann"),
        message(&id("a"), "ann"),
        message(&id("stored"), "ann"),
    ];
    let imported = store.import(app, repeated_first).await.unwrap();
    assert_eq!(imported.first_duplicate, Some(id("a")));
    let stored_first = vec![
        message(&id("b"), "zoe"),
        message(&id("stored"), "zoe"),
        message(&id("b"), "ann"),
    ];
    let imported = store.import(app, stored_first).await.unwrap();
    assert_eq!(imported.first_duplicate, Some(id("stored")));
    assert_eq!((imported.imported, imported.duplicates), (1, 2));
}

pub async fn an_id_stays_taken_in_every_state(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    import_deleted(store, app, &["deleted"]).await;
    store
        .import(app, vec![message(&id("retracted"), "ann")])
        .await
        .unwrap();
    store.retract(app, vec![id("retracted")]).await.unwrap();
    let again = vec![message(&id("deleted"), "bob"), message(&id("retracted"), "bob")];
    let imported = store.import(app, again).await.unwrap();
    assert_eq!((imported.imported, imported.duplicates), (0, 2));
    assert_eq!(state(store, app, "deleted").await, Some(InboxState::Deleted));
    assert_eq!(state(store, app, "retracted").await, Some(InboxState::Retracted));
    assert_eq!(listed(store, app, "bob").await, Vec::<String>::new());
}

pub async fn an_import_of_many_slices_is_whole(store: &dyn Store) {
    const COUNT: usize = 3_333;
    let app = new_app(store, "shop").await;
    let mut all = messages(COUNT, "ann");
    for (at, message) in all.iter_mut().enumerate() {
        message.uid = format!("user-{}", at * 7 % 1_000).into();
        message.document = document(&at.to_string());
    }
    // One far larger than the rest.
    all[1_500].document = document(&"å".repeat(2_000_000));
    let imported = store.import(app, all.clone()).await.unwrap();
    assert_eq!((imported.imported, imported.duplicates), (COUNT as u64, 0));
    for message in &all {
        assert_eq!(
            store.show(app, &message.id).await.unwrap().as_ref(),
            Some(message)
        );
    }
    let again = store.import(app, all).await.unwrap();
    let expected = Imported {
        imported: 0,
        duplicates: COUNT as u64,
        first_duplicate: Some(numbered(0)),
    };
    assert_eq!(again, expected);
}

pub async fn of_concurrent_imports_of_the_same_ids_exactly_one_wins_each(store: &dyn Store) {
    const COUNT: usize = 2_500;
    let app = new_app(store, "shop").await;
    let import = |name: &'static str| import_by(store, app, COUNT, name);
    let imports = tokio::join!(import("ann"), import("bob"), import("eve"), import("zoe"));
    let imports = [
        ("ann", imports.0),
        ("bob", imports.1),
        ("eve", imports.2),
        ("zoe", imports.3),
    ];
    let mut won = [0; 4];
    for number in 0..COUNT {
        let stored = store.show(app, &numbered(number)).await.unwrap().unwrap();
        assert_eq!(
            stored.document,
            document(&stored.uid),
            "a message is mixed from two imports"
        );
        let winner = imports
            .iter()
            .position(|(name, _)| *name == &*stored.uid)
            .unwrap();
        won[winner] += 1;
    }
    for ((name, imported), won) in imports.into_iter().zip(won) {
        assert_eq!(imported.imported, won, "{name}");
        assert_eq!(imported.imported + imported.duplicates, COUNT as u64, "{name}");
    }
}

async fn import_by(store: &dyn Store, app: AppKey, count: usize, name: &str) -> Imported {
    let mut messages = messages(count, name);
    for message in &mut messages {
        message.document = document(name);
    }
    store.import(app, messages).await.unwrap()
}
