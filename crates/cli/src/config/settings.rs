use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::time::Span;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use server::serve::proxies::{Network, TrustedProxies};

use self::live::{RealtimeSettings, RtSettings};

/// Live connections.
pub mod live;

/// The configuration of a server, apps aside. Every field is a setting of the same name in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Addresses to listen on; port 0 takes a free one.
    pub listen: Vec<String>,
    /// The data folder.
    pub data: PathBuf,
    /// How clients reach the server, such as `https://postbell.example`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// `{app}.{base_domain}` names the app (api.md 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_domain: Option<String>,
    /// Plain HTTP is answered with 403 (api.md 5).
    pub require_https: bool,
    /// Addresses and networks whose `X-Forwarded-…` headers are believed.
    pub trusted_proxies: Vec<String>,
    /// Certificates.
    pub tls: TlsSettings,
    /// What the server writes about its work.
    pub log: LogSettings,
    /// Limits of connections and requests.
    pub server: ServerSettings,
    /// The store.
    pub store: StoreSettings,
    /// Live delivery.
    pub hub: HubSettings,
    /// The WebSocket `/api/realtime`.
    pub realtime: RealtimeSettings,
    /// Backendless RT.
    pub rt: RtSettings,
}

/// Certificates; both or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// PEM file with the certificate chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// PEM file with the private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// What the server writes about its work, on stderr.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// One JSON object a line, or text for people.
    pub format: LogFormat,
    /// A level or a filter of tracing; `POSTBELL_LOG` and `RUST_LOG` go before it.
    pub level: String,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl<'de> Deserialize<'de> for LogFormat {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(serde::de::Error::custom(format!(
                "expected text or json, found {other:?}"
            ))),
        }
    }
}

/// Limits of connections and requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Open connections over all listeners.
    pub max_connections: usize,
    /// From the accepted connection to its first bytes.
    pub first_byte_timeout: Span,
    /// For the TLS handshake.
    pub tls_handshake_timeout: Span,
    /// For a whole request head; also how long an idle connection is kept.
    pub header_read_timeout: Span,
    /// The longest pause within a request body.
    pub body_idle_timeout: Span,
    /// A connection that takes no bytes for this long is closed (api.md 3.8).
    pub write_stall_timeout: Span,
    /// Bytes of a request's headers.
    pub max_header_bytes: u32,
    /// Requests at once on an HTTP/2 connection.
    pub http2_max_streams: u32,
    /// How often certificate and key are looked at.
    pub tls_reload_interval: Span,
    /// From the signal to stop until what is left is closed hard; at most 9 s of the 10 of api.md 5.
    pub stop_timeout: Span,
    /// Imports at once (api.md 4).
    pub max_imports: usize,
    /// How long a further import waits for its turn before 503.
    pub import_wait: Span,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// `sqlite:` (a file in the data folder) or `sqlite:PATH`.
    pub url: String,
    /// Bytes of waiting writes; more is answered 5914.
    pub queue_bytes: usize,
    /// Bytes of one commit.
    pub batch_bytes: usize,
    /// Operations of one commit.
    pub batch_jobs: usize,
    /// Threads that read.
    pub readers: usize,
}

/// Live delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubSettings {
    /// Messages kept in memory of a channel with readers.
    pub ring_messages: usize,
    /// Bytes of messages kept in memory of all such channels together.
    pub ring_bytes: usize,
    /// Bytes of history pages that readers who fell behind share.
    pub page_cache_bytes: usize,
    /// Reads of the history at once for readers that fell behind.
    pub concurrent_reads: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec!["127.0.0.1:8000".to_owned()],
            data: PathBuf::from("./postbell-data"),
            public_url: None,
            base_domain: None,
            require_https: true,
            trusted_proxies: Vec::new(),
            tls: TlsSettings::default(),
            log: LogSettings::default(),
            server: ServerSettings::default(),
            store: StoreSettings::default(),
            hub: HubSettings::default(),
            realtime: RealtimeSettings::default(),
            rt: RtSettings::default(),
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            max_connections: 20_000,
            first_byte_timeout: Span::seconds(10),
            tls_handshake_timeout: Span::seconds(10),
            header_read_timeout: Span::seconds(75),
            body_idle_timeout: Span::seconds(30),
            write_stall_timeout: Span::seconds(30),
            max_header_bytes: 32 * 1024,
            http2_max_streams: 200,
            tls_reload_interval: Span::seconds(5),
            stop_timeout: Span::seconds(8),
            max_imports: 4,
            import_wait: Span::seconds(10),
        }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: "sqlite:".to_owned(),
            queue_bytes: 64 * 1024 * 1024,
            batch_bytes: 8 * 1024 * 1024,
            batch_jobs: 1_024,
            readers: 2,
        }
    }
}

impl Default for HubSettings {
    fn default() -> Self {
        Self {
            ring_messages: 1_024,
            ring_bytes: 64 * 1024 * 1024,
            page_cache_bytes: 16 * 1024 * 1024,
            concurrent_reads: 8,
        }
    }
}

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// The SQLite file.
    Sqlite(PathBuf),
}

/// A store URL that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreUrlError {
    /// A backend that is planned.
    #[error("PostgreSQL is not built into this version: use sqlite: or sqlite:PATH")]
    Postgres,
    /// Anything else.
    #[error("expected sqlite: or sqlite:PATH, found {0:?}")]
    Unknown(String),
}

/// The name of the database in the data folder.
pub const DATABASE: &str = "postbell.db";

impl Config {
    /// The addresses to listen on; those that are none were refused by [`Self::check`].
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listen.iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The proxies that are believed; what is none was refused by [`Self::check`].
    pub fn proxies(&self) -> TrustedProxies {
        let networks = self.trusted_proxies.iter();
        networks.filter_map(|text| text.parse::<Network>().ok()).collect()
    }

    /// Where the store is.
    ///
    /// # Errors
    ///
    /// The URL names no backend of this binary.
    pub fn store_location(&self) -> Result<StoreLocation, StoreUrlError> {
        let url = self.store.url.as_str();
        match url.split_once(':') {
            Some(("sqlite", "")) => Ok(StoreLocation::Sqlite(self.data.join(DATABASE))),
            Some(("sqlite", path)) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                Ok(StoreLocation::Sqlite(PathBuf::from(path)))
            }
            Some(("postgres" | "postgresql", _)) => Err(StoreUrlError::Postgres),
            // Neither scheme nor user info of another URL is repeated: it may hold a password.
            _ => Err(StoreUrlError::Unknown(
                url.split(':')
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(40)
                    .collect(),
            )),
        }
    }

    /// Certificate and key, if both are given.
    pub fn tls_files(&self) -> Option<(&Path, &Path)> {
        self.tls.cert.as_deref().zip(self.tls.key.as_deref())
    }
}

/// A configuration in which nothing is absent, as a tree: what the schema is made of.
pub fn complete() -> Map<String, Value> {
    let Config {
        listen,
        data,
        require_https,
        log,
        server,
        store,
        hub,
        realtime,
        rt,
        ..
    } = Config::default();
    // Every field is written out, so that a new one cannot be forgotten here.
    let complete = Config {
        listen,
        data,
        public_url: Some(String::new()),
        base_domain: Some(String::new()),
        require_https,
        trusted_proxies: Vec::new(),
        tls: TlsSettings {
            cert: Some(PathBuf::new()),
            key: Some(PathBuf::new()),
        },
        log,
        server,
        store,
        hub,
        realtime,
        rt,
    };
    super::apps::tree(&complete)
}
