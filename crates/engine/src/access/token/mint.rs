use std::time::Duration;

use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey, Header, encode};
use model::settings::JwtSettings;
use model::settings::check::SettingsError;
use model::time::Clock;
use serde_json::{Map, Value, json};

use super::sources::KeySources;

/// Why no token can be made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The app has no HMAC secret.
    #[error("tokens can be made for apps with jwt.secret alone; this app has none")]
    NoSecret,
    /// The app allows no algorithm for its secret.
    #[error("jwt.algorithms of this app allows none of HS256, HS384, HS512")]
    NoAlgorithm,
    /// The app's token settings cannot be used.
    #[error("the app's token settings cannot be used")]
    Settings(#[from] SettingsError),
    /// The token cannot be signed.
    #[error("the token cannot be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// Makes a user token that the app accepts for `ttl` from now on, signed with its HMAC secret.
///
/// # Errors
/// The app has no such secret, or its settings cannot be used.
pub fn mint_token(
    settings: &JwtSettings,
    user: &str,
    roles: &[String],
    ttl: Duration,
    clock: &dyn Clock,
) -> Result<String, MintError> {
    let secret = settings.secret.as_ref().ok_or(MintError::NoSecret)?;
    let sources = KeySources::new(settings)?;
    let algorithm: Algorithm = sources
        .algorithms
        .into_iter()
        .find(|algorithm| algorithm.family() == AlgorithmFamily::Hmac)
        .ok_or(MintError::NoAlgorithm)?;
    let settings = settings.clone().with_default_claims();
    let now = clock.now().0.div_euclid(1_000);
    let ttl = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
    let mut claims = Map::new();
    claims.insert("iat".into(), json!(now));
    claims.insert("exp".into(), json!(now.saturating_add(ttl)));
    claims.insert(settings.user_claim.unwrap_or_else(|| "sub".into()), json!(user));
    if !roles.is_empty() {
        claims.insert(settings.roles_claim, json!(roles));
    }
    for (name, value) in [("iss", settings.issuer), ("aud", settings.audience)] {
        if let Some(value) = value {
            claims.insert(name.into(), Value::String(value));
        }
    }
    let key = EncodingKey::from_secret(secret.expose().as_bytes());
    encode(&Header::new(algorithm), &claims, &key).map_err(MintError::Sign)
}
