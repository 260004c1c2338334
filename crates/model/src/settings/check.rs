use super::AppSettings;

/// The algorithms that user tokens may have (api.md 2).
pub const JWT_ALGORITHMS: [&str; 6] = ["HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"];

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
