use serde_json::json;

use super::signer::{SECRET, eddsa, es256, p384_pem, private_pem, rs256, rsa_1024_pem};
use super::world::settings;
use crate::access::check_settings;

fn fails(jwt: serde_json::Value) -> String {
    check_settings(&settings(json!({ "jwt": jwt })))
        .unwrap_err()
        .to_string()
}

#[test]
fn settings_that_can_be_used_pass() {
    for jwt in [
        json!({}),
        json!({"secret": SECRET, "algorithms": ["HS256", "HS512"]}),
        json!({"public_key": rs256().pem, "algorithms": ["RS256"]}),
        json!({"public_key": es256().pem}),
        json!({"public_key": format!("\n{}", eddsa().pem), "algorithms": ["EdDSA"]}),
        json!({"jwks_url": "https://id.example/jwks", "algorithms": ["RS256", "ES256"]}),
        json!({"secret": SECRET, "jwks_url": "https://id.example/jwks"}),
    ] {
        assert_eq!(check_settings(&settings(json!({ "jwt": jwt }))), Ok(()), "{jwt}");
    }
}

#[test]
fn what_the_settings_themselves_refuse_is_refused() {
    assert!(fails(json!({"secret": "short"})).starts_with("jwt.secret: expected at least 32 bytes"));
}

#[test]
fn a_public_key_that_cannot_be_used_is_refused() {
    let truncated = rs256().pem.replace("MII", "");
    let certificate = rs256().pem.replace("PUBLIC KEY", "CERTIFICATE");
    for pem in [
        "-----BEGIN nothing",
        &certificate,
        &truncated,
        &private_pem(),
        &p384_pem(),
        &rsa_1024_pem(),
    ] {
        let error = fails(json!({"public_key": pem}));
        assert!(error.starts_with("jwt.public_key: expected"), "{error}");
        assert!(!error.contains(&pem[pem.len() / 2..]), "{error}");
    }
}

#[test]
fn an_algorithm_without_a_key_that_fits_is_refused() {
    assert_eq!(
        fails(json!({"public_key": es256().pem, "algorithms": ["RS256"]})),
        "jwt.algorithms: RS256 needs a jwt.public_key of its kind or jwt.jwks_url, found none"
    );
    assert_eq!(
        fails(json!({"jwks_url": "https://id.example/jwks", "algorithms": ["RS256", "HS256"]})),
        "jwt.algorithms: HS256 needs jwt.secret, found none"
    );
}

#[test]
fn a_public_key_as_secret_is_refused() {
    let error = fails(json!({"secret": rs256().pem}));
    assert!(
        error.starts_with("jwt.secret: expected a shared secret, found a PEM file"),
        "{error}"
    );
}

#[test]
fn plain_http_is_for_loopback_hosts_alone() {
    for url in [
        "http://127.0.0.1:8080/jwks",
        "http://localhost/jwks",
        "http://[::1]:1/jwks",
    ] {
        assert_eq!(
            check_settings(&settings(json!({"jwt": {"jwks_url": url}}))),
            Ok(()),
            "{url}"
        );
    }
    for url in [
        "http://id.example/jwks",
        "http://localhost.example/jwks",
        "http://10.0.0.1/jwks",
    ] {
        assert_eq!(
            fails(json!({"jwks_url": url})),
            "jwt.jwks_url: expected https:// (http:// for a loopback host alone), found http://"
        );
    }
}

#[test]
fn a_jwks_url_with_a_password_is_refused_without_showing_it() {
    let error = fails(json!({"jwks_url": "https://me:hunter2@id.example/jwks"}));
    assert!(error.contains("without user name and password"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_webhook_secret_that_cannot_sign_is_refused_without_showing_it() {
    for (secret, found) in [
        ("whsec_", "0 bytes"),
        ("whsec_YWJj", "3 bytes"),
        ("abc", "a text that is no base64"),
        ("whsec_!!!!", "a text that is no base64"),
    ] {
        let error = check_settings(&settings(json!({"sync": {"webhook_secret": secret}}))).unwrap_err();
        let expected = "sync.webhook_secret: expected whsec_ and 24 to 64 bytes in base64, found";
        assert_eq!(error.to_string(), format!("{expected} {found}"));
    }
}

#[test]
fn headers_that_cannot_be_sent_or_are_the_requests_own_are_refused_by_name() {
    let fails = |headers| {
        check_settings(&settings(json!({"sync": {"headers": headers}})))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        fails(json!({"bad name": "hush", "x-lines": "hush\nhush", "x-fine": "hush"})),
        "sync.headers: \"bad name\" is no header name; \
         the value of x-lines holds a character that no header may, such as a line break"
    );
    for name in [
        "Content-Length",
        "host",
        "transfer-encoding",
        "content-type",
        "connection",
        "webhook-id",
        "Webhook-Timestamp",
        "webhook-signature",
    ] {
        let expected = format!(
            "sync.headers: {} is set by the server itself: leave it out",
            name.to_lowercase()
        );
        assert_eq!(fails(json!({ name: "hush" })), expected);
    }
    let good = json!({"authorization": "Bearer hush", "X-Campaign": "å"});
    assert_eq!(
        check_settings(&settings(json!({"sync": {"headers": good}}))),
        Ok(())
    );
}

#[test]
fn a_sync_url_that_the_client_cannot_read_is_refused_without_showing_it() {
    for url in ["http://user:hu/sh@host/", "https://user:hush@[host/"] {
        assert_eq!(
            check_settings(&settings(json!({"sync": {"url": url}})))
                .unwrap_err()
                .to_string(),
            "sync.url: expected an http:// or https:// URL, found a text that is none"
        );
    }
}
