use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::world::NOW;

/// The secret of every app with one in these tests.
pub(super) const SECRET: &str = "a shared secret of 32 bytes or more";

/// Somebody who signs tokens.
#[derive(Clone)]
pub(super) struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public key as a PEM file; empty for a shared secret.
    pub(super) pem: String,
}

/// Claims of the user `u1` that are good for an hour, with others put over them.
pub(super) fn claims(more: Value) -> Value {
    let mut claims = json!({"sub": "u1", "exp": NOW + 3_600});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

pub(super) fn hs256() -> Signer {
    Signer::with_secret(Algorithm::HS256, SECRET)
}

pub(super) fn rs256() -> Signer {
    // Making such a key takes a while; one serves all tests.
    static KEY: LazyLock<Signer> = LazyLock::new(|| {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        Signer {
            algorithm: Algorithm::RS256,
            key: EncodingKey::from_rsa_pem(pem("PRIVATE KEY", private.as_ref()).as_bytes()).unwrap(),
            pem: pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref()),
        }
    });
    KEY.clone()
}

pub(super) fn es256() -> Signer {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    Signer {
        algorithm: Algorithm::ES256,
        key: EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()),
        pem: pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref()),
    }
}

pub(super) fn eddsa() -> Signer {
    let pair = Ed25519KeyPair::generate().unwrap();
    Signer {
        algorithm: Algorithm::EdDSA,
        key: EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref()),
        pem: pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref()),
    }
}

/// The PEM file of a public key on a curve that no allowed algorithm has.
pub(super) fn p384_pem() -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref())
}

/// The PEM file of an RSA public key of 1024 bits.
pub(super) fn rsa_1024_pem() -> String {
    // RSAPublicKey (RFC 8017, A.1.1): a sequence of the modulus, made up here, and the exponent 65537.
    let mut der = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00];
    der.extend([0xc5; 128]);
    der.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
    pem("RSA PUBLIC KEY", &der)
}

/// The PEM file of a private key.
pub(super) fn private_pem() -> String {
    let pair = Ed25519KeyPair::generate().unwrap();
    pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref())
}

impl Signer {
    pub(super) fn with_secret(algorithm: Algorithm, secret: &str) -> Self {
        Self {
            algorithm,
            key: EncodingKey::from_secret(secret.as_bytes()),
            pem: String::new(),
        }
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        encode(&Header::new(self.algorithm), claims, &self.key).unwrap()
    }

    pub(super) fn sign_with_kid(&self, kid: &str, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(kid.into());
        encode(&header, claims, &self.key).unwrap()
    }

    /// Signs claims that no `Value` can hold, under any header.
    pub(super) fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// The public key as an entry of a JWK set.
    pub(super) fn jwk(&self, kid: &str) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        let mut entry = serde_json::to_value(jwk).unwrap();
        entry["kid"] = json!(kid);
        entry
    }
}

fn pem(tag: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {tag}-----\n{}\n-----END {tag}-----\n",
        lines.join("\n")
    )
}
