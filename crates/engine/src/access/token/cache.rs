use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::Mutex;

use super::claims::TokenUser;

/// How many tokens an app keeps verified: about 1 MB.
const MAX_TOKENS: usize = 4_096;

/// Tokens whose signature was good, by the SHA-256 digest of the whole token: checking and reading a token
/// costs many times the digest, and a client sends the same token with every request.
#[derive(Debug, Default)]
pub(super) struct TokenCache {
    /// Short: one look-up or insertion. Never held across an await.
    tokens: Mutex<HashMap<[u8; 32], Entry>>,
}

#[derive(Debug)]
struct Entry {
    generation: u64,
    user: Arc<TokenUser>,
}

/// The key of a token in the cache.
pub(super) fn cache_key(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    key
}

impl TokenCache {
    /// The user of a token that was verified with the keys of this generation.
    pub(super) fn get(&self, key: &[u8; 32], generation: u64) -> Option<Arc<TokenUser>> {
        let tokens = self.tokens.lock();
        let entry = tokens.get(key).filter(|entry| entry.generation == generation)?;
        Some(entry.user.clone())
    }

    /// Keeps a user whose token was verified with the keys of this generation. A full cache is emptied:
    /// it fills again with the tokens that are still in use.
    pub(super) fn insert(&self, key: [u8; 32], generation: u64, user: Arc<TokenUser>) {
        let mut tokens = self.tokens.lock();
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        tokens.insert(key, Entry { generation, user });
    }
}
