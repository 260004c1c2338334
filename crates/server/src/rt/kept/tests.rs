use std::time::Duration;

use model::position::Since;

use super::*;

fn client(name: &str) -> Client {
    (AppKey(1), name.into())
}

fn left(subscriptions: usize, until: Instant) -> Left {
    let stopped = |n: usize| {
        let channel = "news".into();
        let since = Since::Seq(n as u64);
        (n.to_string().into(), Stopped { channel, since })
    };
    Left {
        stopped: (0..subscriptions).map(stopped).collect(),
        answered: Answered::default(),
        until,
    }
}

#[test]
fn what_is_left_is_taken_once_and_bounded() {
    let options = Options {
        max_kept: 10,
        ..Options::default()
    };
    let soon = Instant::now() + Duration::from_secs(60);
    let mut kept = Kept::default();
    kept.add(client("a"), left(6, soon), &options);
    kept.add(client("b"), left(6, soon), &options);
    assert_eq!(kept.count(), 1, "there is no room for the second");
    kept.add(client("a"), left(10, soon), &options);
    assert_eq!(kept.take(&client("a")).unwrap().stopped.len(), 10);
    assert!(kept.take(&client("a")).is_none());
    kept.add(client("b"), left(10, soon), &options);
    assert_eq!(kept.count(), 1);
}

#[test]
fn what_is_left_is_forgotten_in_time() {
    let options = Options {
        max_kept: 10,
        ..Options::default()
    };
    let now = Instant::now();
    let mut kept = Kept::default();
    kept.add(client("a"), left(6, now + Duration::from_secs(1)), &options);
    kept.expire(now);
    assert_eq!(kept.count(), 1);
    kept.expire(now + Duration::from_secs(2));
    assert_eq!(kept.count(), 0);
    kept.add(client("b"), left(10, now + Duration::from_secs(1)), &options);
    assert_eq!(kept.count(), 1, "the room is free again");
}

#[test]
fn the_last_answers_are_remembered() {
    let mut answered = Answered::default();
    for n in 0..=ANSWERED {
        answered.add(n.to_string().into(), n.to_string().into_bytes().into());
    }
    assert!(answered.get("0").is_none());
    assert_eq!(&*answered.get("1").unwrap(), b"1");
}
