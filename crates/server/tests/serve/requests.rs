use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Router};
use postbell_server::serve::client::ClientInfo;
use postbell_server::serve::request_id::RequestId;
use tracing::level_filters::LevelFilter;

use super::support::{ALLOWED_ORIGIN, Certificates, FIRST_FRESH_ID, Server, exchange};

fn router() -> Router {
    let who = |Extension(client): Extension<ClientInfo>| async move {
        format!(
            "{} {} {:?} {:?}",
            client.ip(),
            client.scheme(),
            client.host(),
            client.forwarded_for()
        )
    };
    Router::new()
        .route("/who", get(who))
        .route(
            "/id",
            get(|Extension(id): Extension<RequestId>| async move { id.to_string() }),
        )
        .route(
            "/items/{item}",
            get(|| async { tracing::info!("in the handler") }),
        )
        .route("/closed", get(|| async { "here" }))
        .route("/vary", get(|| async { [("vary", "accept")].into_response() }))
        .route("/panic", post(|| async { panic_with("reason 4711").await }))
        .route("/healthz", get(|| async { "up" }))
        .route("/readyz", get(|| async { "ready" }))
}

async fn panic_with(text: &str) {
    panic!("{text}");
}

/// One request on a connection of its own, with further header lines.
async fn request(server: &Server, line: &str, headers: &[&str]) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nhost: push.example\r\nconnection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    exchange(server, &text).await
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap_or_default().1
}

/// The values of a header, in order.
fn header<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value)
        .collect()
}

#[tokio::test]
async fn the_clients_request_id_is_used_and_echoed() {
    let server = Server::start(router(), |_| {}).await;
    let longest = "~".repeat(128);
    for id in ["abc-123", "with space", &longest] {
        let answer = request(&server, "GET /id", &[&format!("X-Request-Id: {id}")]).await;
        assert_eq!(body(&answer), id);
        assert_eq!(header(&answer, "x-request-id"), [id]);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_bad_or_missing_request_id_is_replaced_by_a_fresh_one() {
    let too_long = format!("X-Request-Id: {}", "x".repeat(129));
    for headers in [
        &[] as &[&str],
        &["X-Request-Id: "],
        &["X-Request-Id: a\tb"],
        &["X-Request-Id: \u{e5}"],
        &[&too_long],
    ] {
        let server = Server::start(router(), |_| {}).await;
        let answer = request(&server, "GET /id", headers).await;
        assert_eq!(body(&answer), FIRST_FRESH_ID, "{headers:?}");
        assert_eq!(header(&answer, "x-request-id"), [FIRST_FRESH_ID]);
        server.stop().await;
    }
}

#[tokio::test]
async fn an_unmatched_route_has_a_request_id_too() {
    let server = Server::start(router(), |_| {}).await;
    let answer = request(&server, "GET /nowhere", &["X-Request-Id: abc"]).await;
    assert_eq!(status(&answer), "404");
    assert_eq!(header(&answer, "x-request-id"), ["abc"]);
    server.stop().await;
}

#[tokio::test]
async fn plain_http_is_refused_where_https_is_required_but_for_the_health_checks() {
    let server = Server::start(router(), |options| options.require_https = true).await;
    let answer = request(&server, "GET /who", &[]).await;
    assert_eq!(status(&answer), "403");
    assert_eq!(body(&answer), "no plain HTTP to /who");
    assert_eq!(header(&answer, "x-request-id").len(), 1);
    assert_eq!(status(&request(&server, "GET /nowhere", &[]).await), "403");
    assert_eq!(status(&request(&server, "GET /healthz/x", &[]).await), "403");
    assert_eq!(body(&request(&server, "GET /healthz", &[]).await), "up");
    assert_eq!(body(&request(&server, "GET /readyz?x=1", &[]).await), "ready");
    server.stop().await;
}

#[tokio::test]
async fn plain_http_on_an_address_with_tls_is_told_so_and_the_health_checks_answer() {
    let certificates = Certificates::new();
    let server = Server::start_tls(router(), &certificates.tls(), |options| {
        options.require_https = true;
    })
    .await;
    let answer = request(&server, "GET /who", &[]).await;
    assert_eq!(status(&answer), "403");
    assert_eq!(body(&answer), "no plain HTTP to /who");
    assert_eq!(body(&request(&server, "GET /healthz", &[]).await), "up");
    assert_eq!(body(&request(&server, "GET /readyz", &[]).await), "ready");
    server.stop().await;
}

#[tokio::test]
async fn https_by_tls_or_by_the_word_of_a_trusted_proxy_is_not_refused() {
    let certificates = Certificates::new();
    let server = Server::start_tls(router(), &certificates.tls(), |options| {
        options.require_https = true;
    })
    .await;
    let client = certificates.client().build().unwrap();
    let answer = client.get(server.https_url("/who")).send().await.unwrap();
    let port = server.address.port();
    let expected = format!("127.0.0.1 https \"localhost:{port}\" \"\"");
    assert_eq!(answer.text().await.unwrap(), expected);
    drop(client);
    server.stop().await;

    let server = Server::start(router(), |options| {
        options.require_https = true;
        options.trusted_proxies = ["127.0.0.0/8".parse().unwrap()].into_iter().collect();
    })
    .await;
    let said = ["X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.7"];
    let answer = request(&server, "GET /who", &said).await;
    assert_eq!(
        body(&answer),
        "198.51.100.7 https \"push.example\" \"198.51.100.7\""
    );
    assert_eq!(status(&request(&server, "GET /who", &[]).await), "403");
    server.stop().await;
}

#[tokio::test]
async fn the_word_of_an_untrusted_peer_is_ignored() {
    let server = Server::start(router(), |options| {
        options.trusted_proxies = ["10.0.0.0/8".parse().unwrap()].into_iter().collect();
    })
    .await;
    let said = [
        "X-Forwarded-Proto: https",
        "X-Forwarded-For: 198.51.100.7",
        "X-Forwarded-Host: evil.example",
    ];
    let answer = request(&server, "GET /who", &said).await;
    assert_eq!(body(&answer), "127.0.0.1 http \"push.example\" \"\"");
    server.stop().await;

    let server = Server::start(router(), |options| options.require_https = true).await;
    assert_eq!(status(&request(&server, "GET /who", &said).await), "403");
    server.stop().await;
}

#[tokio::test]
async fn a_preflight_of_an_allowed_origin_is_answered_on_every_path() {
    let server = Server::start(router(), |options| options.require_https = true).await;
    let origin = format!("Origin: {ALLOWED_ORIGIN}");
    for path in ["/who", "/nowhere", "/refused", "/classic/secret-key/who"] {
        let line = format!("OPTIONS {path}");
        let asked = [origin.as_str(), "Access-Control-Request-Method: DELETE"];
        let answer = request(&server, &line, &asked).await;
        assert_eq!(status(&answer), "204", "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), [ALLOWED_ORIGIN]);
        assert_eq!(
            header(&answer, "access-control-allow-methods"),
            ["GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"]
        );
        assert_eq!(
            header(&answer, "access-control-allow-headers"),
            ["user-token, content-type, x-api-key, authorization, idempotency-key, last-event-id"]
        );
        assert_eq!(header(&answer, "access-control-max-age"), ["600"]);
        assert_eq!(header(&answer, "vary"), ["Origin"]);
        assert_eq!(header(&answer, "x-request-id").len(), 1);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_preflight_of_another_origin_is_refused() {
    let server = Server::start(router(), |_| {}).await;
    for (path, origin) in [("/who", "https://evil.example"), ("/closed", ALLOWED_ORIGIN)] {
        let origin = format!("Origin: {origin}");
        let asked = [origin.as_str(), "Access-Control-Request-Method: GET"];
        let answer = request(&server, &format!("OPTIONS {path}"), &asked).await;
        assert_eq!(status(&answer), "403");
        assert!(!answer.contains("access-control-"), "{answer}");
        assert_eq!(header(&answer, "vary"), ["Origin"]);
    }
    server.stop().await;
}

#[tokio::test]
async fn answers_and_errors_can_be_read_by_an_allowed_origin_only() {
    let server = Server::start(router(), |_| {}).await;
    let allowed = format!("Origin: {ALLOWED_ORIGIN}");
    for line in ["GET /who", "GET /nowhere", "POST /panic", "GET /refused"] {
        let answer = request(&server, line, &[&allowed]).await;
        assert_eq!(header(&answer, "access-control-allow-origin"), [ALLOWED_ORIGIN]);
        assert_eq!(
            header(&answer, "access-control-expose-headers"),
            ["X-Request-Id, Idempotent-Replayed, Retry-After"]
        );
        let answer = request(&server, line, &["Origin: https://evil.example"]).await;
        assert!(!answer.contains("access-control-"), "{answer}");
        assert_eq!(header(&answer, "vary"), ["Origin"]);
    }
    let answer = request(&server, "GET /vary", &[]).await;
    assert_eq!(header(&answer, "vary"), ["accept", "Origin"]);
    // Without Access-Control-Request-Method it is no preflight: the router answers.
    assert_eq!(
        status(&request(&server, "OPTIONS /who", &[&allowed]).await),
        "405"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_panic_is_answered_500_and_the_connection_goes_on() {
    let server = Server::start(router(), |_| {}).await;
    let answer = request(&server, "POST /panic", &["X-Request-Id: abc"]).await;
    assert_eq!(status(&answer), "500");
    assert_eq!(body(&answer), "/panic failed, see abc");
    assert_eq!(header(&answer, "x-request-id"), ["abc"]);

    let two = "POST /panic HTTP/1.1\r\nhost: x\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answers = exchange(&server, two).await;
    assert!(answers.starts_with("HTTP/1.1 500 "), "{answers}");
    assert!(answers.ends_with("up"), "{answers}");
    server.stop().await;
}

#[tokio::test]
async fn a_path_is_rewritten_or_refused_before_routing() {
    let server = Server::start(router(), |_| {}).await;
    let answer = request(&server, "GET /classic/secret-key/healthz", &[]).await;
    assert_eq!(body(&answer), "up");
    let answer = request(&server, "GET /refused", &[]).await;
    assert_eq!(body(&answer), "refused before routing");
    server.stop().await;
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_is_logged_with_the_template_of_its_route_and_without_secrets() {
    let log = Log::default();
    let writer = log.clone();
    // For the whole process: what other tests log comes in too, and must hold no secrets either.
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    // Other threads may have met a call site while the subscriber was being set.
    tracing::callsite::rebuild_interest_cache();
    let server = Server::start(router(), |_| {}).await;
    let path = "GET /classic/secret-key/items/secret-item?token=secret-token";
    request(
        &server,
        path,
        &["X-Request-Id: log-get", "user-token: secret-jwt"],
    )
    .await;
    request(&server, "POST /panic", &["X-Request-Id: log-panic"]).await;
    server.stop().await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = |id: &str, with: &str| {
        let id = format!("request.id={id}");
        text.lines()
            .find(|line| line.contains(&id) && line.contains(with))
            .unwrap_or_default()
    };
    let answered = line("log-get", "request answered");
    for part in [
        "http.method=GET",
        "http.route=\"/items/{item}\"",
        "http.status=200",
        "duration_ms=",
    ] {
        assert!(answered.contains(part), "{part} is not in {answered:?}");
    }
    assert_ne!(line("log-get", "in the handler"), "");
    let panicked = line("log-panic", "a request handler panicked");
    assert!(panicked.contains("reason 4711"), "{text}");
    let secret = text.lines().find(|line| line.contains("secret"));
    assert_eq!(secret, None);
}
