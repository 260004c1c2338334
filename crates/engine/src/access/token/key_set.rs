use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::header::CACHE_CONTROL;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::public_key::is_usable;

/// The largest JWK set that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// How many keys of a set are kept: a token without a `kid` is tried with all of its algorithm.
const MAX_KEYS: usize = 32;

/// The keys of a JWK set (RFC 7517) that can verify tokens.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<SetKey>,
}

#[derive(Debug)]
struct SetKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why a JWK set could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no HTTP client can be made")]
    Client,
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("expected status 200, found {0}")]
    Status(StatusCode),
    #[error("expected at most {MAX_BYTES} bytes, found more")]
    TooLarge,
    #[error("expected a JSON object with a list \"keys\", found something else")]
    Malformed,
}

impl KeySet {
    /// The keys under which a token with this header can have been signed.
    pub(super) fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a DecodingKey> {
        self.keys
            .iter()
            .filter(move |key| key.algorithm == algorithm && (kid.is_none() || key.kid.as_deref() == kid))
            .map(|key| &key.key)
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Reads a set. Keys of unknown kinds, for encryption, symmetric or broken ones are left out: a set
    /// may hold keys for others.
    pub(super) fn parse(json: &[u8]) -> Result<Self, FetchError> {
        #[derive(Deserialize)]
        struct Entries {
            keys: Vec<serde_json::Value>,
        }
        let entries: Entries = serde_json::from_slice(json).map_err(|_| FetchError::Malformed)?;
        let keys = entries
            .keys
            .into_iter()
            .filter_map(|entry| SetKey::new(&serde_json::from_value(entry).ok()?))
            .take(MAX_KEYS)
            .collect();
        Ok(Self { keys })
    }
}

impl SetKey {
    fn new(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let for_others = common
            .public_key_use
            .as_ref()
            .is_some_and(|used| *used != PublicKeyUse::Signature)
            || common
                .key_operations
                .as_ref()
                .is_some_and(|operations| !operations.contains(&KeyOperations::Verify));
        if for_others {
            return None;
        }
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
            _ => return None,
        };
        if common
            .key_algorithm
            .is_some_and(|named| named != algorithm.into())
        {
            return None;
        }
        let key = DecodingKey::from_jwk(jwk).ok().filter(is_usable)?;
        Some(Self {
            kid: common.key_id.clone(),
            algorithm,
            key,
        })
    }
}

/// Fetches a set, and tells for how long its server says that it is fresh.
pub(super) async fn fetch(client: &Client, url: &Url) -> Result<(KeySet, Option<Duration>), FetchError> {
    let mut answer = client
        .get(url.clone())
        .send()
        .await
        .map_err(reqwest::Error::without_url)?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let fresh = answer
        .headers()
        .get(CACHE_CONTROL)
        .and_then(|value| max_age(value.to_str().ok()?));
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((KeySet::parse(&body)?, fresh))
}

fn max_age(cache_control: &str) -> Option<Duration> {
    let directives = cache_control.split(',').map(str::trim);
    let seconds = directives
        .filter_map(|directive| directive.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("max-age"))?
        .1;
    seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
}
