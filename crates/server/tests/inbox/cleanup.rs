//! `/messages/cleanup`.

use std::time::Duration;

use model::time::Timer;
use serde_json::json;
use testkit::app::App;
use testkit::server::Server;

use super::support::*;

/// Messages in every state, each for two days, and `expired` and `expired-deleted` for ten seconds.
async fn start() -> (Server, App, String) {
    let server = Server::start().await;
    let app = server.default_app().await;
    let key = app.key("admin", "admin").await;
    let short = |id: &str| with(document(id, "u"), json!({"expires": "2026-03-01T12:00:10Z"}));
    let documents = ["imported", "deleted", "retracted"]
        .map(|id| document(id, "u"))
        .into_iter()
        .chain([short("expired"), short("expired-deleted")]);
    imported(&server, &key, &documents.collect::<Vec<_>>()).await;
    for id in ["deleted", "expired-deleted"] {
        assert_eq!(
            delete(&server, &format!("/messages/{id}"))
                .key(&key)
                .text()
                .await
                .0,
            204
        );
    }
    let retract = post(&server, "/messages/retract")
        .key(&key)
        .header("content-type", "application/json");
    retract.body(r#"{"messages":[{"id":"retracted"}]}"#).data().await;
    server.clock.advance(Duration::from_secs(10));
    (server, app, key)
}

async fn left(server: &Server, key: &str) -> Vec<&'static str> {
    let mut left = Vec::new();
    for id in ["imported", "deleted", "retracted", "expired", "expired-deleted"] {
        if state(server, key, id).await.is_some() {
            left.push(id);
        }
    }
    left
}

#[tokio::test]
async fn retracted_and_expired_messages_are_removed() {
    let (server, _, key) = start().await;
    assert_eq!(
        post(&server, "/messages/cleanup").key(&key).data().await,
        json!({"removed": 3})
    );
    assert_eq!(left(&server, &key).await, ["imported", "deleted"]);
    assert_eq!(
        get(&server, "/messages/cleanup").key(&key).data().await,
        json!({"removed": 0})
    );
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_message_stays_until_it_is_synced_where_a_sync_url_is_set() {
    let (server, app, key) = start().await;
    let campaign = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", campaign.local_addr().unwrap());
    app.set(|settings| settings.sync.url = Some(url)).await;
    assert_eq!(
        post(&server, "/messages/cleanup").key(&key).data().await,
        json!({"removed": 2})
    );
    assert_eq!(
        left(&server, &key).await,
        ["imported", "deleted", "expired-deleted"]
    );
    let router = axum::Router::new().route("/", axum::routing::post(|| async {}));
    tokio::spawn(async { axum::serve(campaign, router).await });
    assert_eq!(
        post(&server, "/messages/sync").key(&key).data().await,
        json!({"synced": 2})
    );
    assert_eq!(
        post(&server, "/messages/cleanup").key(&key).data().await,
        json!({"removed": 2})
    );
    assert_eq!(left(&server, &key).await, ["imported"]);
    server.stop().await;
}

#[tokio::test]
async fn a_message_is_removed_from_the_instant_at_which_it_expires() {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    imported(
        &server,
        &key,
        &[with(
            document("a", "u"),
            json!({"expires": "2026-03-01T12:00:10Z"}),
        )],
    )
    .await;
    server.clock.advance(Duration::from_millis(9_999));
    assert_eq!(
        post(&server, "/messages/cleanup").key(&key).data().await,
        json!({"removed": 0})
    );
    server.clock.advance(Duration::from_millis(1));
    assert_eq!(
        post(&server, "/messages/cleanup").key(&key).data().await,
        json!({"removed": 1})
    );
    server.stop().await;
}

#[tokio::test]
async fn the_built_in_timer_cleans_up_by_itself() {
    let (server, app, key) = start().await;
    let hour = Duration::from_secs(3_600);
    app.set(|settings| settings.cleanup.timer = Timer::Every(hour))
        .await;
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let cleaned = async {
        // The timer counts from when the server first sees it, which is within a second.
        while state(&server, &key, "expired").await.is_some() {
            server.clock.advance(Duration::from_secs(360));
            looks.tick().await;
        }
    };
    testkit::soon("the cleanup", cleaned).await;
    assert_eq!(state(&server, &key, "deleted").await.as_deref(), Some("deleted"));
    server.stop().await;
}
