//! `/messages/sync` against a campaign system that answers what it is told to.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post as on_post;
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use model::settings::{Secret, SyncSettings};
use model::time::{Span, Timer};
use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::server::Server;
use testkit::soon;
use tokio::sync::{Barrier, watch};

use super::support::*;

/// What a campaign system does with its n-th request, from 0.
type Behaviour = Arc<dyn Fn(usize) -> BoxFuture<'static, StatusCode> + Send + Sync>;

/// A campaign system; it ends with the test.
#[derive(Clone)]
struct Campaign {
    url: String,
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    count: watch::Sender<usize>,
    behaviour: Behaviour,
}

impl Campaign {
    async fn start(behaviour: Behaviour) -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/pmserviceSync", socket.local_addr().unwrap());
        let campaign = Self {
            url,
            seen: Arc::default(),
            count: watch::Sender::new(0),
            behaviour,
        };
        let router = Router::new()
            .route("/pmserviceSync", on_post(receive))
            .with_state(campaign.clone());
        tokio::spawn(async { axum::serve(socket, router).await });
        campaign
    }

    /// Answers the n-th request with the n-th status, further ones with 200.
    async fn answering(statuses: &'static [u16]) -> Self {
        let status = |at: usize| StatusCode::from_u16(statuses.get(at).copied().unwrap_or(200)).unwrap();
        Self::start(Arc::new(move |at| Box::pin(std::future::ready(status(at))))).await
    }

    /// The ids of each request so far.
    fn batches(&self) -> Vec<Vec<String>> {
        let seen = self.seen.lock();
        let ids = |body: &Bytes| {
            let body: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(body.as_object().unwrap().len(), 1);
            let messages = body["messages"].as_array().unwrap();
            messages
                .iter()
                .map(|message| message["id"].as_str().unwrap().to_owned())
                .collect()
        };
        seen.iter().map(|(_, body)| ids(body)).collect()
    }

    fn sizes(&self) -> Vec<usize> {
        self.batches().iter().map(Vec::len).collect()
    }
}

async fn receive(State(campaign): State<Campaign>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let at = {
        let mut seen = campaign.seen.lock();
        seen.push((headers, body));
        seen.len() - 1
    };
    campaign.count.send_replace(at + 1);
    (campaign.behaviour)(at).await
}

/// A server that syncs with this campaign system, a key, and so many deleted messages of the user `u`.
async fn start(
    campaign: &Campaign,
    deleted: usize,
    change: impl FnOnce(&mut SyncSettings),
) -> (Server, String) {
    let server = Server::start().await;
    let key = set_up(&server, campaign, deleted, change).await;
    (server, key)
}

async fn set_up(
    server: &Server,
    campaign: &Campaign,
    deleted: usize,
    change: impl FnOnce(&mut SyncSettings),
) -> String {
    let app = server.default_app().await;
    app.set(|settings| {
        settings.sync.url = Some(campaign.url.clone());
        change(&mut settings.sync);
    })
    .await;
    let key = app.key("admin", "admin").await;
    if deleted > 0 {
        assert_eq!(
            import(server, &key, documents(deleted, "u")).data().await,
            json!({"imported": deleted})
        );
        assert_eq!(counted_away(server, &key, "u").await, deleted as u64);
    }
    key
}

fn sync(server: &Server, key: &str) -> Call {
    post(server, "/messages/sync").key(key)
}

#[tokio::test]
async fn deleted_messages_go_in_batches_of_a_thousand_and_are_synced() {
    let campaign = Campaign::answering(&[]).await;
    let (server, key) = start(&campaign, 2_500, |_| {}).await;
    imported(&server, &key, &[document("kept", "v")]).await;
    assert_eq!(sync(&server, &key).data().await, json!({"synced": 2_500}));
    assert_eq!(campaign.sizes(), [1_000, 1_000, 500]);
    let mut ids = campaign.batches().concat();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2_500);
    assert!(!ids.contains(&"kept".to_owned()));
    assert_eq!(state(&server, &key, "m7").await.as_deref(), Some("synced"));
    assert_eq!(state(&server, &key, "kept").await.as_deref(), Some("imported"));
    // Nothing is left: nothing is sent.
    assert_eq!(
        get(&server, "/messages/sync").key(&key).data().await,
        json!({"synced": 0})
    );
    assert_eq!(campaign.sizes().len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn a_request_is_exactly_what_the_campaign_system_knows_with_the_configured_headers() {
    let campaign = Campaign::answering(&[204]).await;
    let (server, key) = start(&campaign, 2, |settings| {
        settings
            .headers
            .insert("x-campaign".to_owned(), Secret::new("s3cret"));
    })
    .await;
    assert_eq!(sync(&server, &key).data().await, json!({"synced": 2}));
    let seen = campaign.seen.lock().clone();
    let (headers, body) = &seen[0];
    assert_eq!(body, r#"{"messages":[{"id":"m0"},{"id":"m1"}]}"#);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-campaign"], "s3cret");
    assert_eq!(headers.get("webhook-signature"), None);
    server.stop().await;
}

#[tokio::test]
async fn requests_are_signed_as_standard_webhooks_says_and_a_retry_keeps_its_id() {
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let campaign = Campaign::answering(&[503]).await;
    // The oracle goes by the machine's clock.
    let server = Server::builder().wall_clock().start().await;
    let sign = |settings: &mut SyncSettings| settings.webhook_secret = Some(Secret::new(SECRET));
    let key = set_up(&server, &campaign, 3, sign).await;
    assert_eq!(sync(&server, &key).data().await, json!({"synced": 3}));
    let seen = campaign.seen.lock().clone();
    assert_eq!(seen.len(), 2);
    let oracle = standardwebhooks::Webhook::new(SECRET).unwrap();
    for (headers, body) in seen.iter() {
        oracle.verify(body, headers).unwrap();
    }
    assert_eq!(seen[0].0["webhook-id"], seen[1].0["webhook-id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_passing_failure_is_tried_again() {
    let campaign = Campaign::answering(&[500, 429]).await;
    let (server, key) = start(&campaign, 1, |_| {}).await;
    assert_eq!(sync(&server, &key).data().await, json!({"synced": 1}));
    assert_eq!(campaign.sizes(), [1, 1, 1]);
    server.stop().await;
}

#[tokio::test]
async fn a_failure_is_500_and_keeps_earlier_batches_synced_and_the_rest_for_the_next_call() {
    let campaign = Campaign::answering(&[200, 400]).await;
    let (server, key) = start(&campaign, 25, |settings| settings.batch = 10).await;
    let failure = sync(&server, &key).failure().await;
    let expected = "the campaign system did not take the deleted messages: it answered 400 Bad Request; 10 were synced before";
    assert_eq!(failure, (500, expected.to_owned()));
    let batches = campaign.batches();
    assert_eq!(batches.len(), 2);
    assert_eq!(
        state(&server, &key, &batches[0][0]).await.as_deref(),
        Some("synced")
    );
    assert_eq!(
        state(&server, &key, &batches[1][0]).await.as_deref(),
        Some("deleted")
    );
    assert_eq!(sync(&server, &key).data().await, json!({"synced": 15}));
    assert_eq!(campaign.sizes(), [10, 10, 10, 5]);
    server.stop().await;
}

#[tokio::test]
async fn a_redirect_is_no_success_and_is_not_followed() {
    let campaign = Campaign::answering(&[302]).await;
    let (server, key) = start(&campaign, 1, |_| {}).await;
    assert_eq!(sync(&server, &key).failure().await.0, 500);
    assert_eq!(state(&server, &key, "m0").await.as_deref(), Some("deleted"));
    server.stop().await;
}

#[tokio::test]
async fn a_campaign_system_that_does_not_answer_in_time_is_a_failure() {
    let silent: Behaviour = Arc::new(|_| Box::pin(std::future::pending()));
    let campaign = Campaign::start(silent).await;
    let (server, key) = start(&campaign, 1, |settings| {
        settings.timeout = Span(Duration::from_millis(50))
    })
    .await;
    let (status, detail) = sync(&server, &key).failure().await;
    assert_eq!(status, 500);
    assert!(detail.contains("operation timed out"), "{detail}");
    assert!(!detail.contains(&campaign.url), "{detail}");
    assert_eq!(campaign.sizes(), [1, 1, 1]);
    assert_eq!(state(&server, &key, "m0").await.as_deref(), Some("deleted"));
    server.stop().await;
}

#[tokio::test]
async fn calls_at_the_same_time_send_different_messages() {
    // The first two requests are answered only when both are there: they do overlap.
    let both = Arc::new(Barrier::new(2));
    let behaviour: Behaviour = Arc::new(move |at| {
        let both = Arc::clone(&both);
        Box::pin(async move {
            if at < 2 {
                both.wait().await;
            }
            StatusCode::OK
        })
    });
    let campaign = Campaign::start(behaviour).await;
    let (server, key) = start(&campaign, 95, |settings| settings.batch = 10).await;
    let (one, two) = tokio::join!(sync(&server, &key).data(), sync(&server, &key).data());
    let count = |data: &Value| data["synced"].as_u64().unwrap();
    assert_eq!(count(&one) + count(&two), 95);
    let mut ids = campaign.batches().concat();
    assert_eq!(ids.len(), 95);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 95);
    server.stop().await;
}

#[tokio::test]
async fn a_marking_that_matches_nothing_is_404() {
    let (allow, allowed) = watch::channel(false);
    let behaviour: Behaviour = Arc::new(move |at| {
        let mut allowed = allowed.clone();
        Box::pin(async move {
            if at == 0 {
                allowed.wait_for(|allowed| *allowed).await.unwrap();
            }
            StatusCode::OK
        })
    });
    let campaign = Campaign::start(behaviour).await;
    let (server, key) = start(&campaign, 3, |_| {}).await;
    let slow = sync(&server, &key).failure();
    let meanwhile = async {
        let mut count = campaign.count.subscribe();
        soon("the first request", count.wait_for(|count| *count == 1))
            .await
            .unwrap();
        // The claim of the slow call runs out, and another call does its work.
        server.clock.advance(Duration::from_secs(61));
        assert_eq!(sync(&server, &key).data().await, json!({"synced": 3}));
        allow.send_replace(true);
    };
    let (failure, ()) = tokio::join!(slow, meanwhile);
    assert_eq!(failure, (404, "no message could be marked as synced".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn what_was_sent_is_marked_also_when_the_caller_does_not_wait() {
    let (allow, allowed) = watch::channel(false);
    let behaviour: Behaviour = Arc::new(move |_| {
        let mut allowed = allowed.clone();
        Box::pin(async move {
            allowed.wait_for(|allowed| *allowed).await.unwrap();
            StatusCode::OK
        })
    });
    let campaign = Campaign::start(behaviour).await;
    let (server, key) = start(&campaign, 3, |_| {}).await;
    let call = tokio::spawn(sync(&server, &key).text());
    let mut count = campaign.count.subscribe();
    soon("the request", count.wait_for(|count| *count == 1))
        .await
        .unwrap();
    call.abort();
    allow.send_replace(true);
    let marked = async { while state(&server, &key, "m0").await.as_deref() != Some("synced") {} };
    soon("the marking", marked).await;
    server.stop().await;
}

#[tokio::test]
async fn without_a_url_the_sync_is_disabled() {
    let server = Server::start().await;
    let key = server.default_app().await.key("admin", "admin").await;
    let disabled = (503, "sync is disabled: no sync URL is configured".to_owned());
    assert_eq!(sync(&server, &key).failure().await, disabled);
    assert_eq!(get(&server, "/messages/sync").key(&key).failure().await, disabled);
    server.stop().await;
}

#[tokio::test]
async fn the_built_in_timer_syncs_by_itself() {
    let campaign = Campaign::answering(&[]).await;
    let four_minutes = Duration::from_secs(240);
    let (server, key) = start(&campaign, 3, |settings| {
        settings.timer = Timer::Every(four_minutes)
    })
    .await;
    let mut count = campaign.count.subscribe();
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let synced = async {
        // The timer counts from when the server first sees it, which is within a second.
        while *count.borrow_and_update() == 0 {
            server.clock.advance(four_minutes);
            looks.tick().await;
        }
    };
    soon("the sync", synced).await;
    let marked = async { while state(&server, &key, "m0").await.as_deref() != Some("synced") {} };
    soon("the marking", marked).await;
    assert_eq!(campaign.sizes(), [3]);
    server.stop().await;
}
