use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::position::Since;
use model::time::Clock as _;
use store::messages::{Messages as _, Range};

use crate::world::{World, appending, keeping, name, seqs};

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_page_is_whole_while_messages_come_and_go() {
    let world = World::new();
    let app = world.app("shop", keeping(3, Duration::from_secs(3_600))).await;
    world.publish(app, "news", 0).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for max_messages in [1, 2, 10, 200] {
        let (store, done) = (Arc::clone(&world.store), Arc::clone(&done));
        let now = world.clock.now();
        readers.push(tokio::spawn(async move {
            let mut after = 0;
            let (mut last_head, mut pages) = (0, 0);
            loop {
                let last = done.load(Ordering::SeqCst);
                let range = Range {
                    after,
                    max_messages,
                    max_bytes: usize::MAX,
                };
                let page = store.read(app, &name("news"), range, now).await.unwrap().unwrap();
                let first = after.max(page.floor) + 1;
                let count = (page.head.seq + 1 - first).min(max_messages as u64);
                let expected: Vec<_> = (first..first + count).collect();
                assert_eq!(seqs(&page), expected, "after {after}: {page:?}");
                assert!(page.head.seq >= last_head && page.floor <= page.head.seq);
                last_head = page.head.seq;
                let start = store
                    .start(app, &name("news"), Some(Since::All), now)
                    .await
                    .unwrap();
                assert!(
                    start.after >= page.floor && !start.gap,
                    "{start:?} after {page:?}"
                );
                // Sometimes from the beginning, where there is a gap.
                pages += 1;
                after = if pages % 3 == 0 { 0 } else { first + count - 1 };
                if last {
                    return pages;
                }
            }
        }));
    }
    let mut writers = Vec::new();
    for _ in 0..4 {
        let store = Arc::clone(&world.store);
        writers.push(tokio::spawn(async move {
            for number in 0..700 {
                store.append(appending(app, "news", number)).await.unwrap();
                store.append(appending(app, "other", number)).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.unwrap() > 10);
    }
    let page = world.read(app, "news", 0).await.unwrap();
    assert_eq!(seqs(&page), [2_799, 2_800, 2_801]);
    world.wait_for("SELECT count(*) < 2 * 128 FROM log", 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_page_is_of_one_incarnation_while_the_channel_is_deleted_and_made_anew() {
    let world = World::new();
    let app = world
        .app("shop", keeping(1_000, Duration::from_secs(3_600)))
        .await;
    let store = Arc::clone(&world.store);
    let writer = tokio::spawn(async move {
        for round in 1..=40_u64 {
            // Every message of an incarnation carries its number.
            for _ in 0..70 {
                store.append(appending(app, "news", round)).await.unwrap();
            }
            assert!(store.delete_channel(app, &name("news")).await.unwrap());
        }
    });
    let mut last_round = 0;
    while !writer.is_finished() {
        let Some(page) = world.read(app, "news", 0).await else {
            continue;
        };
        let rounds: Vec<u64> = page
            .messages
            .iter()
            .map(|message| message.content.payload.as_str().parse().unwrap())
            .collect();
        assert!(rounds.windows(2).all(|pair| pair[0] == pair[1]), "{rounds:?}");
        let first = page.floor + 1;
        assert_eq!(seqs(&page), (first..=page.head.seq).collect::<Vec<_>>());
        if let Some(round) = rounds.first() {
            assert!(*round >= last_round);
            last_round = *round;
        }
    }
    writer.await.unwrap();
    world.wait_for("SELECT count(*) FROM log", 0);
    world.wait_for("SELECT count(*) FROM channels", 0);
}
