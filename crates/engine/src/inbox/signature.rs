use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Signs a body as Standard Webhooks says (v1): HMAC-SHA256 over `id.timestamp.body`, with the bytes that
/// the secret's base64 stands for (`whsec_` in front or not).
///
/// # Errors
/// The secret is no base64.
pub(crate) fn sign(
    secret: &str,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<String, base64::DecodeError> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    Ok(format!("v1,{}", STANDARD.encode(context.sign().as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_implementation_takes_the_signature() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let oracle = standardwebhooks::Webhook::new(secret).unwrap();
        let body = br#"{"messages":[{"id":"123"}]}"#;
        let ours = sign(secret, "msg_1", 1_614_265_330, body).unwrap();
        assert_eq!(ours, oracle.sign("msg_1", 1_614_265_330, body).unwrap());
    }
}
