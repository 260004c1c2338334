use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Header, crypto, decode_header};
use model::settings::JwtSettings;
use model::settings::check::SettingsError;
use model::time::Clock;

use super::cache::{TokenCache, cache_key};
use super::claims::{ClaimRules, TokenUser};
use super::jwks::{Fetcher, Jwks};
use super::sources::KeySources;
use super::{MAX_TOKEN_BYTES, TokenError};

/// Verifies the user tokens of one app.
#[derive(Debug)]
pub(in crate::access) struct Verifier {
    sources: KeySources,
    rules: ClaimRules,
    jwks: Option<Arc<Jwks>>,
    cache: TokenCache,
}

impl Verifier {
    /// A verifier for these settings; `None` if they give no source of keys.
    pub(in crate::access) fn new(
        settings: &JwtSettings,
        fetcher: &Arc<Fetcher>,
    ) -> Result<Option<Self>, SettingsError> {
        let sources = KeySources::new(settings)?;
        if sources.is_empty() {
            return Ok(None);
        }
        let jwks = sources
            .jwks_url
            .clone()
            .map(|url| Arc::new(Jwks::new(url, fetcher.clone())));
        Ok(Some(Self {
            sources,
            rules: ClaimRules::new(settings),
            jwks,
            cache: TokenCache::default(),
        }))
    }

    /// Fetches the JWK set, if there is one and it is time, in the background.
    pub(in crate::access) fn refresh_if_due(&self) {
        if let Some(jwks) = &self.jwks {
            jwks.refresh_if_due();
        }
    }

    /// The user that a token names.
    pub(in crate::access) async fn verify(
        &self,
        token: &str,
        clock: &dyn Clock,
    ) -> Result<Arc<TokenUser>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let key = cache_key(token);
        let generation = self.generation();
        let user = match self.cache.get(&key, generation) {
            Some(user) => user,
            None => {
                let user = self.verify_anew(token).await?;
                self.cache.insert(key, generation, user.clone());
                user
            }
        };
        user.check_time(clock.now())?;
        Ok(user)
    }

    /// The user of a token whose signature is good, whatever the time.
    async fn verify_anew(&self, token: &str) -> Result<Arc<TokenUser>, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        if !self.sources.algorithms.contains(&header.alg) {
            return Err(TokenError::Algorithm);
        }
        match header.alg.family() {
            AlgorithmFamily::Hmac => self.by_secret(token, header.alg)?,
            _ => self.by_public_key(token, &header).await?,
        }
        self.read(token)
    }

    fn by_secret(&self, token: &str, algorithm: Algorithm) -> Result<(), TokenError> {
        let secret = self.sources.secret.as_ref().ok_or(TokenError::Algorithm)?;
        if !is_signed(token, algorithm, secret) {
            return Err(TokenError::Signature);
        }
        Ok(())
    }

    async fn by_public_key(&self, token: &str, header: &Header) -> Result<(), TokenError> {
        let public_key = self.sources.public_key.as_ref();
        let fits =
            |(own, key): &(Algorithm, DecodingKey)| *own == header.alg && is_signed(token, header.alg, key);
        if !public_key.is_some_and(fits) {
            let jwks = self.jwks.as_ref().ok_or(TokenError::Signature)?;
            self.by_key_set(token, header, jwks).await?;
        }
        Ok(())
    }

    async fn by_key_set(&self, token: &str, header: &Header, jwks: &Arc<Jwks>) -> Result<(), TokenError> {
        let kid = header.kid.as_deref();
        // Interest first, so that a fetch which ends after the first look is seen.
        let ended = jwks.ends();
        let check = || {
            let keys = jwks.keys();
            let mut found = Err(TokenError::UnknownKey);
            for key in keys.candidates(kid, header.alg) {
                if is_signed(token, header.alg, key) {
                    return Ok(());
                }
                found = Err(TokenError::Signature);
            }
            found
        };
        match check() {
            // A token without a kid tells of a new key by nothing but its signature.
            Err(reason) if reason == TokenError::UnknownKey || kid.is_none() => {
                if !jwks.fetched_anew(ended).await {
                    return Err(reason);
                }
                check()
            }
            decided => decided,
        }
    }

    fn generation(&self) -> u64 {
        self.jwks.as_ref().map_or(0, |jwks| jwks.generation())
    }

    fn read(&self, token: &str) -> Result<Arc<TokenUser>, TokenError> {
        let payload = token.split('.').nth(1).ok_or(TokenError::Malformed)?;
        let json = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| TokenError::Malformed)?;
        self.rules.read(&json).map(Arc::new)
    }
}

fn is_signed(token: &str, algorithm: Algorithm, key: &DecodingKey) -> bool {
    let Some((signed, signature)) = token.rsplit_once('.') else {
        return false;
    };
    crypto::verify(signature, signed.as_bytes(), key, algorithm).unwrap_or(false)
}
