use std::time::{Duration, Instant};

use model::settings::AppSettings;
use postbell_store_sqlite::{Role, SqliteStore};
use store::Store as _;
use store::apps::Apps as _;
use store::error::Error;
use store::messages::Messages as _;

use crate::world::{World, appending, keeping, name, open, open_as};

const HOUR: Duration = Duration::from_secs(3_600);

fn open_admin(world: &World) -> store::error::Result<SqliteStore> {
    open_as(Role::Admin, &world.file(), &world.clock, &world.ids, HOUR)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_is_refused_with_the_folder_and_the_process_that_holds_it() {
    let world = World::new();
    let Err(refused) = open(&world.file(), &world.clock, &world.ids) else {
        panic!("two servers on one file");
    };
    let text = refused.to_string();
    let folder = world.folder.path().display().to_string();
    assert!(text.contains(&folder), "{text}");
    let process = format!("process {}", std::process::id());
    assert!(text.contains(&process), "{text}");

    world.store.close().await.unwrap();
    let again = open(&world.file(), &world.clock, &world.ids).unwrap();
    again.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_beside_the_server_changes_apps_and_the_server_sees_it() {
    let world = World::new();
    let app = world.app("shop", keeping(10, HOUR)).await;
    for number in 0..20 {
        world.publish(app, "news", number).await;
    }
    let version = world.store.access_version().await.unwrap();
    let admin = open_admin(&world).unwrap();
    let settings = AppSettings {
        history: keeping(4, HOUR),
        ..AppSettings::default()
    };
    assert!(admin.set_app(&"shop".parse().unwrap(), &settings).await.unwrap());
    assert!(world.store.access_version().await.unwrap() > version);
    let seen = world.store.app(&"shop".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(seen.settings, settings);
    // The window too, a maintenance interval later.
    let began = Instant::now();
    while world.read(app, "news", 0).await.unwrap().messages.len() != 4 {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The other way round.
    world.app("news", keeping(1, HOUR)).await;
    assert!(admin.app(&"news".parse().unwrap()).await.unwrap().is_some());
    admin.close().await.unwrap();
    assert_eq!(world.publish(app, "news", 21).await.seq, 21);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_beside_the_server_writes_no_channel() {
    let world = World::new();
    let app = world.app("shop", keeping(10, HOUR)).await;
    world.publish(app, "news", 1).await;
    let admin = open_admin(&world).unwrap();
    let append = admin.append(appending(app, "news", 2)).await;
    assert!(matches!(append, Err(Error::Unavailable { .. })), "{append:?}");
    let delete = admin.delete_channel(app, &name("news")).await;
    assert!(matches!(delete, Err(Error::Unavailable { .. })), "{delete:?}");
    admin.close().await.unwrap();
    assert_eq!(world.publish(app, "news", 2).await.seq, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_refused_by_server_and_command() {
    let world = World::new();
    world.store.close().await.unwrap();
    world
        .look()
        .execute("INSERT INTO migrations VALUES (900, 'future', 'x', 0)", [])
        .unwrap();
    for role in [Role::Server, Role::Admin] {
        let Err(refused) = open_as(role, &world.file(), &world.clock, &world.ids, HOUR) else {
            panic!("{role:?} opened a newer schema");
        };
        assert!(matches!(refused, Error::Schema(_)), "{refused:?}");
        assert!(refused.to_string().contains("use a newer postbell"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_is_not_changed_under_a_running_server() {
    let world = World::new();
    // As an older server would leave it.
    let look = world.look();
    look.execute("DELETE FROM migrations WHERE version > 1", [])
        .unwrap();
    let Err(refused) = open_admin(&world) else {
        panic!("a command migrated a served file");
    };
    assert!(
        refused.to_string().contains("served by another version"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_checked_by_writing_and_reading() {
    let world = World::new();
    world.store.check().await.unwrap();
    world.store.close().await.unwrap();
    assert!(world.store.check().await.is_err());
}
