use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a secret at least; with fewer nothing is signed.
const LEAST: usize = 24;
/// Bytes of a secret at most, for settings that are given anew.
const MOST: usize = 64;

/// Why a secret cannot be used. No text holds any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretError {
    /// Not base64 behind `whsec_`.
    #[error("expected whsec_ and {LEAST} to {MOST} bytes in base64, found a text that is no base64")]
    NotBase64,
    /// Too short or too long.
    #[error("expected whsec_ and {LEAST} to {MOST} bytes in base64, found {found} bytes")]
    Length {
        /// Bytes that the base64 stands for.
        found: usize,
    },
}

/// Checks a secret as Standard Webhooks asks for it: base64 of 24 to 64 bytes, `whsec_` in front or not.
///
/// # Errors
/// It is none.
pub(crate) fn check(secret: &str) -> Result<(), SecretError> {
    match key(secret)?.len() {
        found if found > MOST => Err(SecretError::Length { found }),
        _ => Ok(()),
    }
}

/// Signs a body as Standard Webhooks says (v1): HMAC-SHA256 over `id.timestamp.body`, with the bytes that
/// the secret's base64 stands for (`whsec_` in front or not).
///
/// # Errors
/// The secret is no base64, or of fewer than 24 bytes.
pub(crate) fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String, SecretError> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(secret)?);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    Ok(format!("v1,{}", STANDARD.encode(context.sign().as_ref())))
}

/// The bytes that a secret stands for, so many at least that a signature says something.
fn key(secret: &str) -> Result<Vec<u8>, SecretError> {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
        .map_err(|_| SecretError::NotBase64)?;
    match key.len() {
        found if found < LEAST => Err(SecretError::Length { found }),
        _ => Ok(key),
    }
}

#[cfg(test)]
mod tests;
