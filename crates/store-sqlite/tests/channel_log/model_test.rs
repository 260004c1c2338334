use std::collections::BTreeMap;
use std::time::Duration;

use model::app::AppKey;
use model::position::Epoch;
use model::settings::{HistorySettings, Window};
use model::time::{Clock as _, UnixMillis};
use proptest::prelude::*;
use store::messages::Messages as _;

use crate::world::{World, keeping, name, window};

const MINUTE: Duration = Duration::from_secs(60);
const CHANNELS: [&str; 4] = ["few", "brief", "other", "default"];

#[derive(Debug, Clone)]
enum Step {
    Publish(usize, u64),
    Delete(usize),
    Pass(u64),
    Reopen,
    Crash,
    /// Maintenance gets to run.
    Rest,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..CHANNELS.len(), 1_u64..90).prop_map(|(channel, count)| Step::Publish(channel, count)),
        1 => (0..CHANNELS.len()).prop_map(Step::Delete),
        3 => (1_u64..400).prop_map(Step::Pass),
        1 => Just(Step::Reopen),
        2 => Just(Step::Crash),
        2 => Just(Step::Rest),
    ]
}

fn history() -> HistorySettings {
    HistorySettings {
        windows: vec![window("few", 20, 60 * MINUTE), window("brief", 1_000, 3 * MINUTE)],
        ..keeping(100, 20 * MINUTE)
    }
}

/// What a channel should be.
struct Expected {
    epoch: Epoch,
    messages: Vec<(u64, UnixMillis)>,
}

impl Expected {
    fn held(&self, window: Window, now: UnixMillis) -> Vec<(u64, UnixMillis)> {
        let last = self.messages.len() as u64;
        let held =
            |message: &&(u64, UnixMillis)| message.0 + window.count > last && message.1 >= now - window.age;
        self.messages.iter().filter(held).copied().collect()
    }
}

async fn check(world: &World, app: AppKey, expected: &BTreeMap<&str, Expected>) {
    let now = world.clock.now();
    let listed = world.store.channels(app, None, 10).await.unwrap();
    let names: Vec<_> = listed.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, expected.keys().copied().collect::<Vec<_>>());
    for channel in CHANNELS {
        let page = world.read(app, channel, 0).await;
        let Some(expected) = expected.get(channel) else {
            assert_eq!(page, None);
            continue;
        };
        let page = page.unwrap();
        let last = expected.messages.len() as u64;
        assert_eq!((page.head.epoch, page.head.seq), (expected.epoch, last));
        assert_eq!(page.head.last_published_at, expected.messages.last().map(|m| m.1));
        let found: Vec<_> = page.messages.iter().map(|m| (m.seq, m.published_at)).collect();
        let held = expected.held(history().window(channel), now);
        assert_eq!(found, held, "{channel}");
        assert_eq!(page.floor, last - held.len() as u64);
    }
}

async fn run(steps: Vec<Step>) {
    let mut world = World::new();
    let app = world.app("shop", history()).await;
    let mut expected: BTreeMap<&str, Expected> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Publish(channel, count) => {
                let channel = CHANNELS[channel];
                for number in 0..count {
                    let message = world.publish(app, channel, number).await;
                    if message.seq == 1 {
                        assert!(!expected.contains_key(channel));
                        let head = world.store.head(app, &name(channel)).await.unwrap().unwrap();
                        let epoch = head.epoch;
                        let messages = Vec::new();
                        expected.insert(channel, Expected { epoch, messages });
                    }
                    let messages = &mut expected.get_mut(channel).unwrap().messages;
                    messages.push((message.seq, message.published_at));
                    assert_eq!(message.seq, messages.len() as u64);
                    assert_eq!(message.published_at, world.clock.now());
                }
            }
            Step::Delete(channel) => {
                let channel = CHANNELS[channel];
                let deleted = world.store.delete_channel(app, &name(channel)).await.unwrap();
                assert_eq!(deleted, expected.remove(channel).is_some());
            }
            Step::Pass(seconds) => world.clock.forward(Duration::from_secs(seconds)),
            Step::Reopen => world.reopen().await,
            Step::Crash => world.crash(),
            Step::Rest => std::thread::sleep(Duration::from_millis(15)),
        }
        check(&world, app, &expected).await;
    }
    // In the end everything goes but the channels themselves.
    world.clock.forward(61 * MINUTE);
    world.wait_for("SELECT count(*) FROM log", 0);
    world.wait_for("SELECT count(*) FROM channels", expected.len() as i64);
    assert_eq!(world.count("SELECT count(*) FROM anchors"), 0);
    check(&world, app, &expected).await;
    world.reopen().await;
    check(&world, app, &expected).await;
    for (channel, expected) in expected {
        let message = world.publish(app, channel, 0).await;
        assert_eq!(message.seq, expected.messages.len() as u64 + 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_history_of_channels_is_as_the_model_says(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(run(steps));
    }
}
