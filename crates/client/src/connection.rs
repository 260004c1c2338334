use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::{Error, Refusal, path};

/// An error answer is read up to this many bytes.
const ERROR_BODY_LIMIT: usize = 64 * 1024;
/// A connection must stand within this time, whatever [`Options::timeout`] says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The segment that stands for "no key" in the classic path (api.md 2).
const NO_KEY: &str = "undefined";

/// How to reach an app of a server. `Debug` hides key and token.
#[derive(Clone)]
pub struct Options {
    /// Base URL: `http://` or `https://`, host, optional port and path.
    pub url: String,
    /// API key, sent as `X-Api-Key`.
    pub key: Option<String>,
    /// User token, sent as `Authorization: Bearer`.
    pub token: Option<String>,
    /// App id; `default` uses the plain routes (and so the app that the host names, api.md 1).
    pub app: String,
    /// PEM file whose certificates are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Time for a whole call; imports and live streams have their own bounds.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8000".to_owned(),
            key: None,
            token: None,
            app: "default".to_owned(),
            ca_file: None,
            timeout: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "…");
        formatter
            .debug_struct("Options")
            .field("url", &self.url)
            .field("key", &hidden(&self.key))
            .field("token", &hidden(&self.token))
            .field("app", &self.app)
            .field("ca_file", &self.ca_file)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// A connection pool to one app of one server; cheap to clone.
///
/// Credentials go in headers only, never in a URL, where proxies would log them.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    /// The classic prefix of an app other than `default`.
    app: Option<String>,
    timeout: Duration,
}

impl Client {
    /// Prepares a client; no connection is made yet.
    ///
    /// # Errors
    /// [`Error::Argument`] for an unusable URL, app id, key or token, [`Error::File`] for an unreadable
    /// `ca_file`, [`Error::Setup`] for certificates that cannot be used.
    pub fn new(options: Options) -> Result<Self, Error> {
        let url = base_url(&options.url)?;
        let app = app_prefix(&options.app)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = options.key.as_deref().filter(|key| !key.is_empty()) {
            headers.insert("x-api-key", secret_header("key", key.to_owned())?);
        }
        if let Some(token) = options.token.as_deref().filter(|token| !token.is_empty()) {
            headers.insert(AUTHORIZATION, secret_header("token", format!("Bearer {token}"))?);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("postbell/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect to another host would hand it the API key.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(file) = &options.ca_file {
            builder = builder.tls_certs_only(certificates(file)?);
        } else if url.scheme() == "http" {
            // Spares reading the system's certificates, which a bare container does not even have.
            builder = builder.tls_certs_only([]);
        }
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().map_err(Error::Setup)?,
            url: url.as_str().trim_end_matches('/').to_owned(),
            app,
            timeout: options.timeout,
        })
    }

    /// The server's base URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request to a channel route, `segments` being what follows `messaging`.
    pub(crate) fn messaging(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
    ) -> Result<RequestBuilder, Error> {
        let root = if self.app.is_some() {
            "/messaging"
        } else {
            "/api/messaging"
        };
        self.request(method, root, segments, query)
    }

    /// A request to an inbox route; `segments` start with `messages` or `users`.
    pub(crate) fn inbox(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
    ) -> Result<RequestBuilder, Error> {
        self.request(method, "", segments, query)
    }

    fn request(
        &self,
        method: Method,
        root: &str,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
    ) -> Result<RequestBuilder, Error> {
        let app = self.app.as_deref().unwrap_or_default();
        let url = format!(
            "{}{app}{root}{}{}",
            self.url,
            path::join(segments)?,
            path::query(query)
        );
        Ok(self.http.request(method, url).timeout(self.timeout))
    }

    /// Sends; any status but 2xx becomes [`Error::Refused`].
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|source| self.transport(source))?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(self.refused(response).await)
        }
    }

    /// Sends and decodes the answer's body.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        call: &'static str,
        request: RequestBuilder,
    ) -> Result<T, Error> {
        let response = self.send(request).await?;
        let body = response.bytes().await.map_err(|source| self.transport(source))?;
        serde_json::from_slice(&body).map_err(|source| Error::Decode { call, source })
    }

    pub(crate) fn transport(&self, source: reqwest::Error) -> Error {
        Error::Transport {
            url: self.url.clone(),
            source: source.without_url(),
        }
    }

    async fn refused(&self, mut response: Response) -> Error {
        let status = response.status();
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let retry_after = header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok());
        let request_id = header("x-request-id");
        let mut body = Vec::new();
        // The status alone is worth reporting, so a cut error body is no error of its own.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= ERROR_BODY_LIMIT {
                break;
            }
        }
        let mut refusal = Refusal::read(status.as_u16(), &body);
        if status.is_redirection() && body.is_empty() {
            refusal.message = redirect_hint(status);
        }
        refusal.retry_after = retry_after.map(Duration::from_secs);
        refusal.request_id = request_id;
        Box::new(refusal).into()
    }
}

fn redirect_hint(status: StatusCode) -> String {
    format!("the server redirects ({status}); give its final address as the URL")
}

fn base_url(text: &str) -> Result<Url, Error> {
    let refuse = || Error::Argument {
        name: "url",
        expected: "`http://host[:port]` or `https://host[:port]`",
        found: format!("`{text}`"),
    };
    let url = Url::parse(text).map_err(|_| refuse())?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
        Ok(url)
    } else {
        Err(refuse())
    }
}

/// The path prefix of an app: none for `default`, the classic one with an absent key for any other. The
/// key travels in its header, so that no URL carries it.
fn app_prefix(app: &str) -> Result<Option<String>, Error> {
    if app.eq_ignore_ascii_case("default") {
        return Ok(None);
    }
    let valid = (1..=63).contains(&app.len())
        && app
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !valid {
        return Err(Error::Argument {
            name: "app",
            expected: "1 to 63 of A-Z a-z 0-9 -",
            found: format!("`{app}`"),
        });
    }
    Ok(Some(format!("/{app}/{NO_KEY}")))
}

fn secret_header(name: &'static str, text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::Argument {
        name,
        expected: "printable characters without line breaks",
        found: "others (not shown: it is a secret)".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn certificates(file: &std::path::Path) -> Result<Vec<reqwest::Certificate>, Error> {
    let path = || file.display().to_string();
    let pem = std::fs::read(file).map_err(|source| Error::File { path: path(), source })?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(Error::Setup)?;
    if certificates.is_empty() {
        return Err(Error::Argument {
            name: "ca_file",
            expected: "PEM certificates",
            found: format!("none in {}", path()),
        });
    }
    Ok(certificates)
}

/// A proxy from the environment cannot reach this machine's loopback.
fn is_loopback(url: &Url) -> bool {
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
