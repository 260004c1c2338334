use insta::assert_snapshot;
use serde_json::Value;

use crate::run::{file, filters, shown, stdout};

#[test]
fn apps_are_made_listed_shown_changed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(
        folder,
        "shop.toml",
        "[jwt]\nsecret = '0123456789abcdef0123456789abcdef!'\n[sync]\nbatch = 5\n",
    );
    file(
        folder,
        "better.toml",
        "[[channels]]\npattern = 'news.*'\nsubscribe = ['anyone']\n",
    );
    let lines = [
        "app create Shop --file shop.toml",
        "app create shop",
        "app list",
        "app show shop",
        "app set shop --file better.toml",
        "app show shop --json",
        "app set other --file better.toml",
        "app delete shop",
        "app delete shop --yes",
        "app delete shop --yes",
        "app delete default --yes",
    ];
    let text: String = lines.iter().map(|line| shown(folder, line)).collect();
    filters().bind(|| assert_snapshot!(text, @r#"
    $ postbell app create Shop --file shop.toml
    app shop created
    --- exit 0
    $ postbell app create shop
    --- stderr
    error: the app shop is there already; `postbell app set` changes it
    --- exit 1
    $ postbell app list
    APP      CREATED
    default  [date]
    shop     [date]
    --- exit 0
    $ postbell app show shop
    # app shop, created [date]
    [cleanup]
    timer = "1h"

    [cors]
    origins = []

    [history]
    age = "1d"
    count = 10000

    [inbox]
    clients = ["web", "ios", "android", "atv", "stv"]

    [jwt]
    roles_claim = ""
    secret = "(hidden)"
    selector_claim = ""

    [limits]
    channels = 1000000
    connection_subscriptions = 1000
    header_bytes = 8192
    headers = 64
    history_page = 1000
    history_scan = 10000
    import_bytes = 67108864
    import_document_bytes = 65536
    import_messages = 25000
    inbox_list = 1000
    poll_page = 1000
    publish_bytes = 262144
    retract_ids = 25000
    schedule_page = 1000
    schedules = 2000000
    selectors = 10000
    subscriptions = 100000

    [polling]
    first_window = "1m"
    idle = "1d"

    [schedules]
    keep = "7d"

    [sync]
    batch = 5
    timeout = "10s"
    timer = "4m"
    --- exit 0
    $ postbell app set shop --file better.toml
    app shop set
    --- exit 0
    $ postbell app show shop --json
    {"app":"shop","created":"[date]","settings":{"channels":[{"pattern":"news.*","publish":[],"subscribe":["anyone"]}],"cleanup":{"timer":"1h"},"cors":{"origins":[]},"history":{"age":"1d","count":10000},"inbox":{"clients":["web","ios","android","atv","stv"]},"jwt":{"roles_claim":"","selector_claim":""},"limits":{"channels":1000000,"connection_subscriptions":1000,"header_bytes":8192,"headers":64,"history_page":1000,"history_scan":10000,"import_bytes":67108864,"import_document_bytes":65536,"import_messages":25000,"inbox_list":1000,"poll_page":1000,"publish_bytes":262144,"retract_ids":25000,"schedule_page":1000,"schedules":2000000,"selectors":10000,"subscriptions":100000},"polling":{"first_window":"1m","idle":"1d"},"schedules":{"keep":"7d"},"sync":{"batch":1000,"timeout":"10s","timer":"4m"}}}
    --- exit 0
    $ postbell app set other --file better.toml
    --- stderr
    error: there is no app other; `postbell app create` makes it
    --- exit 1
    $ postbell app delete shop
    --- stderr
    error: the following required arguments were not provided:
      --yes

    Usage: postbell app delete --yes <NAME>

    For more information, try '--help'.
    --- exit 2
    $ postbell app delete shop --yes
    app shop deleted
    --- exit 0
    $ postbell app delete shop --yes
    --- stderr
    error: there is no app shop; `postbell app list` shows which there are
    --- exit 1
    $ postbell app delete default --yes
    --- stderr
    error: the app default always exists and cannot be deleted
    --- exit 1
    "#));
}

#[test]
fn wrong_settings_are_refused_whole_with_field_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(folder, "good.toml", "[sync]\nbatch = 5\n");
    file(
        folder,
        "bad.toml",
        "[sync]\nbatch = 6\ntimer = 'often'\n\n[histori]\ncount = 1\n",
    );
    file(folder, "key.toml", "[jwt]\npublic_key = 'no key'\n");
    stdout(folder, "app create shop --file good.toml");
    let lines = [
        "app set shop --file bad.toml",
        "app set shop --file key.toml",
        "app set shop --file gone.toml",
    ];
    let text: String = lines.iter().map(|line| shown(folder, line)).collect();
    assert_snapshot!(text, @r#"
    $ postbell app set shop --file bad.toml
    --- stderr
    error: unknown setting "histori", did you mean "history"? (bad.toml:5)
    error: sync.timer: expected a duration such as 250ms, 30s, 10m, 24h or 7d, found "often", or "off" (bad.toml:3)
    --- exit 1
    $ postbell app set shop --file key.toml
    --- stderr
    error: jwt.public_key: expected a PEM file that begins with -----BEGIN PUBLIC KEY-----, found another text (key.toml:2)
    --- exit 1
    $ postbell app set shop --file gone.toml
    --- stderr
    error: cannot read gone.toml: No such file or directory (os error 2)
    --- exit 1
    "#);
    let shown: Value = serde_json::from_str(&stdout(folder, "app show shop --json")).unwrap();
    assert_eq!(
        shown["settings"]["sync"]["batch"], 5,
        "nothing of a wrong file is written"
    );
}

#[test]
fn keys_are_made_shown_once_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lines = [
        "key create --preset campaign --name campaigns",
        "key create --scope sync --scope publish --name cms --expires 2099-01-31T00:00:00Z",
        "key create --preset app --name late --expires 2001-01-31T00:00:00Z",
        "key create --preset app --name x --app other",
        "key revoke cms",
        "key revoke cms",
        "key list",
    ];
    let text: String = lines.iter().map(|line| shown(folder, line)).collect();
    filters().bind(|| {
        assert_snapshot!(text, @r#"
    $ postbell key create --preset campaign --name campaigns
    campaigns-[32 hex]
    --- exit 0
    $ postbell key create --scope sync --scope publish --name cms --expires [date]
    cms-[32 hex]
    --- exit 0
    $ postbell key create --preset app --name late --expires [date]
    --- stderr
    error: --expires [date] has passed already
    --- exit 1
    $ postbell key create --preset app --name x --app other
    --- stderr
    error: there is no app other; `postbell app list` shows which there are
    --- exit 1
    $ postbell key revoke cms
    key cms ([id]) revoked
    --- exit 0
    $ postbell key revoke cms
    --- stderr
    error: the app default has no key "cms" that is not revoked yet; `postbell key list` shows its keys
    --- exit 1
    $ postbell key list
    ID                NAME       SCOPES        CREATED               EXPIRES               STATE
    [id]  campaigns  import        [date]  never                 valid
    [id]  cms        publish,sync  [date]  [date]  revoked
    --- exit 0
    "#)
    });
}

#[test]
fn a_key_as_json_has_the_documented_fields() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = stdout(
        folder,
        "key create --json --preset client --name backend --expires 30d",
    );
    let starts = ["id", "name", "key", "scopes", "expires"].map(|name| made.find(&format!("\"{name}\":")));
    assert!(
        starts.is_sorted() && starts.iter().all(Option::is_some),
        "the fields in the order of the help: {made}"
    );
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made.as_object().unwrap().len(), 5);
    assert!(made["key"].as_str().unwrap().starts_with("backend-"));
    assert_eq!(
        made["scopes"],
        serde_json::json!(["publish", "schedule", "subscribe", "inbox"])
    );

    let listed: Value = serde_json::from_str(&stdout(folder, "key list --json")).unwrap();
    assert_eq!(listed[0]["id"], made["id"]);
    assert!(
        !listed.to_string().contains(made["key"].as_str().unwrap()),
        "the secret is shown once"
    );
}

#[test]
fn an_existing_secret_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(folder, "old.txt", "an-old-secret-of-ours\n");
    file(folder, "short.txt", "short\n");
    let lines = [
        "key create --preset app --name legacy --from-file old.txt",
        "key create --preset app --name again --from-file old.txt",
        "key create --preset app --name short --from-file short.txt",
        "key create --preset app --name gone --from-file gone.txt",
    ];
    let text: String = lines.iter().map(|line| shown(folder, line)).collect();
    assert_snapshot!(text, @r"
    $ postbell key create --preset app --name legacy --from-file old.txt
    an-old-secret-of-ours
    --- exit 0
    $ postbell key create --preset app --name again --from-file old.txt
    --- stderr
    error: the app default has a key with this secret already
    --- exit 1
    $ postbell key create --preset app --name short --from-file short.txt
    --- stderr
    error: short.txt holds no key: a key has 8 to 128 printable ASCII characters without spaces, found 5 bytes
    --- exit 1
    $ postbell key create --preset app --name gone --from-file gone.txt
    --- stderr
    error: cannot read gone.txt: No such file or directory (os error 2)
    --- exit 1
    ");
}

#[test]
fn a_name_that_two_keys_have_is_not_enough_to_revoke_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first: Value =
        serde_json::from_str(&stdout(folder, "key create --json --preset app --name cms")).unwrap();
    stdout(folder, "key create --preset app --name cms");
    filters().bind(|| {
        assert_snapshot!(shown(folder, "key revoke cms"), @r#"
    $ postbell key revoke cms
    --- stderr
    error: 2 keys are called "cms": give the id, one of [id], [id]
    --- exit 1
    "#)
    });
    stdout(folder, &format!("key revoke {}", first["id"].as_str().unwrap()));
    filters().bind(|| {
        assert_snapshot!(shown(folder, "key revoke cms"), @r"
    $ postbell key revoke cms
    key cms ([id]) revoked
    --- exit 0
    ")
    });
}

#[test]
fn a_token_is_printed_alone_and_needs_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    file(
        folder,
        "app.toml",
        "[jwt]\nsecret = '0123456789abcdef0123456789abcdef'\naudience = 'us'\n",
    );
    stdout(folder, "app create shop --file app.toml");
    let token = stdout(
        folder,
        "token mint --app shop --sub alice --role editor --role admin --ttl 10m",
    );
    let parts: Vec<&str> = token.trim_end_matches('\n').split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    assert_snapshot!(shown(folder, "token mint --sub alice"), @r"
    $ postbell token mint --sub alice
    --- stderr
    error: cannot make a token for the app default: tokens can be made for apps with jwt.secret alone; this app has none
    --- exit 1
    ");
    assert_snapshot!(shown(folder, "token mint --sub alice --ttl 0s"), @r"
    $ postbell token mint --sub alice --ttl 0s
    --- stderr
    error: invalid value '0s' for '--ttl <DURATION>': expected at least 1s

    For more information, try '--help'.
    --- exit 2
    ");
}

#[test]
fn a_wrong_data_folder_is_told_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(folder.path(), "app list --data elsewhere"), @r"
    $ postbell app list --data elsewhere
    --- stderr
    error: there is no store at elsewhere/postbell.db: is --data right?
    --- exit 1
    ");
    assert!(!folder.path().join("elsewhere").exists());
}
