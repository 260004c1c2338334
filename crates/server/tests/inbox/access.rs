//! Who may call what.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::server::Server;

use super::support::*;

/// The calls that keys make, with the presets that may (api.md 2).
const KEY_CALLS: [(&str, &str, &[&str]); 8] = [
    ("POST", "/messages/import", &["campaign", "admin"]),
    ("POST", "/messages/retract", &["campaign", "admin"]),
    ("POST", "/messages/sync", &["scheduler", "admin"]),
    ("GET", "/messages/sync", &["scheduler", "admin"]),
    ("POST", "/messages/cleanup", &["scheduler", "admin"]),
    ("GET", "/messages/cleanup", &["scheduler", "admin"]),
    ("GET", "/messages/none", &["client", "admin"]),
    ("DELETE", "/users/none/messages", &["client", "admin"]),
];

fn call(server: &Server, method: &str, path: &str) -> Call {
    let method: Method = method.parse().unwrap();
    let body = json!({"messages": [{"id": "none"}]}).to_string();
    Call::new(server, method, path)
        .header("content-type", "application/json")
        .body(body)
}

#[tokio::test]
async fn each_preset_may_what_it_is_for_and_is_answered_401_elsewhere() {
    let server = Server::start().await;
    let app = server.default_app().await;
    let mut keys = Vec::new();
    for preset in model::key::Preset::ALL {
        keys.push((
            preset.as_str(),
            app.key(preset.as_str(), &preset.scopes().to_string()).await,
        ));
    }
    let calls =
        KEY_CALLS
            .iter()
            .copied()
            .chain([("DELETE", "/messages/none", ["client", "admin"].as_slice())]);
    for (method, path, allowed) in calls {
        for (preset, key) in &keys {
            let (status, body) = call(&server, method, path).key(key).json().await;
            let expected = match (method, path) {
                _ if !allowed.contains(preset) => 401,
                ("POST", "/messages/import") => 400,
                (_, "/messages/sync") => 503,
                (_, "/messages/cleanup" | "/users/none/messages") => 200,
                _ => 404,
            };
            assert_eq!(status, expected, "{method} {path} as {preset}: {body}");
        }
    }
    // A list is a user's own; no key has one.
    for (preset, key) in &keys {
        let (status, _) = get(&server, "/messages").key(key).failure().await;
        assert_eq!(status, 401, "{preset}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_users_token_opens_the_users_calls_alone_also_beside_a_key() {
    let server = Server::start().await;
    let app = server.default_app().await;
    let (admin, token) = (app.key("admin", "admin").await, app.token("u").await);
    for (method, path, _) in KEY_CALLS {
        for with_key in [false, true] {
            let mut call = call(&server, method, path).token(&token);
            if with_key {
                call = call.key(&admin);
            }
            let (status, detail) = call.failure().await;
            assert_eq!(status, 401, "{method} {path}: {detail}");
        }
    }
    assert_eq!(
        get(&server, "/messages").token(&token).key(&admin).data().await,
        json!({"messages": []})
    );
    server.stop().await;
}

#[tokio::test]
async fn without_a_good_credential_every_call_is_401() {
    let server = Server::start().await;
    let app = server.default_app().await;
    let admin = app.key("admin", "admin").await;
    let calls = KEY_CALLS.iter().map(|(method, path, _)| (*method, *path));
    for (method, path) in calls.chain([("GET", "/messages"), ("DELETE", "/messages/none")]) {
        let call = || call(&server, method, path);
        for (call, what) in [
            (call(), "nothing"),
            (call().key("undefined").token("null"), "what stands for nothing"),
            (call().key("unknown-key-0123456789"), "an unknown key"),
            (call().token("x.y.z").key(&admin), "a bad token beside a good key"),
        ] {
            let (status, body) = call.json().await;
            assert_eq!(status, 401, "{method} {path}, {what}");
            assert_eq!(body["errors"][0]["title"], "Unauthorized");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn credentials_are_taken_from_every_place_of_the_contract() {
    let server = Server::start().await;
    let app = server.default_app().await;
    let (key, token) = (app.key("client", "inbox").await, app.token("u").await);
    let by_header = get(&server, "/messages").token(&token);
    let by_bearer = get(&server, "/messages").header("authorization", &format!("Bearer {token}"));
    let by_query = get(&server, &format!("/messages?token={token}"));
    for call in [by_header, by_bearer, by_query] {
        assert_eq!(call.data().await, json!({"messages": []}));
    }
    let path = "/users/u/messages";
    let by_query = delete(&server, &format!("{path}?key={key}"));
    let classic = delete(&server, &format!("/default/{key}{path}"));
    for call in [delete(&server, path).key(&key), by_query, classic] {
        assert_eq!(call.data().await, json!({"deleted": 0}));
    }
    let (status, _) = delete(&server, &format!("{path}?key=another-key"))
        .key(&key)
        .failure()
        .await;
    assert_eq!(status, 401);
    server.stop().await;
}

#[tokio::test]
async fn a_user_deletes_its_own_messages_once_and_those_of_nobody_else() {
    let server = Server::start().await;
    let app = server.default_app().await;
    let key = app.key("admin", "admin").await;
    imported(
        &server,
        &key,
        &[
            document("mine", "u"),
            document("other", "v"),
            document("third", "v"),
        ],
    )
    .await;
    let token = app.token("u").await;
    let (status, detail) = delete(&server, "/messages/other").token(&token).failure().await;
    assert_eq!((status, detail.as_str()), (404, "there is no such message"));
    assert_eq!(state(&server, &key, "other").await.as_deref(), Some("imported"));
    assert_eq!(
        delete(&server, "/messages/mine").token(&token).text().await,
        (204, String::new())
    );
    assert_eq!(state(&server, &key, "mine").await.as_deref(), Some("deleted"));
    assert_eq!(
        delete(&server, "/messages/mine").token(&token).text().await.0,
        404
    );
    assert!(listed(&server, &token, "").await.is_empty());
    // A key may delete anybody's, and all of a user.
    assert_eq!(delete(&server, "/messages/other").key(&key).text().await.0, 204);
    assert_eq!(counted_away(&server, &key, "v").await, 1);
    assert_eq!(state(&server, &key, "third").await.as_deref(), Some("deleted"));
    server.stop().await;
}

#[tokio::test]
async fn two_apps_never_see_each_others_messages() {
    let server = Server::start().await;
    let (one, two) = (server.create_app("one").await, server.create_app("two").await);
    let keys = (one.key("admin", "admin").await, two.key("admin", "admin").await);
    let at = |app: &str, key: &str, path: &str| format!("/{app}/{key}{path}");
    let import = |path: String, id: &str| {
        post(&server, &path)
            .header("content-type", "application/json")
            .body(document(id, "u").to_string())
    };
    assert_eq!(
        import(at("one", &keys.0, "/messages/import"), "a").data().await,
        json!({"imported": 1})
    );
    assert_eq!(
        import(at("two", &keys.1, "/messages/import"), "b").data().await,
        json!({"imported": 1})
    );

    let tokens = (one.token("u").await, two.token("u").await);
    for (app, key, token, own) in [("one", &keys.0, &tokens.0, "a"), ("two", &keys.1, &tokens.1, "b")] {
        let list: Value = get(&server, &at(app, key, "/messages")).token(token).data().await;
        let ids: Vec<&Value> = list["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| &message["id"])
            .collect();
        assert_eq!(ids, [own]);
    }
    for call in [
        get(&server, &at("one", &keys.0, "/messages/b")),
        delete(&server, &at("one", &keys.0, "/messages/b")),
        delete(&server, &at("one", "undefined", "/messages/b")).token(&tokens.0),
        call(&server, "POST", &at("one", &keys.0, "/messages/retract")).body(r#"{"messages":[{"id":"b"}]}"#),
    ] {
        let (status, detail) = call.failure().await;
        assert_eq!(status, 404, "{detail}");
    }
    assert_eq!(
        delete(&server, &at("one", &keys.0, "/users/u/messages"))
            .data()
            .await,
        json!({"deleted": 1})
    );
    server.clock.advance(std::time::Duration::from_secs(2 * 86_400));
    assert_eq!(
        post(&server, &at("one", &keys.0, "/messages/cleanup"))
            .data()
            .await,
        json!({"removed": 1})
    );
    let there = get(&server, &at("two", &keys.1, "/messages/b")).data().await;
    assert_eq!(there["message"]["state"], "imported");
    // Nor does a key of one open the other.
    let (status, _) = get(&server, &at("two", &keys.0, "/messages/b")).failure().await;
    assert_eq!(status, 401);
    server.stop().await;
}
