use std::time::Duration;

use anyhow::ensure;
use futures_util::StreamExt as _;

use super::counted::Counted;
use super::readers::Readers;
use super::target::{self, Kind, Target};
use super::transport::Transport;
use crate::report::Report;
use crate::server::Server;

const READERS: usize = 4_000;
const TLS_READERS: usize = 500;

/// Resident memory of the server before and after readers that only wait.
pub async fn measure(report: &mut Report, transports: &[Transport]) {
    report.section(
        "Memory of an idle reader",
        "Growth of the server's resident memory, divided by the readers; all on one channel.",
        &["transport", "server", "readers", "KiB a reader"],
    );
    let figures = |each: anyhow::Result<f64>| each.map(|each| vec![format!("{each:.1}")]);
    for &transport in transports {
        for kind in target::kinds(transport) {
            let names = [transport.name().into(), kind.name().into(), READERS.to_string()];
            report.measured(&names, figures(one(kind, transport).await));
        }
    }
    if !transports.contains(&Transport::Sse) {
        return;
    }
    for (name, http2) in [
        ("SSE, HTTP/1.1 over TLS", false),
        ("SSE, HTTP/2 over TLS, a connection each", true),
    ] {
        let names = [name.into(), "Postbell".into(), TLS_READERS.to_string()];
        report.measured(&names, figures(one_over_tls(http2).await));
    }
}

/// KiB a reader.
async fn one(kind: Kind, transport: Transport) -> anyhow::Result<f64> {
    let target = Target::start(kind).await?;
    let counted = Counted::new()?;
    // What the server allocates once is there before the count begins.
    let warm = Readers::open(&target, transport, 1, 100, &counted).await?;
    let before = target.server.rss()?;
    let mut readers = Readers::open(&target, transport, 1, READERS, &counted).await?;
    // Longer than it takes until socket.io's first pings.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let each = (target.server.rss()? - before) / READERS as f64;
    let open = readers.count();
    ensure!(open == READERS, "{open} of {READERS} readers are still there");
    drop((readers, warm));
    Ok(each)
}

async fn one_over_tls(http2: bool) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(".")?;
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let pem = certified.cert.pem();
    std::fs::write(&cert, &pem)?;
    std::fs::write(&key, certified.signing_key.serialize_pem())?;
    let server = Server::postbell_tls(&cert, &key).await?;
    let warm = tls_readers(&server, &pem, 20, http2).await?;
    let before = server.rss()?;
    let readers = tls_readers(&server, &pem, TLS_READERS, http2).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let each = (server.rss()? - before) / TLS_READERS as f64;
    warm.into_iter().chain(readers).for_each(|reader| reader.abort());
    Ok(each)
}

/// Readers over TLS, each with a client and so a connection of its own.
async fn tls_readers(
    server: &Server,
    certificate: &str,
    count: usize,
    http2: bool,
) -> anyhow::Result<Vec<tokio::task::JoinHandle<()>>> {
    let url = format!(
        "https://localhost:{}/api/messaging/live/events",
        server.address.port()
    );
    let key = server.dev()?.keys.app.clone();
    let mut readers = Vec::new();
    for _ in 0..count {
        let certificate = reqwest::Certificate::from_pem(certificate.as_bytes())?;
        let builder = reqwest::Client::builder()
            .tls_certs_only([certificate])
            .resolve("localhost", server.address);
        let client = if http2 {
            builder.http2_prior_knowledge()
        } else {
            builder.http1_only()
        }
        .build()?;
        let answer = client
            .get(&url)
            .header("x-api-key", &key)
            .send()
            .await?
            .error_for_status()?;
        readers.push(tokio::spawn(async move {
            let mut stream = answer.bytes_stream();
            while let Some(Ok(_)) = stream.next().await {}
            drop(client);
        }));
    }
    Ok(readers)
}
