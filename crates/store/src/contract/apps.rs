use model::app::{AppId, AppKey};
use model::inbox::InboxState;
use model::limits::Limits;
use model::settings::AppSettings;
use model::time::UnixMillis;

use super::fixtures::{NOW, id, import_deleted, listed, message, new_app, state};
use super::keys::key;
use crate::Store;
use crate::apps::App;
use crate::error::Error;

fn app_id(text: &str) -> AppId {
    text.parse().unwrap()
}

/// Settings that differ from the default ones.
fn with_channels(channels: u64) -> AppSettings {
    AppSettings {
        limits: Limits {
            channels,
            ..Limits::default()
        },
        ..AppSettings::default()
    }
}

pub async fn an_app_is_found_by_its_name_with_its_settings(store: &dyn Store) {
    let made = store
        .create_app(&app_id("shop"), &with_channels(7), UnixMillis(5))
        .await
        .unwrap();
    let made = made.unwrap();
    let expected = App {
        key: made.key,
        id: app_id("shop"),
        settings: with_channels(7),
        created: UnixMillis(5),
    };
    assert_eq!(made, expected);
    assert_eq!(store.app(&app_id("shop")).await.unwrap(), Some(expected));
    assert_eq!(store.app(&app_id("none")).await.unwrap(), None);
}

pub async fn a_taken_name_makes_no_second_app(store: &dyn Store) {
    let first = new_app(store, "shop").await;
    let second = store
        .create_app(&app_id("SHOP"), &with_channels(7), NOW)
        .await
        .unwrap();
    assert_eq!(second, None);
    let app = store.app(&app_id("shop")).await.unwrap().unwrap();
    assert_eq!((app.key, app.settings), (first, AppSettings::default()));
}

pub async fn of_concurrent_creations_of_one_name_exactly_one_wins(store: &dyn Store) {
    let (name, settings) = (app_id("shop"), AppSettings::default());
    let create = || store.create_app(&name, &settings, NOW);
    let (a, b, c, d) = tokio::join!(create(), create(), create(), create());
    let made = [a, b, c, d].into_iter().filter_map(|app| app.unwrap());
    assert_eq!(made.count(), 1);
}

pub async fn apps_are_listed_by_name(store: &dyn Store) {
    for name in ["shop", "news-2", "news-10", "arena"] {
        new_app(store, name).await;
    }
    let apps = store.apps().await.unwrap();
    let names: Vec<_> = apps
        .iter()
        .map(|app| app.id.as_str())
        .filter(|name| *name != "default")
        .collect();
    assert_eq!(names, ["arena", "news-10", "news-2", "shop"]);
}

pub async fn settings_are_replaced_whole(store: &dyn Store) {
    new_app(store, "shop").await;
    new_app(store, "news").await;
    assert!(store.set_app(&app_id("shop"), &with_channels(7)).await.unwrap());
    assert!(store.set_app(&app_id("shop"), &with_channels(8)).await.unwrap());
    assert!(!store.set_app(&app_id("none"), &with_channels(9)).await.unwrap());
    let shop = store.app(&app_id("shop")).await.unwrap().unwrap();
    assert_eq!(shop.settings, with_channels(8));
    let news = store.app(&app_id("news")).await.unwrap().unwrap();
    assert_eq!(news.settings, AppSettings::default());
}

pub async fn the_access_version_grows_with_each_change_of_an_app_or_key(store: &dyn Store) {
    let mut version = store.access_version().await.unwrap();
    let mut grew = async |what: &str| {
        let now = store.access_version().await.unwrap();
        assert!(now > version, "{what}: {version} was followed by {now}");
        version = now;
    };
    let app = new_app(store, "shop").await;
    grew("create").await;
    assert!(store.set_app(&app_id("shop"), &with_channels(7)).await.unwrap());
    grew("set").await;
    assert!(store.create_key(app, &key(1)).await.unwrap());
    grew("create key").await;
    assert!(store.revoke_key(app, &key(1).id, NOW).await.unwrap());
    grew("revoke key").await;
    assert!(store.delete_app(&app_id("shop")).await.unwrap());
    grew("delete").await;
}

pub async fn deleting_an_app_frees_its_name_and_hides_everything(store: &dyn Store) {
    let old = new_app(store, "shop").await;
    store.import(old, vec![message(&id("1"), "ann")]).await.unwrap();
    store.create_key(old, &key(1)).await.unwrap();
    assert!(store.delete_app(&app_id("shop")).await.unwrap());
    assert!(!store.delete_app(&app_id("shop")).await.unwrap());
    assert_eq!(store.app(&app_id("shop")).await.unwrap(), None);
    assert!(store.apps().await.unwrap().iter().all(|app| app.key != old));

    let new = new_app(store, "shop").await;
    assert_ne!(new, old);
    assert_eq!(listed(store, new, "ann").await, Vec::<String>::new());
    assert_eq!(store.keys(new).await.unwrap(), []);
    let imported = store.import(new, vec![message(&id("1"), "ann")]).await.unwrap();
    assert_eq!((imported.imported, imported.duplicates), (1, 0));
    assert!(store.create_key(new, &key(1)).await.unwrap());
}

pub async fn a_deleted_app_takes_no_import_and_no_key(store: &dyn Store) {
    let app = new_app(store, "shop").await;
    assert!(store.delete_app(&app_id("shop")).await.unwrap());
    let imported = store.import(app, vec![message(&id("1"), "ann")]).await;
    assert!(matches!(imported, Err(Error::Unavailable { .. })), "{imported:?}");
    assert_eq!(store.show(app, &id("1")).await.unwrap(), None);
    let created = store.create_key(app, &key(1)).await;
    assert!(matches!(created, Err(Error::Unavailable { .. })), "{created:?}");
    assert_eq!(store.keys(app).await.unwrap(), []);
}

pub async fn apps_never_see_each_others_inbox(store: &dyn Store) {
    let shop = new_app(store, "shop").await;
    let news = new_app(store, "news").await;
    import_deleted(store, shop, &["deleted"]).await;
    store
        .import(shop, vec![message(&id("1"), "ann"), message(&id("2"), "ann")])
        .await
        .unwrap();

    assert_eq!(listed(store, news, "ann").await, Vec::<String>::new());
    assert_eq!(store.show(news, &id("1")).await.unwrap(), None);
    assert!(!store.delete(news, &id("1"), None).await.unwrap());
    assert!(!store.delete(news, &id("1"), Some("ann")).await.unwrap());
    assert_eq!(store.delete_all(news, "ann").await.unwrap(), 0);
    let retracted = store.retract(news, vec![id("1")]).await.unwrap();
    assert_eq!((retracted.retracted, retracted.not_retracted), (0, vec![id("1")]));
    assert_eq!(store.count_deleted(news).await.unwrap(), 0);
    let foreign = store
        .claim_deleted(news, 1, 10, NOW, UnixMillis(NOW.0 + 1_000))
        .await
        .unwrap();
    assert_eq!(foreign.ids, []);
    let own = store
        .claim_deleted(shop, 2, 10, NOW, UnixMillis(NOW.0 + 1_000))
        .await
        .unwrap();
    assert_eq!(own.ids, [id("deleted")]);
    assert_eq!(store.mark_synced(news, &own).await.unwrap(), 0);
    assert_eq!(store.cleanup(news, UnixMillis(i64::MAX), false).await.unwrap(), 0);

    // The same ids are free in the other app, and what happens there stays there.
    let messages = vec![message(&id("1"), "ann"), message(&id("deleted"), "ann")];
    assert_eq!(store.import(news, messages).await.unwrap().imported, 2);
    assert_eq!(store.delete_all(news, "ann").await.unwrap(), 2);
    assert_eq!(state(store, shop, "deleted").await, Some(InboxState::Deleted));
    assert_eq!(listed(store, shop, "ann").await, ["1", "2"]);
}

pub async fn apps_never_see_each_others_keys(store: &dyn Store) {
    let shop = new_app(store, "shop").await;
    let news = new_app(store, "news").await;
    assert!(store.create_key(shop, &key(1)).await.unwrap());
    assert_eq!(store.keys(news).await.unwrap(), []);
    assert!(!store.revoke_key(news, &key(1).id, NOW).await.unwrap());
    assert_eq!(store.keys(shop).await.unwrap(), [key(1)]);
    assert!(store.create_key(news, &key(1)).await.unwrap());
    assert_eq!(store.keys(AppKey(i64::MAX)).await.unwrap(), []);
}
