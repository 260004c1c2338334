/// What callers may do, also later.
mod callers;
/// What requests give.
mod credentials;
/// Following changes in the store.
mod follow;
/// JWK sets over HTTP.
mod key_sets;
/// API keys.
mod keys;
/// Making tokens.
mod mint;
/// Settings that can be used or not.
mod settings;
/// Keys that sign tokens.
mod signer;
/// The whole way, over the embedded store.
mod sqlite;
/// A server of JWK sets.
mod stub;
/// User tokens.
mod tokens;
/// Apps, keys and time under a test's control.
mod world;
