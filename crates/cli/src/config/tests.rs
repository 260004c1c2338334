use std::ffi::OsString;

use insta::assert_snapshot;

use super::*;
use crate::config::schema::Schema;

mod example;
mod live;
mod properties;
mod secrets;

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn assembled(file: &str, variables: &[(&str, &str)], flags: &Flags) -> Result<Loaded, Problems> {
    let file = (!file.is_empty()).then(|| (PathBuf::from("postbell.toml"), file.to_owned()));
    assemble(file, &environment(variables), flags)
}

fn from_file(file: &str) -> Result<Loaded, Problems> {
    assembled(file, &[], &Flags::default())
}

fn problems(loaded: Result<Loaded, Problems>) -> String {
    let Problems(problems) = loaded.expect_err("there is a problem");
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn without_any_source_everything_has_its_default() {
    let loaded = from_file("").unwrap();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.apps.is_empty());
}

#[test]
fn the_environment_goes_before_the_file_and_flags_before_both() {
    let file = "data = 'from-file'\nlisten = ['127.0.0.1:1']\nbase_domain = 'file.example'";
    let variables = [
        ("POSTBELL_DATA", "from-env"),
        ("POSTBELL_LISTEN", "127.0.0.1:2, [::1]:2"),
    ];
    let flags = Flags {
        data: Some("from-flag".into()),
        ..Flags::default()
    };
    let config = assembled(file, &variables, &flags).unwrap().config;
    assert_eq!(config.data, PathBuf::from("from-flag"));
    assert_eq!(config.listen, ["127.0.0.1:2", "[::1]:2"]);
    assert_eq!(config.base_domain.as_deref(), Some("file.example"));
}

#[test]
fn a_variable_sets_any_setting_in_its_type() {
    let variables = [
        ("POSTBELL_SERVER__MAX_CONNECTIONS", "50000"),
        ("POSTBELL_REQUIRE_HTTPS", "false"),
        ("POSTBELL_SERVER__IMPORT_WAIT", "3s"),
        ("POSTBELL_TRUSTED_PROXIES", "10.0.0.0/8,::1"),
        ("POSTBELL_STORE", "sqlite:/tmp/other.db"),
        ("POSTBELL_LOG__FORMAT", "json"),
        ("POSTBELL_PUBLIC_URL", ""),
    ];
    let config = assembled("", &variables, &Flags::default()).unwrap().config;
    assert_eq!(config.server.max_connections, 50_000);
    assert!(!config.require_https);
    assert_eq!(config.server.import_wait, model::time::Span::seconds(3));
    assert_eq!(config.trusted_proxies, ["10.0.0.0/8", "::1"]);
    assert_eq!(
        config.store_location().unwrap(),
        settings::StoreLocation::Sqlite("/tmp/other.db".into())
    );
    assert_eq!(config.log.format, settings::LogFormat::Json);
    assert_eq!(config.public_url, None, "an empty variable counts as absent");
}

#[test]
fn an_unknown_setting_is_named_with_its_place_and_the_nearest_one() {
    let file = "lisen = []\n\n[server]\nmax_conections = 5\n[apps.shop.sync]\nulr = ''\n[[apps.shop.channels]]\n\
                pattern = 'a'\npublsh = []";
    let variables = [
        ("POSTBELL_SYNC_URI", "x"),
        ("POSTBELL_HUB__RING_BYTE", "1"),
        ("POSTBELL_URL", "the client's"),
        ("POSTBELL_LOG", "debug"),
        ("OTHER_THING", "not ours"),
    ];
    assert_snapshot!(problems(assembled(file, &variables, &Flags::default())), @r#"
    unknown setting "apps.shop.channels[0].publsh", did you mean "apps.shop.channels[0].publish"? (postbell.toml:9)
    unknown setting "apps.shop.sync.ulr", did you mean "apps.shop.sync.url"? (postbell.toml:6)
    unknown setting "lisen", did you mean "listen"? (postbell.toml:1)
    unknown setting "server.max_conections", did you mean "server.max_connections"? (postbell.toml:4)
    unknown setting POSTBELL_HUB__RING_BYTE, did you mean POSTBELL_HUB__RING_BYTES? (environment POSTBELL_HUB__RING_BYTE)
    unknown setting POSTBELL_SYNC_URI, did you mean POSTBELL_SYNC_URL? (environment POSTBELL_SYNC_URI)
    "#);
}

#[test]
fn where_no_setting_is_near_those_of_the_table_are_listed() {
    let file = "[apps.shop.jwt]\nfoo = 1\n[[apps.shop.channels]]\npattern = 'a'\nwhoever = []\n[server]\nring_bytes = 1\n[tls]\nx = 1";
    assert_snapshot!(problems(from_file(file)), @r#"
    unknown setting "apps.shop.channels[0].whoever", expected one of pattern, publish, subscribe (postbell.toml:5)
    unknown setting "apps.shop.jwt.foo", expected one of algorithms, audience, issuer, jwks_url, public_key, roles_claim, secret, selector_claim, user_claim (postbell.toml:2)
    unknown setting "server.ring_bytes", expected one of body_idle_timeout, first_byte_timeout, header_read_timeout, http2_max_streams, import_wait, max_connections, max_header_bytes, max_imports, stop_timeout, tls_handshake_timeout, tls_reload_interval, write_stall_timeout (postbell.toml:7)
    unknown setting "tls.x", expected one of cert, key (postbell.toml:9)
    "#);
}

#[test]
fn a_wrong_value_is_named_with_what_was_expected_and_found() {
    let file = "require_https = 'yes'\nlisten = ['somewhere']\ntrusted_proxies = ['10.0.0.1/8']\n\
                public_url = 'postbell.example'\nstore = 'sqlite:'\n[server]\nmax_connections = -1\n\
                stop_timeout = '1h'\nimport_wait = 10\n[log]\nformat = 'xml'\nlevel = 'a=b=c'\n[tls]\ncert = 'a.pem'";
    assert_snapshot!(problems(from_file(file)), @r#"
    log.format: expected text or json, found "xml" (postbell.toml:11)
    require_https: expected true or false, found "yes" (postbell.toml:1)
    server.import_wait: expected text such as "10s", found 10 (postbell.toml:9)
    server.max_connections: expected a whole number, 0 or more, found -1 (postbell.toml:7)
    store: expected a table, found "sqlite:" (postbell.toml:5)
    listen: expected ADDR:PORT such as 127.0.0.1:8000 or [::1]:8000, found "somewhere" (postbell.toml:2)
    trusted_proxies: "10.0.0.1/8" has bits set after its prefix: write 10.0.0.0/8 for that network (postbell.toml:3)
    public_url: expected http:// or https://, a host and nothing behind it, found "postbell.example" (postbell.toml:4)
    tls.cert: tls.key is missing: give both (postbell.toml:14)
    log.level: expected a level such as info or a filter, found "a=b=c": error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5 (postbell.toml:12)
    server.stop_timeout: expected 100ms to 9s, found 1h (postbell.toml:8)
    "#);
}

#[test]
fn wrong_settings_of_apps_are_named_with_their_place() {
    let file = "[apps.shop.jwt]\nsecret = 5\nalgorithms = ['none']\n[apps.shop.sync]\ntimer = 'often'\n\
                [apps.api]\n[apps.news.sync]\nbatch = 0\n[[apps.blog.channels]]\npublish = ['anyone']";
    let variables = [
        ("POSTBELL_JWT_SECRET", "much too short"),
        ("POSTBELL_CLEANUP_TIMER", "1 day"),
    ];
    assert_snapshot!(problems(assembled(file, &variables, &Flags::default())), @r#"
    apps.api: the app id "api" is reserved (postbell.toml:6)
    apps.blog.channels[0]: `pattern` is missing (postbell.toml:9)
    apps.default.cleanup.timer: expected a duration such as 250ms, 30s, 10m, 24h or 7d, found "1 day", or "off" (environment POSTBELL_CLEANUP_TIMER)
    apps.default.jwt.secret: expected at least 32 bytes, found 14 (environment POSTBELL_JWT_SECRET)
    apps.news.sync.batch: expected 1 to 1000, found 0 (postbell.toml:8)
    apps.shop.jwt.secret: expected text, found another type (postbell.toml:2)
    apps.shop.sync.timer: expected a duration such as 250ms, 30s, 10m, 24h or 7d, found "often", or "off" (postbell.toml:5)
    apps.shop.jwt.algorithms: expected some of HS256, HS384, HS512, RS256, ES256, EdDSA, found "none" (postbell.toml:3)
    "#);
}

#[test]
fn a_wrong_type_hides_no_wrong_value_nor_a_rule_another() {
    let file = "[apps.default.sync]\nurl = 'nope'\nbatch = 1001\ntimeout = '0s'\ntimer = 'of'\n\
                [apps.default.jwt]\nsecret = 5\nalgorithms = ['HS256']\n\
                [[apps.default.channels]]\npattern = 'a'\npublish = ['nobody']\nsubscribe = ['role:']\n\
                [[apps.default.channels]]\npattern = 5\npublish = ['key:']\n";
    assert_snapshot!(problems(from_file(file)), @r#"
    apps.default.channels[0].publish[0]: expected anyone, authenticated, key:NAME, role:NAME or user:ID, found "nobody" (postbell.toml:11)
    apps.default.channels[0].subscribe[0]: expected anyone, authenticated, key:NAME, role:NAME or user:ID, found "role:" (postbell.toml:12)
    apps.default.channels[1].pattern: expected text, found 5 (postbell.toml:14)
    apps.default.channels[1].publish[0]: expected anyone, authenticated, key:NAME, role:NAME or user:ID, found "key:" (postbell.toml:15)
    apps.default.jwt.secret: expected text, found another type (postbell.toml:7)
    apps.default.sync.timer: expected a duration such as 250ms, 30s, 10m, 24h or 7d, found "of", or "off" (postbell.toml:5)
    apps.default.sync.url: expected an http:// or https:// URL, found "nope" (postbell.toml:2)
    apps.default.sync.batch: expected 1 to 1000, found 1001 (postbell.toml:3)
    apps.default.sync.timeout: expected 100ms to 25s, found 0ms (postbell.toml:4)
    "#);
}

#[test]
fn apps_that_are_no_tables_are_named() {
    let expected = "apps: expected a table with a table for each app (postbell.toml:1)\n";
    assert_eq!(problems(from_file("apps = 5")), expected);
    let expected = "apps.shop: expected a table of settings (postbell.toml:1)\n";
    assert_eq!(problems(from_file("apps.shop = 'x'")), expected);
    let variables = [("POSTBELL_APPS", "5")];
    let expected = "apps: expected a table with a table for each app (environment POSTBELL_APPS)\n";
    assert_eq!(problems(assembled("", &variables, &Flags::default())), expected);
    let variables = [("POSTBELL_APPS", "{ shop = 5 }")];
    let expected = "apps.shop: expected a table of settings (environment POSTBELL_APPS)\n";
    assert_eq!(problems(assembled("", &variables, &Flags::default())), expected);
}

#[test]
fn text_that_is_no_toml_is_named_with_its_line() {
    assert_snapshot!(problems(from_file("data = 'x'\nlisten = [\n")), @"not TOML: unclosed array, expected `]` (postbell.toml:2)");
}

#[test]
fn other_stores_are_refused_without_repeating_their_password() {
    let flags = |store: &str| Flags {
        store: Some(store.to_owned()),
        ..Flags::default()
    };
    let postgres = problems(assembled("", &[], &flags("postgres://me:hunter2@db/postbell")));
    let unknown = problems(assembled("", &[], &flags("mysql://me:hunter2@db/postbell")));
    assert_snapshot!(format!("{postgres}{unknown}"), @r#"
    store.url: PostgreSQL is not built into this version: use sqlite: or sqlite:PATH (--store)
    store.url: expected sqlite: or sqlite:PATH, found "mysql" (--store)
    "#);
}

#[test]
fn development_mode_is_plain_http_on_the_loopback() {
    let dev = |listen: &str| Flags {
        dev: true,
        listen: vec![listen.to_owned()],
        ..Flags::default()
    };
    let config = assembled("require_https = true", &[], &dev("[::1]:0"))
        .unwrap()
        .config;
    assert!(!config.require_https);
    assert_snapshot!(problems(assembled("", &[], &dev("0.0.0.0:8000"))), @"listen: --dev listens on the loopback only (127.0.0.1 or [::1]), found 0.0.0.0:8000 (--listen)");
    assert_snapshot!(problems(assembled("tls = { cert = 'a', key = 'b' }", &[], &dev("127.0.0.1:0"))), @"tls.cert: --dev serves plain HTTP: leave tls.cert and tls.key out (postbell.toml:1)");
}

#[test]
fn the_environment_is_laid_over_stored_settings_and_the_file_replaces_them() {
    let stored: model::settings::AppSettings =
        serde_json::from_value(serde_json::json!({"sync": {"url": "http://stored/", "batch": 7}})).unwrap();
    let variables = [
        ("POSTBELL_SYNC_URL", "http://env/"),
        ("POSTBELL_SYNC_TIMER", "off"),
    ];

    let overlaid = assembled("", &variables, &Flags::default()).unwrap();
    let settings = overlaid.apps[0].apply(Some(&stored)).unwrap();
    assert_eq!(settings.sync.url.as_deref(), Some("http://env/"));
    assert_eq!(settings.sync.timer, model::time::Timer::Off);
    assert_eq!(
        settings.sync.batch, 7,
        "what the environment does not give stays as stored"
    );

    let replaced = assembled(
        "[apps.default.cors]\norigins = ['*']",
        &variables,
        &Flags::default(),
    )
    .unwrap();
    let settings = replaced.apps[0].apply(Some(&stored)).unwrap();
    assert_eq!(settings.sync.batch, 1_000, "the file replaces what was stored");
    assert_eq!(settings.sync.url.as_deref(), Some("http://env/"));
    assert_eq!(settings.cors.origins, ["*"]);
}

#[test]
fn what_cannot_be_in_the_store_already_stays_and_what_is_given_anew_is_refused() {
    let stored: model::settings::AppSettings =
        serde_json::from_value(serde_json::json!({"sync": {"webhook_secret": "whsec_"}})).unwrap();
    let app = |name, value| {
        assembled("", &[(name, value)], &Flags::default())
            .map(|loaded| loaded.apps[0].apply(Some(&stored)).unwrap())
    };
    let settings = app("POSTBELL_SYNC_TIMER", "off").unwrap();
    assert_eq!(settings.sync.webhook_secret, stored.sync.webhook_secret);
    assert_eq!(settings.sync.timer, model::time::Timer::Off);
    let Problems(problems) = app("POSTBELL_SYNC_WEBHOOK_SECRET", "whsec_YWJj").unwrap_err();
    assert_snapshot!(problems[0], @"apps.default.sync.webhook_secret: expected whsec_ and 24 to 64 bytes in base64, found 3 bytes (environment POSTBELL_SYNC_WEBHOOK_SECRET)");
}

#[test]
fn lists_and_tables_come_from_the_environment_as_toml() {
    let variables = [
        (
            "POSTBELL_APPS__SHOP__CHANNELS",
            "[{ pattern = 'n.*', subscribe = ['anyone'] }]",
        ),
        ("POSTBELL_APPS__SHOP__SYNC__HEADERS", "{ x-token = 'abc' }"),
    ];
    let loaded = assembled("", &variables, &Flags::default()).unwrap();
    let settings = loaded.apps[0].apply(None).unwrap();
    assert_eq!(settings.channels[0].pattern.as_str(), "n.*");
    assert_eq!(settings.sync.headers["x-token"].expose(), "abc");
}

#[test]
fn every_value_of_an_app_that_cannot_be_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.toml");
    let text = "[jwt]\nsecret = 'short'\nalgorithms = ['HS999']\n[sync]\nurl = 'nope'\nbatch = 2000\n";
    std::fs::write(&file, text).unwrap();
    let Problems(problems) = apps::read_file(&file).unwrap_err();
    let lines = problems.iter().map(|problem| {
        let Some(layer::Source::File { line, .. }) = &problem.source else {
            panic!("{} has no line", problem.text);
        };
        format!("{line}: {}", problem.text)
    });
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    2: jwt.secret: expected at least 32 bytes, found 5
    3: jwt.algorithms: expected some of HS256, HS384, HS512, RS256, ES256, EdDSA, found "HS999"
    5: sync.url: expected an http:// or https:// URL, found "nope"
    6: sync.batch: expected 1 to 1000, found 2000
    "#);
}

#[test]
fn every_short_name_stands_for_a_setting() {
    let schema = Schema::of_configuration();
    for (name, path) in environment::SHORT_NAMES {
        assert!(
            schema.find(path).is_some(),
            "{name} stands for {path}, which is none"
        );
    }
}
