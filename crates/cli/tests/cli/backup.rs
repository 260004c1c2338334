use insta::assert_snapshot;

use crate::run::{file, shown, stdout};

#[test]
fn a_backup_holds_what_the_store_holds_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stdout(folder, "app create shop");
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4,} bytes", "[size] bytes");
    let lines = ["backup copy.db", "backup copy.db", "backup copy.db --force"];
    let text: String = lines.iter().map(|line| shown(folder, line)).collect();
    settings.bind(|| {
        assert_snapshot!(text, @r"
    $ postbell backup copy.db
    [size] bytes in copy.db
    --- exit 0
    $ postbell backup copy.db
    --- stderr
    error: copy.db is there already; --force replaces it
    --- exit 1
    $ postbell backup copy.db --force
    [size] bytes in copy.db
    --- exit 0
    ")
    });

    stdout(folder, "app delete shop --yes");
    let lines = [
        "restore copy.db",
        "restore copy.db --force",
        "app show shop --json --data elsewhere",
        "restore copy.db --data elsewhere",
    ];
    let text: String = lines.iter().map(|line| shown(folder, line)).collect();
    assert_snapshot!(text, @r"
    $ postbell restore copy.db
    --- stderr
    error: there is a store at ./postbell-data/postbell.db already; --force replaces it
    --- exit 1
    $ postbell restore copy.db --force
    restored ./postbell-data/postbell.db
    --- exit 0
    $ postbell app show shop --json --data elsewhere
    --- stderr
    error: there is no store at elsewhere/postbell.db: is --data right?
    --- exit 1
    $ postbell restore copy.db --data elsewhere
    restored elsewhere/postbell.db
    --- exit 0
    ");
    assert!(stdout(folder, "app list").contains("shop"));
    assert!(stdout(folder, "app list --data elsewhere").contains("shop"));
}

#[test]
fn what_is_no_backup_is_refused_and_the_store_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stdout(folder, "app create shop");
    file(
        folder,
        "text.db",
        "this is no database, but long enough to be looked at as if it were one",
    );
    assert_snapshot!(shown(folder, "restore text.db --force"), @r"
    $ postbell restore text.db --force
    --- stderr
    error: cannot restore ./postbell-data/postbell.db: text.db is no store or backup of postbell: file is not a database
    --- exit 1
    ");
    assert_snapshot!(shown(folder, "restore gone.db --force"), @r"
    $ postbell restore gone.db --force
    --- stderr
    error: there is no file gone.db
    --- exit 1
    ");
    assert_snapshot!(shown(folder, "backup x.db --data elsewhere"), @r"
    $ postbell backup x.db --data elsewhere
    --- stderr
    error: there is no store at elsewhere/postbell.db: is --data right?
    --- exit 1
    ");
    assert_snapshot!(shown(folder, "backup postbell-data/postbell.db --force"), @r"
    $ postbell backup postbell-data/postbell.db --force
    --- stderr
    error: postbell-data/postbell.db is the store itself
    --- exit 1
    ");
    assert!(stdout(folder, "app list").contains("shop"));
}
