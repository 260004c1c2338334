use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::readers::{Counted, Readers, Transport};
use super::target::{self, Target};
use crate::report::Report;
use crate::server::Server;

const READERS: usize = 4_000;

/// Resident memory of the server before and after readers that only wait.
pub async fn measure(report: &mut Report, transports: &[Transport]) -> anyhow::Result<()> {
    report.section(
        "Memory of an idle reader",
        "Growth of the server's resident memory, divided by the readers; all on one channel.",
        &["transport", "server", "readers", "KiB a reader"],
    );
    for &transport in transports {
        for kind in target::kinds(transport) {
            let target = Target::start(kind).await?;
            let counted = Arc::new(Counted::new()?);
            // What the server allocates once is there before the count begins.
            let warm = Readers::open(&target, transport, 1, 100, &counted).await?;
            let before = target.server.rss()?;
            let readers = Readers::open(&target, transport, 1, READERS, &counted).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let each = (target.server.rss()? - before) / READERS as f64;
            report.row(vec![
                transport.name().into(),
                kind.name().into(),
                READERS.to_string(),
                format!("{each:.1}"),
            ]);
            drop((readers, warm));
        }
    }
    over_tls(report).await
}

async fn over_tls(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, certified.cert.pem())?;
    std::fs::write(&key, certified.signing_key.serialize_pem())?;
    for (name, http2) in [
        ("SSE, HTTP/1.1 over TLS", false),
        ("SSE, HTTP/2 over TLS, a connection each", true),
    ] {
        let each = one_over_tls(&cert, &key, &certified.cert.pem(), http2).await?;
        report.row(vec![
            name.into(),
            "Postbell".into(),
            "500".into(),
            format!("{each:.1}"),
        ]);
    }
    Ok(())
}

async fn one_over_tls(cert: &Path, key: &Path, pem: &str, http2: bool) -> anyhow::Result<f64> {
    let server = Server::postbell_tls(cert, key).await?;
    let warm = tls_readers(&server, pem, 20, http2).await?;
    let before = server.rss()?;
    let readers = tls_readers(&server, pem, 500, http2).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let each = (server.rss()? - before) / 500.0;
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
