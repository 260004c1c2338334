use insta::assert_snapshot;

use crate::run::{file, postbell, shown, stdout};

#[test]
fn a_good_configuration_is_ok() {
    let folder = tempfile::tempdir().unwrap();
    file(
        folder.path(),
        "postbell.toml",
        include_str!("../../../../postbell.example.toml"),
    );
    assert_snapshot!(shown(folder.path(), "config check --config postbell.toml"), @r"
    $ postbell config check --config postbell.toml
    ok
    --- exit 0
    ");
}

#[test]
fn every_problem_is_a_line_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    file(
        folder.path(),
        "postbell.toml",
        "lisen = []\n[server]\nmax_connections = 'many'\n",
    );
    assert_snapshot!(shown(folder.path(), "config check --config postbell.toml"), @r#"
    $ postbell config check --config postbell.toml
    --- stderr
    error: unknown setting "lisen", did you mean "listen"? (postbell.toml:1)
    error: server.max_connections: expected a whole number, 0 or more, found "many" (postbell.toml:3)
    --- exit 1
    "#);
    assert_snapshot!(shown(folder.path(), "serve --config postbell.toml"), @r#"
    $ postbell serve --config postbell.toml
    --- stderr
    error: unknown setting "lisen", did you mean "listen"? (postbell.toml:1)
    error: server.max_connections: expected a whole number, 0 or more, found "many" (postbell.toml:3)
    --- exit 1
    "#);
    assert_snapshot!(shown(folder.path(), "config check --config other.toml"), @r"
    $ postbell config check --config other.toml
    --- stderr
    error: cannot read the configuration file other.toml: No such file or directory (os error 2)
    --- exit 1
    ");
}

#[test]
fn an_unknown_variable_stops_the_server_and_names_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = postbell(folder.path())
        .args(["serve"])
        .env("POSTBELL_SYNC_TIMR", "1m")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"error: unknown setting POSTBELL_SYNC_TIMR, did you mean POSTBELL_SYNC_TIMER? (environment POSTBELL_SYNC_TIMR)");
}

#[test]
fn certificates_are_tried_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    file(
        folder.path(),
        "postbell.toml",
        "[tls]\ncert = 'cert.pem'\nkey = 'key.pem'\n",
    );
    assert_snapshot!(shown(folder.path(), "config check --config postbell.toml"), @r"
    $ postbell config check --config postbell.toml
    --- stderr
    error: cannot use tls.cert and tls.key: the TLS file cert.pem cannot be read: No such file or directory (os error 2)
    --- exit 1
    ");
}

#[test]
fn values_are_printed_with_their_sources_and_secrets_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    file(
        folder.path(),
        "postbell.toml",
        &format!("data = 'here'\n[apps.shop.jwt]\nsecret = '{secret}'\n"),
    );
    file(
        folder.path(),
        "webhook",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
    );
    for line in ["config print --dev", "config print --dev --json"] {
        let output = postbell(folder.path())
            .args(line.split(' '))
            .env("POSTBELL_CONFIG", "postbell.toml")
            .env("POSTBELL_SYNC_WEBHOOK_SECRET_FILE", "webhook")
            .env("POSTBELL_SYNC_URL", "http://127.0.0.1:9/pmserviceSync")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert!(!text.contains(secret) && !text.contains("MfKQ"), "{text}");
        assert!(text.contains("environment POSTBELL_SYNC_URL"), "{text}");
        assert!(text.contains("(hidden)"), "{text}");
    }
}

#[test]
fn all_values_are_printed_without_any_configuration() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(stdout(folder.path(), "config print"), @r#"
    data = "./postbell-data"  # default
    listen = ["127.0.0.1:8000"]  # default
    require_https = true  # default
    trusted_proxies = []  # default

    [hub]
    concurrent_reads = 8  # default
    page_cache_bytes = 16777216  # default
    ring_bytes = 67108864  # default
    ring_messages = 1024  # default

    [log]
    format = "text"  # default
    level = "info"  # default

    [realtime]
    inboxes = 16  # default
    ping_interval = "25s"  # default
    position_interval = "15s"  # default
    publish_bytes = 1048576  # default
    publishes = 32  # default

    [rt]
    confirm_after = "2s"  # default
    connect_timeout = "20s"  # default
    max_kept = 100000  # default
    max_payload = 327680  # default
    max_waiting = 1048576  # default
    ping_interval = "25s"  # default
    ping_timeout = "20s"  # default
    pong_timeout = "30s"  # default
    resume = "2m"  # default
    upgrade_timeout = "10s"  # default
    window = 262144  # default

    [server]
    body_idle_timeout = "30s"  # default
    first_byte_timeout = "10s"  # default
    header_read_timeout = "75s"  # default
    http2_max_streams = 200  # default
    import_wait = "10s"  # default
    max_connections = 20000  # default
    max_header_bytes = 32768  # default
    max_imports = 4  # default
    stop_timeout = "8s"  # default
    tls_handshake_timeout = "10s"  # default
    tls_reload_interval = "5s"  # default
    write_stall_timeout = "30s"  # default

    [store]
    batch_bytes = 8388608  # default
    batch_jobs = 1024  # default
    queue_bytes = 67108864  # default
    readers = 2  # default
    url = "sqlite:"  # default
    "#);
}
