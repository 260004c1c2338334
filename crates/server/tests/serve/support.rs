//! A server on port 0 with short time-outs, and clients that say exactly what they are told to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use model::ids::IdSource;
use postbell_server::serve::hooks::{Hooks, RequestContext};
use postbell_server::serve::options::ServeOptions;
use postbell_server::serve::tls::Tls;
use postbell_server::serve::{self, Listener};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsConnector, rustls};
use tokio_util::sync::CancellationToken;

/// No test waits longer than this for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// The origin that the hooks allow.
pub const ALLOWED_ORIGIN: &str = "https://app.example";

/// The outcome of what must happen soon.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen within {PATIENCE:?}"))
}

/// Ids whose bytes count up: the first UUID is all 0, made a version 4.
#[derive(Default)]
struct CountingIds(AtomicU8);

impl IdSource for CountingIds {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

pub const FIRST_FRESH_ID: &str = "00000000-0000-4000-8000-000000000000";

struct TestHooks;

impl Hooks for TestHooks {
    fn prepare(&self, parts: &mut Parts) -> Result<(), Response> {
        if parts.uri.path() == "/refused" {
            return Err((StatusCode::IM_A_TEAPOT, "refused before routing").into_response());
        }
        if let Some(rest) = parts.uri.path().strip_prefix("/classic/secret-key") {
            parts.uri = rest.parse().unwrap();
        }
        Ok(())
    }

    fn origin_allowed(&self, parts: &Parts, origin: &HeaderValue) -> bool {
        origin == ALLOWED_ORIGIN && parts.uri.path() != "/closed"
    }

    fn plain_http_refused(&self, request: &RequestContext) -> Response {
        let text = format!("no plain HTTP to {}", request.uri.path());
        (StatusCode::FORBIDDEN, text).into_response()
    }

    fn panicked(&self, request: &RequestContext) -> Response {
        let text = format!("{} failed, see {}", request.uri.path(), request.request_id);
        (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
    }
}

/// The defaults, but plain HTTP is served.
pub fn options() -> ServeOptions {
    let mut options = ServeOptions::new(Arc::new(CountingIds::default()), Arc::new(TestHooks));
    options.require_https = false;
    options
}

/// A running server; [`Server::stop`] ends it and checks that it ends well.
pub struct Server {
    pub address: SocketAddr,
    pub shutdown: CancellationToken,
    pub running: JoinHandle<Result<(), serve::Error>>,
}

impl Server {
    pub async fn start(router: Router, change: impl FnOnce(&mut ServeOptions)) -> Self {
        Self::listen(router, None, change).await
    }

    pub async fn start_tls(router: Router, tls: &Tls, change: impl FnOnce(&mut ServeOptions)) -> Self {
        Self::listen(router, Some(tls.clone()), change).await
    }

    async fn listen(router: Router, tls: Option<Tls>, change: impl FnOnce(&mut ServeOptions)) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut options = options();
        change(&mut options);
        let shutdown = CancellationToken::new();
        let listeners = vec![Listener { socket, tls }];
        let running = tokio::spawn(serve::run(listeners, router, options, shutdown.clone()));
        Self {
            address,
            shutdown,
            running,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// For the certificate of [`Certificates`].
    pub fn https_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        soon("the end of the server", self.running)
            .await
            .unwrap()
            .unwrap();
    }
}

/// Sends `request` as it is and returns all that comes until the server closes.
pub async fn exchange(server: &Server, request: &str) -> String {
    let mut socket = server.connect().await;
    socket.write_all(request.as_bytes()).await.unwrap();
    rest_of(&mut socket).await
}

/// All that comes until the server closes. A reset counts as closed.
pub async fn rest_of(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let _ = soon("the close by the server", socket.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until `end` has come.
pub async fn read_until(socket: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut answer = String::new();
    while !answer.contains(end) {
        let mut bytes = [0; 4096];
        let read = soon("an answer", socket.read(&mut bytes)).await.unwrap();
        assert!(read > 0, "closed after {answer:?}, before {end:?}");
        answer.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    answer
}

/// A self-signed pair for `localhost` in a folder of its own.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub fn new() -> Self {
        let certificates = Self {
            folder: TempDir::new().unwrap(),
        };
        certificates.renew();
        certificates
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    pub fn tls(&self) -> Tls {
        Tls::load(self.certificate(), self.key()).unwrap()
    }

    /// Writes a new pair; each file changes in one step, as a renewal tool does it.
    pub fn renew(&self) {
        let pair = pair();
        self.put("key.pem", &pair.signing_key.serialize_pem());
        self.put("cert.pem", &pair.cert.pem());
    }

    pub fn put(&self, name: &str, contents: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, contents).unwrap();
        std::fs::rename(new, self.folder.path().join(name)).unwrap();
    }

    pub fn pem(&self) -> Vec<u8> {
        std::fs::read(self.certificate()).unwrap()
    }

    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(&self.pem()).unwrap()
    }

    pub fn client(&self) -> reqwest::ClientBuilder {
        let root = reqwest::Certificate::from_pem(&self.pem()).unwrap();
        reqwest::Client::builder()
            .tls_certs_only([root])
            .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// A TLS connection that trusts the pair as it is now, offering `alpn`.
    pub async fn connect(&self, server: &Server, alpn: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der()).unwrap();
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await);
        soon("the TLS handshake", connecting).await.unwrap()
    }
}

pub fn pair() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}
