use aws_lc_rs::digest::{SHA256, digest as hash};
use model::ids::IdSource;
use model::key::{ApiKey, KeyDigest, KeyName, Scopes};
use model::time::UnixMillis;

/// A new secret of a key: `{name}-{32 hexadecimal digits}`, 128 random bits (api.md 2).
pub fn new_secret(name: &KeyName, ids: &dyn IdSource) -> String {
    let mut random = [0; 16];
    ids.fill(&mut random);
    format!("{name}-{}", hex(&random))
}

/// The digest under which a secret is stored and looked up.
pub fn digest(secret: &str) -> KeyDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash(&SHA256, secret.as_bytes()).as_ref());
    KeyDigest(bytes)
}

/// A new key as it is stored, with a random id; of the secret it keeps the digest alone.
pub fn new_key(
    name: KeyName,
    scopes: Scopes,
    expires: Option<UnixMillis>,
    secret: &str,
    ids: &dyn IdSource,
    now: UnixMillis,
) -> ApiKey {
    let mut id = [0; 8];
    ids.fill(&mut id);
    ApiKey {
        id: hex(&id).into(),
        name,
        digest: digest(secret),
        scopes,
        created: now,
        expires,
        revoked: None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
