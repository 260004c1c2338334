use super::*;

#[test]
fn settings_that_are_written_read_back() {
    let mut settings = AppSettings::default();
    settings.jwt.secret = Some(Secret::new("0123456789abcdef0123456789abcdef"));
    settings.sync.url = Some("https://campaign.example/pmserviceSync".into());
    settings.sync.headers.insert("x-token".into(), Secret::new("t"));
    settings.history.windows.push(HistoryWindow {
        pattern: ChannelPattern::new("news.*"),
        age: Span::seconds(60),
        count: 5,
    });
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<AppSettings>(&text).unwrap(), settings);
    assert_eq!(settings.check(), Ok(()));
}

#[test]
fn an_unknown_setting_is_an_error_that_names_it() {
    let error = serde_json::from_str::<AppSettings>(r#"{"sync":{"urll":"x"}}"#).unwrap_err();
    assert!(error.to_string().contains("urll"), "{error}");
}

#[test]
fn what_cannot_be_is_refused_with_the_field() {
    let check = |json: &str| {
        serde_json::from_str::<AppSettings>(json)
            .unwrap()
            .check()
            .unwrap_err()
            .field
    };
    assert_eq!(check(r#"{"jwt":{"secret":"short"}}"#), "jwt.secret");
    assert_eq!(check(r#"{"jwt":{"algorithms":["none"]}}"#), "jwt.algorithms");
    assert_eq!(check(r#"{"jwt":{"jwks_url":"ftp://x"}}"#), "jwt.jwks_url");
    assert_eq!(check(r#"{"sync":{"url":"https://"}}"#), "sync.url");
    assert_eq!(check(r#"{"sync":{"batch":1001}}"#), "sync.batch");
    assert_eq!(check(r#"{"history":{"count":0}}"#), "history.count");
}

#[test]
fn the_first_window_whose_pattern_matches_counts() {
    let settings: HistorySettings = serde_json::from_str(
        r#"{"count":7,"windows":[{"pattern":"a*","age":"1m","count":1},{"pattern":"ab","age":"2m","count":2}]}"#,
    )
    .unwrap();
    assert_eq!(settings.window("ab").count, 1);
    assert_eq!(settings.window("b").count, 7);
    assert_eq!(settings.window("b").age, std::time::Duration::from_secs(86_400));
}

#[test]
fn shown_settings_hold_no_secret() {
    let mut settings = AppSettings::default();
    settings.jwt.secret = Some(Secret::new("top-secret-value"));
    settings
        .sync
        .headers
        .insert("x".into(), Secret::new("other-secret"));
    settings.sync.url = Some("https://user:other-secret@host/?key=other-secret".into());
    let shown = serde_json::to_string(&settings.without_secrets()).unwrap();
    assert!(!shown.contains("top-secret") && !shown.contains("other-secret"));
    let debugged = format!("{settings:?}");
    assert!(!debugged.contains("top-secret") && !debugged.contains("other-secret"));
}

#[test]
fn a_url_is_shown_without_user_password_and_query_values() {
    for (url, shown) in [
        ("https://campaign.example/sync", "https://campaign.example/sync"),
        (
            "http://user:hush@host:1/x?key=hush",
            "http://(hidden)@host:1/x?key=(hidden)",
        ),
        ("https://hush@host/@path", "https://(hidden)@host/@path"),
        ("https://u:h@sh@host", "https://(hidden)@host"),
        (
            "https://host?a=1&hush&b=hush=hush#hush",
            "https://host?a=(hidden)&(hidden)&b=(hidden)#(hidden)",
        ),
        ("user:hush@host", "(hidden)@host"),
    ] {
        assert_eq!(shown::url(url), shown);
    }
}

#[test]
fn a_text_that_is_no_url_is_told_without_what_may_be_a_password() {
    for url in ["ftp://user:hush@host/", "user:hush@host", "host/?key=hush"] {
        let mut settings = AppSettings::default();
        settings.sync.url = Some(url.into());
        assert_eq!(
            settings.check().unwrap_err().to_string(),
            "sync.url: expected an http:// or https:// URL, found a text that is none"
        );
    }
}

#[test]
fn origins_that_no_browser_sends_are_refused_all_at_once() {
    let check = |origins: &[&str]| {
        let mut settings = AppSettings::default();
        settings.cors.origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        settings.check().map_err(|error| error.to_string())
    };
    for origin in [
        "*",
        "null",
        "file://",
        "https://app.example",
        "http://localhost:5173",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://[::1]",
        "capacitor://localhost",
        "chrome-extension://abcdef",
        "https://xn--bcher-kva.example",
        "http://my_host:443",
    ] {
        assert_eq!(check(&[origin]), Ok(()));
    }
    for origin in [
        "",
        "notaurl",
        "app.example",
        "https://",
        "https://a/",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "https://*.a",
        "https://A.example",
        "https://bücher.example",
        "https://a:443",
        "http://a:80",
        "https://a:",
        "https://a:65536",
        "https://a b",
        "https://[::1",
        "https://[0::1]",
    ] {
        assert!(check(&[origin]).is_err(), "{origin}");
    }
    assert_eq!(
        check(&["notaurl", "*", "https://a/b"]).unwrap_err(),
        "cors.origins: expected *, null, or what browsers send: scheme://host or scheme://host:port in lower \
         case, without :443 of https and :80 of http, found \"notaurl\", \"https://a/b\""
    );
}
