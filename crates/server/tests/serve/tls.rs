use std::time::Duration;

use axum::Router;
use axum::routing::get;
use postbell_server::serve::tls::{Reloads, Tls};

use super::support::{Certificates, Server, pair, soon};

fn router() -> Router {
    Router::new().route("/", get(|| async { "here" }))
}

async fn start(certificates: &Certificates) -> (Server, Tls) {
    let tls = certificates.tls();
    let server = Server::start_tls(router(), &tls, |options| {
        options.tls_reload_interval = Duration::from_millis(10);
    })
    .await;
    (server, tls)
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on() {
    let certificates = Certificates::new();
    let (server, tls) = start(&certificates).await;
    let mut reloads = tls.reloads();
    let before = certificates.client().build().unwrap();
    before.get(server.https_url("/")).send().await.unwrap();

    let old = certificates.der();
    certificates.renew();
    // The two files change one after the other, so a look between them refuses the pair first.
    soon("the reload", reloads.wait_for(|seen| seen.swapped == 1))
        .await
        .unwrap();

    assert_ne!(certificates.der(), old);
    let shown = certificates.connect(&server, &[]).await;
    let chain = shown.get_ref().1.peer_certificates().unwrap();
    assert_eq!(chain, [certificates.der()]);
    // The open HTTP/2 connection of the client that trusts only the old one is still good.
    before.get(server.https_url("/")).send().await.unwrap();
    drop((shown, before));
    server.stop().await;
}

#[tokio::test]
async fn a_pair_that_does_not_match_is_refused_and_the_old_one_stays() {
    let certificates = Certificates::new();
    let trusting = certificates.client();
    let (server, tls) = start(&certificates).await;
    let mut reloads = tls.reloads();

    certificates.put("key.pem", &pair().signing_key.serialize_pem());
    soon("the refusal", reloads.wait_for(|seen| seen.refused == 1))
        .await
        .unwrap();
    certificates.put("key.pem", "no key at all");
    soon("the refusal", reloads.wait_for(|seen| seen.refused == 2))
        .await
        .unwrap();
    std::fs::remove_file(certificates.certificate()).unwrap();
    soon("the refusal", reloads.wait_for(|seen| seen.refused == 3))
        .await
        .unwrap();

    let client = trusting.build().unwrap();
    let answer = client.get(server.https_url("/")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "here");

    certificates.renew();
    soon("the reload", reloads.wait_for(|seen| seen.swapped == 1))
        .await
        .unwrap();
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn files_that_do_not_change_are_not_reloaded() {
    let certificates = Certificates::new();
    let (server, tls) = start(&certificates).await;
    let mut reloads = tls.reloads();
    // Ends with a change that must be the first that is noticed after many looks.
    for _ in 0..20 {
        certificates
            .client()
            .build()
            .unwrap()
            .get(server.https_url("/"))
            .send()
            .await
            .unwrap();
    }
    certificates.put("key.pem", "no key at all");
    soon("the refusal", reloads.changed()).await.unwrap();
    let seen = *reloads.borrow();
    assert_eq!(
        seen,
        Reloads {
            swapped: 0,
            refused: 1
        }
    );
    server.stop().await;
}

#[test]
fn what_is_wrong_with_the_files_is_said() {
    let certificates = Certificates::new();
    let error = |certificate: &str, key: &str| {
        certificates.put("cert.pem", certificate);
        certificates.put("key.pem", key);
        let error = Tls::load(certificates.certificate(), certificates.key()).unwrap_err();
        let folder = certificates.certificate();
        let folder = folder.parent().unwrap().display().to_string();
        error.to_string().replace(&folder, "DIR")
    };
    let (good, other) = (pair(), pair());
    let (certificate, key) = (good.cert.pem(), good.signing_key.serialize_pem());
    assert_eq!(
        error("", &key),
        "the TLS certificate file DIR/cert.pem holds no certificate: expected PEM with BEGIN CERTIFICATE, the server's own first"
    );
    assert_eq!(
        error("-----BEGIN CERTIFICATE-----\n", &key),
        "the TLS certificate file DIR/cert.pem is not valid PEM"
    );
    assert_eq!(
        error(&certificate, &certificate),
        "the TLS key file DIR/key.pem holds no private key: expected PEM with BEGIN PRIVATE KEY (or RSA or EC PRIVATE KEY), not encrypted"
    );
    assert_eq!(
        error(&certificate, &other.signing_key.serialize_pem()),
        "the TLS certificate DIR/cert.pem and the key DIR/key.pem cannot be used together"
    );
    assert_eq!(
        Tls::load("/nowhere/cert.pem", "/nowhere/key.pem")
            .unwrap_err()
            .to_string(),
        "the TLS file /nowhere/cert.pem cannot be read"
    );
}
