use std::str::FromStr;

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use model::settings::JwtSettings;
use model::settings::check::SettingsError;
use reqwest::Url;

use super::public_key;

/// What an app's tokens are verified with. Every algorithm has a source that fits, and a source serves
/// its own family alone: a public key is never taken for an HMAC secret.
#[derive(Debug)]
pub(super) struct KeySources {
    /// Allowed algorithms.
    pub(super) algorithms: Vec<Algorithm>,
    /// The HMAC secret.
    pub(super) secret: Option<DecodingKey>,
    /// The public key with the one algorithm that it is for.
    pub(super) public_key: Option<(Algorithm, DecodingKey)>,
    /// Where the JWK set is.
    pub(super) jwks_url: Option<Url>,
}

const HMAC: [Algorithm; 3] = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];

/// The algorithms that the keys of a JWK set may be for.
const IN_KEY_SETS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

impl KeySources {
    pub(super) fn new(settings: &JwtSettings) -> Result<Self, SettingsError> {
        let mut sources = Self {
            algorithms: Vec::new(),
            secret: settings
                .secret
                .as_ref()
                .map(|secret| hmac_key(secret.expose()))
                .transpose()?,
            public_key: settings
                .public_key
                .as_deref()
                .map(public_key::from_pem)
                .transpose()?,
            jwks_url: settings.jwks_url.as_deref().map(jwks_url).transpose()?,
        };
        sources.algorithms = match settings.algorithms.as_slice() {
            [] => HMAC
                .into_iter()
                .chain(IN_KEY_SETS)
                .filter(|algorithm| sources.serve(*algorithm))
                .collect(),
            names => names
                .iter()
                .map(|name| sources.allowed(name))
                .collect::<Result<_, _>>()?,
        };
        Ok(sources)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.algorithms.is_empty()
    }

    fn allowed(&self, name: &str) -> Result<Algorithm, SettingsError> {
        let known = Algorithm::from_str(name)
            .ok()
            .filter(|algorithm| HMAC.contains(algorithm) || IN_KEY_SETS.contains(algorithm));
        match known {
            Some(algorithm) if self.serve(algorithm) => Ok(algorithm),
            Some(algorithm) => {
                let wanted = match algorithm.family() {
                    AlgorithmFamily::Hmac => "jwt.secret",
                    _ => "a jwt.public_key of its kind or jwt.jwks_url",
                };
                wrong("jwt.algorithms", format!("{name} needs {wanted}, found none"))
            }
            None => wrong(
                "jwt.algorithms",
                format!("expected some of HS256, HS384, HS512, RS256, ES256, EdDSA, found {name:?}"),
            ),
        }
    }

    fn serve(&self, algorithm: Algorithm) -> bool {
        if algorithm.family() == AlgorithmFamily::Hmac {
            return self.secret.is_some();
        }
        let by_public_key = self.public_key.as_ref().is_some_and(|(own, _)| *own == algorithm);
        by_public_key || self.jwks_url.is_some()
    }
}

fn hmac_key(secret: &str) -> Result<DecodingKey, SettingsError> {
    // With a public key's text as secret, everybody who knows that key could sign.
    if secret.trim_start().starts_with("-----BEGIN") {
        return wrong(
            "jwt.secret",
            "expected a shared secret, found a PEM file; a public key belongs in jwt.public_key".into(),
        );
    }
    Ok(DecodingKey::from_secret(secret.as_bytes()))
}

fn jwks_url(text: &str) -> Result<Url, SettingsError> {
    const FIELD: &str = "jwt.jwks_url";
    let Ok(url) = Url::parse(text) else {
        return wrong(
            FIELD,
            "expected an https:// URL, found a text that is none".into(),
        );
    };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            FIELD,
            "expected a URL without user name and password, found some".into(),
        );
    }
    match url.scheme() {
        "https" => Ok(url),
        // Whoever can change the answer on its way can make every token good.
        "http" if is_loopback(&url) => Ok(url),
        scheme => wrong(
            FIELD,
            format!("expected https:// (http:// for a loopback host alone), found {scheme}://"),
        ),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn wrong<T>(field: &'static str, reason: String) -> Result<T, SettingsError> {
    Err(SettingsError { field, reason })
}
