use super::*;

#[test]
fn secrets_come_from_files_too_but_not_from_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "0123456789abcdef0123456789abcdef\r\n").unwrap();
    let path = file.to_str().unwrap();
    let one = assembled("", &[("POSTBELL_JWT_SECRET_FILE", path)], &Flags::default()).unwrap();
    let settings = one.apps[0].apply(None).unwrap();
    let secret = settings.jwt.secret.unwrap();
    assert_eq!(secret.expose(), "0123456789abcdef0123456789abcdef");

    let toml = format!("[apps.shop.jwt]\nsecret_file = '{path}'");
    let other = from_file(&toml).unwrap();
    assert_eq!(other.apps[0].settings.as_ref().unwrap().jwt.secret, Some(secret));

    let both = [("POSTBELL_JWT_SECRET_FILE", path), ("POSTBELL_JWT_SECRET", "x")];
    assert_snapshot!(problems(assembled("", &both, &Flags::default())), @r"
    apps.default.jwt.secret and apps.default.jwt.secret_file are both given: leave one out (environment POSTBELL_JWT_SECRET_FILE)
    apps.default.jwt.secret: expected at least 32 bytes, found 1 (environment POSTBELL_JWT_SECRET)
    ");
    let missing = [("POSTBELL_SYNC_WEBHOOK_SECRET_FILE", "/nonexistent/secret")];
    assert_snapshot!(problems(assembled("", &missing, &Flags::default())), @"apps.default.sync.webhook_secret_file: cannot read /nonexistent/secret: No such file or directory (os error 2) (environment POSTBELL_SYNC_WEBHOOK_SECRET_FILE)");
}

#[test]
fn printed_settings_have_sources_and_no_secrets() {
    let file = "data = '/srv/\"p\"'\n[apps.shop.sync]\nheaders = { authorization = 'Bearer hush' }\n\
                webhook_secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'\n\
                url = 'https://user:hush@host/?key=hush'\n";
    let variables = [
        ("POSTBELL_JWT_SECRET", "hush hush hush hush hush hush hush"),
        ("POSTBELL_LISTEN", "[::1]:80"),
        ("POSTBELL_SYNC_URL", "https://hush@host/"),
    ];
    let loaded = assembled(
        file,
        &variables,
        &Flags {
            dev: true,
            ..Flags::default()
        },
    )
    .unwrap();
    let text = print::as_toml(&loaded).unwrap();
    let json = print::as_json(&loaded).unwrap();
    assert!(!text.contains("hush") && !text.contains("MfKQ"), "{text}");
    assert!(!json.to_string().contains("hush") && !json.to_string().contains("MfKQ"));
    assert!(
        toml::from_str::<toml::Table>(&text).is_ok(),
        "what is printed is TOML: {text}"
    );
    assert_eq!(
        json["listen"],
        serde_json::json!({"value": ["[::1]:80"], "source": "environment POSTBELL_LISTEN"})
    );
    let chosen = [
        "data", "listen", "require", "base", "secret", "url", "author", "#", "timer", "[",
    ];
    let lines = text
        .lines()
        .filter(|line| chosen.iter().any(|start| line.starts_with(start)));
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    data = "/srv/\"p\""  # postbell.toml:1
    listen = ["[::1]:80"]  # environment POSTBELL_LISTEN
    require_https = false  # --dev
    [hub]
    [log]
    [realtime]
    [rt]
    [server]
    [store]
    url = "sqlite:"  # default
    # Laid over the settings that the store has for the app default.
    [apps.default.jwt]
    secret = "(hidden)"  # environment POSTBELL_JWT_SECRET
    [apps.default.sync]
    url = "https://(hidden)@host/"  # environment POSTBELL_SYNC_URL
    # The settings of the app shop are these at every start.
    [apps.shop.cleanup]
    timer = "1h"  # default
    [apps.shop.cors]
    [apps.shop.history]
    [apps.shop.inbox]
    [apps.shop.jwt]
    [apps.shop.limits]
    [apps.shop.polling]
    [apps.shop.schedules]
    [apps.shop.sync]
    timer = "4m"  # default
    url = "https://(hidden)@host/?key=(hidden)"  # postbell.toml:5
    [apps.shop.sync.headers]
    authorization = "(hidden)"  # postbell.toml:3
    "#);
}

#[test]
fn what_is_shown_of_a_secret_is_not_taken_for_one() {
    let secret = model::settings::Secret::new("0123456789abcdef0123456789abcdef");
    let mut settings = model::settings::AppSettings::default();
    settings.jwt.secret = Some(secret.clone());
    settings.sync.headers.insert("authorization".to_owned(), secret);
    settings.sync.url = Some("https://user:hush@host/".to_owned());
    let shown = print::app_as_toml(&settings);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.toml");
    std::fs::write(&file, shown).unwrap();
    let Problems(problems) = apps::read_file(&file).unwrap_err();
    let texts: Vec<_> = problems.iter().map(|problem| problem.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "sync.headers.authorization: (hidden) stands for a secret: write the secret itself",
            "jwt.secret: (hidden) stands for a secret: write the secret itself",
            "sync.url: (hidden) stands for a secret: write the secret itself",
        ]
    );
}

#[test]
fn a_secret_in_the_place_of_a_table_is_not_told() {
    assert_snapshot!(problems(from_file("[apps.shop]\njwt = 'hush'\nsync = 'http://u:hush@h'\n[apps.news.sync]\nheaders = 'hush'")), @"
    apps.news.sync.headers: expected a table, found another type (postbell.toml:5)
    apps.shop.jwt: expected a table, found another type (postbell.toml:2)
    apps.shop.sync: expected a table, found another type (postbell.toml:3)
    ");
}
