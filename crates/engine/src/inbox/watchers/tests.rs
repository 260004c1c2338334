use super::*;

const APP: AppKey = AppKey(1);

fn told(watchers: &Watchers, change: u64, uid: &str) {
    watchers.changed(change, &[inbox_user(APP, uid)]);
}

#[test]
fn a_watcher_looks_when_its_own_user_changed_and_knows_what_stayed_the_same() {
    let watchers = Watchers::default();
    let ann = watchers.register(APP, "ann");
    let other_app = watchers.register(AppKey(2), "ann");
    let news = |unchanged_up_to, must_look| News {
        unchanged_up_to,
        must_look,
    };
    assert_eq!(ann.take_news(), news(0, false));
    told(&watchers, 3, "bob");
    assert_eq!(ann.take_news(), news(3, false));
    told(&watchers, 5, "ann");
    told(&watchers, 6, "bob");
    told(&watchers, 7, "ann");
    assert_eq!(ann.take_news(), news(4, true), "the first of two counts");
    assert_eq!(ann.take_news(), news(7, false));
    assert_eq!(other_app.take_news(), news(7, false));
}

#[test]
fn a_change_without_a_number_says_nothing_of_what_stayed_the_same() {
    let watchers = Watchers::default();
    let ann = watchers.register(APP, "ann");
    told(&watchers, 3, "bob");
    told(&watchers, 0, "ann");
    told(&watchers, 4, "ann");
    let news = ann.take_news();
    assert_eq!((news.unchanged_up_to, news.must_look), (0, true));
    watchers.all_changed();
    assert!(ann.take_news().must_look);
}

#[test]
fn a_watcher_is_due_at_its_boundary_alone() {
    let watchers = Watchers::default();
    let mut ann = watchers.register(APP, "ann");
    let mut bob = watchers.register(APP, "bob");
    ann.wake_at(Some(UnixMillis(100)));
    bob.wake_at(Some(UnixMillis(200)));
    assert_eq!(watchers.fire(UnixMillis(60)), Some(UnixMillis(100)));
    assert!(!ann.take_news().must_look);
    // Another time replaces the first.
    ann.wake_at(Some(UnixMillis(150)));
    assert_eq!(watchers.fire(UnixMillis(100)), Some(UnixMillis(150)));
    assert!(!ann.take_news().must_look);
    assert_eq!(watchers.fire(UnixMillis(150)), Some(UnixMillis(200)));
    assert!(ann.take_news().must_look);
    assert!(!bob.take_news().must_look);
    drop(bob);
    assert_eq!(watchers.fire(UnixMillis(150)), None);
}

#[test]
fn who_is_gone_leaves_nothing_behind() {
    let watchers = Watchers::default();
    let mut one = watchers.register(APP, "ann");
    let two = watchers.register(APP, "ann");
    one.wake_at(Some(UnixMillis(100)));
    drop(one);
    told(&watchers, 1, "ann");
    assert!(two.take_news().must_look);
    drop(two);
    let open = watchers.shared.open.lock();
    assert!(open.users.is_empty() && open.boundaries.is_empty());
}

#[test]
fn after_the_end_of_all_whoever_comes_is_ended_too() {
    let watchers = Watchers::default();
    let before = watchers.register(APP, "ann");
    let reason = EndReason {
        code: 5914,
        message: "over".into(),
    };
    watchers.close_all(&reason);
    let after = watchers.register(APP, "ann");
    assert_eq!(before.watcher.ended(), Some(&reason));
    assert_eq!(after.watcher.ended(), Some(&reason));
}
