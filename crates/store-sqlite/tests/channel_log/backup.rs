use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use model::position::Since;
use model::time::Clock as _;
use postbell_store_sqlite::backup::{backup, restore};
use store::Store as _;
use store::error::Error;
use store::messages::Messages as _;

use crate::world::{World, appending, keeping, name, open, seqs};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_is_whole_while_a_writer_appends() {
    let mut world = World::new();
    let app = world.app("shop", keeping(100_000, HOUR)).await;
    world.publish_many(app, "a", 300).await;
    let store = Arc::clone(&world.store);
    let writer = tokio::spawn(async move {
        for number in 0..1_500 {
            store.append(appending(app, "a", number)).await.unwrap();
            store.append(appending(app, "b", number)).await.unwrap();
        }
    });
    let to = world.folder.path().join("backup.db");
    let mut sizes = Vec::new();
    while !writer.is_finished() {
        let (from, to) = (world.file(), to.clone());
        let size = tokio::task::spawn_blocking(move || backup(&from, &to))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            size,
            std::fs::metadata(world.folder.path().join("backup.db"))
                .unwrap()
                .len()
        );
        sizes.push(size);
    }
    writer.await.unwrap();
    assert!(!sizes.is_empty());
    let _ = std::fs::remove_file(&to);
    backup(&world.file(), &to).unwrap();
    assert!(!world.folder.path().join("backup.db.partial").exists());
    let size = |file: &std::path::Path| std::fs::metadata(file).unwrap().len();
    assert!(size(&to) > 0 && !world.folder.path().join("backup.db-wal").exists());

    world.publish_many(app, "a", 10).await;
    world.store.close().await.unwrap();
    restore(&to, &world.file(), &*world.ids).unwrap();
    world.reopen().await;
    let heads = world.store.channels(app, None, 10).await.unwrap();
    let standing: Vec<_> = heads.iter().map(|c| (c.name.as_str(), c.head.seq)).collect();
    assert_eq!(standing, [("a", 1_800), ("b", 1_500)]);
    let page = world.read(app, "a", 900).await.unwrap();
    assert_eq!(seqs(&page), (901..=1_800).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_beside_a_writer_can_be_served() {
    let world = World::new();
    let app = world.app("shop", keeping(100_000, HOUR)).await;
    let store = Arc::clone(&world.store);
    let writer = tokio::spawn(async move {
        for number in 0..600 {
            store.append(appending(app, "a", number)).await.unwrap();
            store.append(appending(app, "b", number)).await.unwrap();
        }
    });
    let mut number = 0;
    let mut last = 0;
    while !writer.is_finished() {
        number += 1;
        let folder = world.folder.path().join(format!("copy-{number}"));
        std::fs::create_dir(&folder).unwrap();
        let to = folder.join("postbell.db");
        backup(&world.file(), &to).unwrap();
        let copy = open(&to, &world.clock, &world.ids).unwrap();
        let seq_of = async |channel| {
            let head = copy.head(app, &name(channel)).await.unwrap();
            let seq = head.map_or(0, |head| head.seq);
            if seq > 0 {
                let page = crate::world::read(&copy, app, channel, 0, world.clock.now())
                    .await
                    .unwrap();
                assert_eq!(seqs(&page), (1..=seq).collect::<Vec<_>>());
            }
            seq
        };
        let (a, b) = (seq_of("a").await, seq_of("b").await);
        // Of one moment: the writer alternates.
        assert!(a == b || a == b + 1, "{a} and {b}");
        assert!(a >= last);
        last = a;
        copy.close().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_store_has_other_epochs_each_time() {
    let mut world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    world.publish_many(app, "news", 5).await;
    let to = world.folder.path().join("backup.db");
    backup(&world.file(), &to).unwrap();
    let mut epochs = vec![world.store.head(app, &name("news")).await.unwrap().unwrap().epoch];
    for _ in 0..3 {
        world.publish_many(app, "news", 3).await;
        let since = Since::Position {
            epoch: epochs[epochs.len() - 1],
            seq: 8,
        };
        let version = store::apps::Apps::access_version(&*world.store).await.unwrap();
        world.store.close().await.unwrap();
        restore(&to, &world.file(), &*world.ids).unwrap();
        backup(&world.file(), &to).unwrap();
        world.reopen().await;
        let head = world.store.head(app, &name("news")).await.unwrap().unwrap();
        assert_eq!(head.seq, 5);
        assert!(!epochs.contains(&head.epoch));
        epochs.push(head.epoch);
        // A reader that had seen what is lost now is told.
        let now = world.clock.now();
        let start = world
            .store
            .start(app, &name("news"), Some(since), now)
            .await
            .unwrap();
        assert_eq!((start.after, start.gap), (0, true));
        assert!(store::apps::Apps::access_version(&*world.store).await.unwrap() >= version);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_restored_over_a_running_server() {
    let world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    world.publish_many(app, "news", 5).await;
    let to = world.folder.path().join("backup.db");
    backup(&world.file(), &to).unwrap();
    let refused = restore(&to, &world.file(), &*world.ids).unwrap_err();
    assert!(matches!(refused, Error::InUse(_)), "{refused:?}");
    let link = world.folder.path().join("elsewhere.db");
    std::os::unix::fs::symlink(world.file(), &link).unwrap();
    let refused = restore(&to, &link, &*world.ids).unwrap_err();
    assert!(matches!(refused, Error::InUse(_)), "through a link: {refused:?}");
    assert_eq!(world.publish(app, "news", 6).await.seq, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_and_backups_are_for_their_owner_alone() {
    let world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    world.publish_many(app, "news", 5).await;
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let file = world.file();
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&file.with_file_name("postbell.db-wal")), 0o600);
    let to = world.folder.path().join("backup.db");
    backup(&file, &to).unwrap();
    assert_eq!(mode(&to), 0o600);
    let restored = world.folder.path().join("new").join("postbell.db");
    restore(&to, &restored, &*world.ids).unwrap();
    assert_eq!(mode(&restored), 0o600);
    assert_eq!(mode(restored.parent().unwrap()), 0o700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_backup_is_not_restored_and_the_store_stays() {
    let mut world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    world.publish_many(app, "news", 5).await;
    let newer = world.folder.path().join("newer.db");
    backup(&world.file(), &newer).unwrap();
    rusqlite::Connection::open(&newer)
        .unwrap()
        .execute("INSERT INTO migrations VALUES (900, 'future', 'x', 0)", [])
        .unwrap();
    let text = world.folder.path().join("text.txt");
    std::fs::write(
        &text,
        "no database at all, but long enough to have a header of one".repeat(50),
    )
    .unwrap();
    let foreign = world.folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    world.store.close().await.unwrap();
    for wrong in [&text, &foreign, &newer, &world.folder.path().join("none.db")] {
        let refused = restore(wrong, &world.file(), &*world.ids);
        assert!(refused.is_err(), "{}", wrong.display());
        if wrong.exists() {
            assert!(matches!(refused, Err(Error::Schema(_))), "{refused:?}");
        }
    }
    assert!(!world.folder.path().join("postbell.db.restore").exists());
    world.reopen().await;
    assert_eq!(world.publish(app, "news", 6).await.seq, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_never_replaces_the_store_itself() {
    let world = World::new();
    let app = world.app("shop", keeping(1_000, HOUR)).await;
    world.publish_many(app, "news", 5).await;
    backup(&world.file(), &world.file()).unwrap_err();
    let around = world.folder.path().join(".").join("postbell.db");
    backup(&world.file(), &around).unwrap_err();
    assert_eq!(world.publish(app, "news", 6).await.seq, 6);
}
