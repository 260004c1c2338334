use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::channel::ChannelPattern;
use crate::inbox::ClientTypes;
use crate::limits::Limits;
use crate::permission::ChannelRule;
use crate::time::{Span, Timer};

/// The settings of an app, kept in the store (api.md 1): what `app set --file` takes and `[apps.NAME]`
/// of the configuration carries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppSettings {
    /// How user tokens are verified; without any source every user token is refused.
    pub jwt: JwtSettings,
    /// Channel permission rules, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelRule>,
    /// Browser origins that may call, such as `https://app.example`; `*` is any.
    pub cors: CorsSettings,
    /// How long channels keep their messages.
    pub history: HistorySettings,
    /// What is published later or repeatedly.
    pub schedules: ScheduleSettings,
    /// Subscriptions that are polled.
    pub polling: PollingSettings,
    /// The inbox.
    pub inbox: InboxSettings,
    /// Telling the campaign system what was deleted.
    pub sync: SyncSettings,
    /// Removing what nobody needs any more.
    pub cleanup: CleanupSettings,
    /// Limits.
    pub limits: Limits,
}

/// How user tokens are verified (api.md 2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JwtSettings {
    /// The HS256/384/512 secret; the key is its UTF-8 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// A PEM public key for RS256, ES256 or EdDSA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The URL of a JWK set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// Allowed algorithms, such as `["HS256"]`; empty: those that fit the key sources given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// The `iss` that tokens must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The `aud` that tokens must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The claim with the user id; default: the first present of `uid`, `user_id`, `userId`, `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_claim: Option<String>,
    /// The claim with the roles.
    pub roles_claim: String,
    /// The claim with a selector that is ANDed to all that the user reads.
    pub selector_claim: String,
}

impl JwtSettings {
    /// The names of the claims where none are configured.
    pub fn with_default_claims(mut self) -> Self {
        for (claim, default) in [
            (&mut self.roles_claim, "roles"),
            (&mut self.selector_claim, "selector"),
        ] {
            if claim.is_empty() {
                *claim = default.into();
            }
        }
        self
    }
}

/// A secret value: written to the store and to nothing else; `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes over a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which browser origins may call (api.md 5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsSettings {
    /// Origins such as `https://app.example`, or `*` for any.
    pub origins: Vec<String>,
}

/// How long channels keep their messages (api.md 3.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistorySettings {
    /// Age at which a message leaves the history.
    pub age: Span,
    /// How many messages a channel keeps.
    pub count: u64,
    /// Other windows by pattern; the first that matches counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<HistoryWindow>,
}

/// The window of the channels that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryWindow {
    /// The channels.
    pub pattern: ChannelPattern,
    /// Age at which a message leaves the history.
    pub age: Span,
    /// How many messages a channel keeps.
    pub count: u64,
}

/// What one channel keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Age at which a message leaves the history.
    pub age: std::time::Duration,
    /// How many messages the channel keeps.
    pub count: u64,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            age: Span::seconds(24 * 3_600),
            count: 10_000,
            windows: Vec::new(),
        }
    }
}

impl HistorySettings {
    /// The window of a channel.
    pub fn window(&self, channel: &str) -> Window {
        match self.windows.iter().find(|window| window.pattern.matches(channel)) {
            Some(window) => Window {
                age: window.age.0,
                count: window.count,
            },
            None => Window {
                age: self.age.0,
                count: self.count,
            },
        }
    }
}

/// What is published later or repeatedly (api.md 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// How long a schedule that has ended is kept; its setting when it ends counts.
    pub keep: Span,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            keep: Span::seconds(7 * 24 * 3_600),
        }
    }
}

/// Subscriptions that are polled (api.md 3.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PollingSettings {
    /// How far back a new subscription begins.
    pub first_window: Span,
    /// How long a subscription that nobody polls is kept.
    pub idle: Span,
}

impl Default for PollingSettings {
    fn default() -> Self {
        Self {
            first_window: Span::seconds(60),
            idle: Span::seconds(24 * 3_600),
        }
    }
}

/// The inbox of an app (api.md 4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboxSettings {
    /// The client types; default `web ios android atv stv`.
    #[serde(deserialize_with = "client_types", serialize_with = "client_type_names")]
    pub clients: ClientTypes,
}

fn client_types<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientTypes, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    ClientTypes::new(&names).map_err(serde::de::Error::custom)
}

fn client_type_names<S: serde::Serializer>(types: &ClientTypes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(types.iter())
}

/// Telling the campaign system what was deleted (api.md 4, Sync).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncSettings {
    /// The campaign system's `pmserviceSync`; without it the sync is disabled. May hold credentials:
    /// [`shown_url`] leaves them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Headers sent along; their values count as secrets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// A Standard Webhooks secret (`whsec_…`); with it requests are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<Secret>,
    /// Time-out of one request.
    pub timeout: Span,
    /// Messages of one request, at most 1,000.
    pub batch: usize,
    /// The built-in timer.
    pub timer: Timer,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            url: None,
            headers: BTreeMap::new(),
            webhook_secret: None,
            timeout: Span::seconds(10),
            batch: 1_000,
            timer: Timer::Every(std::time::Duration::from_secs(240)),
        }
    }
}

/// Removing what nobody needs any more (api.md 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CleanupSettings {
    /// The built-in timer.
    pub timer: Timer,
}

impl Default for CleanupSettings {
    fn default() -> Self {
        Self {
            timer: Timer::Every(std::time::Duration::from_secs(3_600)),
        }
    }
}

/// A setting that is well formed but cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct SettingsError {
    /// The path of the setting, such as `sync.url`.
    pub field: &'static str,
    /// What was expected and what was found.
    pub reason: String,
}

impl AppSettings {
    /// Checks what the types alone do not (ranges, URLs, secrets' lengths). Keys are tried when the
    /// settings are taken into use, by the verifier that reads them.
    pub fn check(&self) -> Result<(), SettingsError> {
        let wrong = |field, reason: String| Err(SettingsError { field, reason });
        if let Some(secret) = &self.jwt.secret
            && secret.expose().len() < 32
        {
            return wrong(
                "jwt.secret",
                format!("expected at least 32 bytes, found {}", secret.expose().len()),
            );
        }
        for algorithm in &self.jwt.algorithms {
            if !JWT_ALGORITHMS.contains(&algorithm.as_str()) {
                return wrong(
                    "jwt.algorithms",
                    format!(
                        "expected some of {}, found {algorithm:?}",
                        JWT_ALGORITHMS.join(", ")
                    ),
                );
            }
        }
        if let Some(url) = &self.jwt.jwks_url {
            check_url("jwt.jwks_url", url)?;
        }
        let wrong_origins: Vec<String> = self
            .cors
            .origins
            .iter()
            .filter(|origin| !is_origin(origin))
            .map(|origin| format!("{:?}", origin.chars().take(80).collect::<String>()))
            .collect();
        if !wrong_origins.is_empty() {
            return wrong(
                "cors.origins",
                format!(
                    "expected *, null, or what browsers send: scheme://host or scheme://host:port in lower \
                     case, without :443 of https and :80 of http, found {}",
                    wrong_origins.join(", ")
                ),
            );
        }
        if let Some(url) = &self.sync.url {
            check_url("sync.url", url)?;
        }
        if !(1..=1_000).contains(&self.sync.batch) {
            return wrong(
                "sync.batch",
                format!("expected 1 to 1000, found {}", self.sync.batch),
            );
        }
        let timeout = self.sync.timeout.0.as_millis();
        if !(100..=25_000).contains(&timeout) {
            return wrong(
                "sync.timeout",
                format!("expected 100ms to 25s, found {timeout}ms"),
            );
        }
        let counts = self
            .history
            .windows
            .iter()
            .map(|window| window.count)
            .chain([self.history.count]);
        if let Some(count) = counts.into_iter().find(|count| *count == 0) {
            return wrong("history.count", format!("expected at least 1, found {count}"));
        }
        if self.polling.idle.0.is_zero() {
            return wrong("polling.idle", "expected more than 0, found 0".to_owned());
        }
        Ok(())
    }

    /// The same settings with every secret replaced, fit to be shown.
    pub fn without_secrets(&self) -> Self {
        let hidden = || Secret::new(HIDDEN);
        let mut shown = self.clone();
        shown.sync.url = shown.sync.url.as_deref().map(shown_url);
        shown.jwt.secret = shown.jwt.secret.map(|_| hidden());
        shown.sync.webhook_secret = shown.sync.webhook_secret.map(|_| hidden());
        shown
            .sync
            .headers
            .values_mut()
            .for_each(|value| *value = hidden());
        shown
    }
}

/// Whether a browser can send this as `Origin` (RFC 6454 7.1), or it stands for any. Origins are compared
/// byte by byte: what differs from a browser's own way to write them never matches.
fn is_origin(text: &str) -> bool {
    if matches!(text, "*" | "null" | "file://") {
        return true;
    }
    let Some((scheme, host_and_port)) = text.split_once("://") else {
        return false;
    };
    let (host, port) = match host_and_port.rsplit_once(':') {
        // The last colon of an IPv6 address stands within brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (host_and_port, None),
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'));
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(address) => address
            .parse::<std::net::Ipv6Addr>()
            .is_ok_and(|parsed| parsed.to_string() == address),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_'))
        }
    };
    let is_port = port.is_none_or(|port| {
        let is_default = matches!((scheme, port), ("https", "443") | ("http", "80"));
        !is_default && port.parse::<u16>().is_ok_and(|parsed| parsed.to_string() == port)
    });
    is_scheme && is_host && is_port
}

/// What is shown of a secret.
pub const HIDDEN: &str = "(hidden)";

/// A URL fit to be shown: user and password, the values of the query and the fragment are replaced.
pub fn shown_url(url: &str) -> String {
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, _)) => (rest, format!("#{HIDDEN}")),
        None => (url, String::new()),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, format!("?{}", shown_query(query))),
        None => (rest, String::new()),
    };
    let (scheme, rest) = rest.split_at(rest.find("://").map_or(0, |at| at + 3));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // The user alone is hidden too: some services take a token there.
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => authority.to_owned(),
    };
    [scheme, &authority, path, &query, &fragment].concat()
}

fn shown_query(query: &str) -> String {
    let field = |field: &str| match field.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => HIDDEN.to_owned(),
    };
    query.split('&').map(field).collect::<Vec<_>>().join("&")
}

/// The algorithms that user tokens may have (api.md 2).
pub const JWT_ALGORITHMS: [&str; 6] = ["HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"];

fn check_url(field: &'static str, url: &str) -> Result<(), SettingsError> {
    let scheme = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let has_host = scheme.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if has_host && !url.contains(char::is_whitespace) {
        return Ok(());
    }
    // Where it is no URL, nobody can tell which part is a password.
    let found = if url.contains(['@', '?', '#']) {
        "a text that is none".to_owned()
    } else {
        format!("{:?}", url.chars().take(80).collect::<String>())
    };
    let reason = format!("expected an http:// or https:// URL, found {found}");
    Err(SettingsError { field, reason })
}

#[cfg(test)]
mod tests;
