use aws_lc_rs::rsa;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use model::settings::check::SettingsError;

/// Sizes of RSA keys, in bytes of the modulus: 2048 to 8192 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

/// Reads the PEM file of a public key and tells which algorithm it is for.
pub(super) fn from_pem(pem: &str) -> Result<(Algorithm, DecodingKey), SettingsError> {
    let wrong = |reason: &str| {
        Err(SettingsError {
            field: "jwt.public_key",
            reason: reason.into(),
        })
    };
    let pem = pem.trim();
    let is_public = ["-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----"]
        .iter()
        .any(|begin| pem.starts_with(begin));
    if !is_public {
        return wrong("expected a PEM file that begins with -----BEGIN PUBLIC KEY-----, found another text");
    }
    let bytes = pem.as_bytes();
    let (algorithm, key) = if let Ok(key) = DecodingKey::from_rsa_pem(bytes) {
        (Algorithm::RS256, key)
    } else if let Ok(key) = DecodingKey::from_ec_pem(bytes) {
        (Algorithm::ES256, key)
    } else if let Ok(key) = DecodingKey::from_ed_pem(bytes) {
        (Algorithm::EdDSA, key)
    } else {
        return wrong("expected an RSA, P-256 or Ed25519 key, found none that can be read");
    };
    if !is_usable(&key) {
        return wrong(
            "expected an RSA key of 2048 to 8192 bits, a P-256 key or an Ed25519 key, found another",
        );
    }
    Ok((algorithm, key))
}

/// Whether RS256, ES256 or EdDSA signatures can be verified with the key: jsonwebtoken itself looks into
/// a key no earlier than at the first token.
pub(super) fn is_usable(key: &DecodingKey) -> bool {
    match (key.family(), key.kind()) {
        (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            let leading_zeros = n.iter().take_while(|byte| **byte == 0).count();
            RSA_BYTES.contains(&(n.len() - leading_zeros)) && !e.is_empty()
        }
        (AlgorithmFamily::Rsa, DecodingKeyKind::SecretOrDer(der)) => {
            rsa::PublicKey::from_der(der).is_ok_and(|key| RSA_BYTES.contains(&key.modulus_len()))
        }
        (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_ok()
        }
        (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(point)) => {
            ParsedPublicKey::new(&ED25519, point).is_ok()
        }
        _ => false,
    }
}
