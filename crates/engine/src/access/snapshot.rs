use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use model::app::{AppId, AppKey};
use model::key::{ApiKey, KeyDigest};
use model::settings::AppSettings;
use model::time::UnixMillis;
use store::apps::{App, Apps};
use store::keys::Keys;

use super::token::{Fetcher, Verifier};

/// An app with all that deciding about its callers takes.
pub struct AppState {
    /// Its surrogate.
    pub key: AppKey,
    /// Its name.
    pub id: AppId,
    /// Its settings.
    pub settings: AppSettings,
    /// Revoked and expired ones too. Looking a digest up takes time that depends on the digest, not on
    /// the secret: who can choose a digest's leading bits freely still has to find a secret that hashes
    /// to the whole of it. So no comparison in constant time is needed.
    pub(super) keys: HashMap<KeyDigest, Arc<ApiKey>>,
    /// The same by their names.
    pub(super) named: HashMap<Box<str>, Vec<Arc<ApiKey>>>,
    /// `None` if the app has no usable source of verification keys.
    pub(super) tokens: Option<Arc<Verifier>>,
}

impl AppState {
    /// The keys of this name that are good at `now`.
    pub(super) fn valid_keys(&self, name: &str, now: UnixMillis) -> impl Iterator<Item = &ApiKey> {
        let named = self.named.get(name).into_iter().flatten();
        named.map(|key| &**key).filter(move |key| key.is_valid_at(now))
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState")
            .field("key", &self.key)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// All apps as they were at one access version.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) version: u64,
    pub(super) by_id: HashMap<AppId, Arc<AppState>>,
    pub(super) by_key: HashMap<AppKey, Arc<AppState>>,
}

/// Reads a snapshot. What an app has learned of a JWK set goes over from the `previous` one, as long as
/// its token settings are the same.
pub(super) async fn load(
    apps: &dyn Apps,
    keys: &dyn Keys,
    previous: &Snapshot,
    fetcher: &Arc<Fetcher>,
) -> store::error::Result<Snapshot> {
    // The version first: what changes while the rest is read raises it, and the next poll sees that.
    let mut snapshot = Snapshot {
        version: apps.access_version().await?,
        ..Snapshot::default()
    };
    for app in apps.apps().await? {
        let app_keys: Vec<_> = keys.keys(app.key).await?.into_iter().map(Arc::new).collect();
        let mut named: HashMap<_, Vec<_>> = HashMap::new();
        for key in &app_keys {
            named
                .entry(key.name.as_str().into())
                .or_default()
                .push(Arc::clone(key));
        }
        let state = Arc::new(AppState {
            key: app.key,
            tokens: verifier(&app, previous, fetcher),
            keys: app_keys.into_iter().map(|key| (key.digest, key)).collect(),
            named,
            id: app.id,
            settings: app.settings,
        });
        snapshot.by_id.insert(state.id.clone(), state.clone());
        snapshot.by_key.insert(state.key, state);
    }
    Ok(snapshot)
}

fn verifier(app: &App, previous: &Snapshot, fetcher: &Arc<Fetcher>) -> Option<Arc<Verifier>> {
    let before = previous.by_key.get(&app.key);
    if let Some(before) = before.filter(|before| before.settings.jwt == app.settings.jwt) {
        return before.tokens.clone();
    }
    match Verifier::new(&app.settings.jwt, fetcher) {
        Ok(verifier) => verifier.map(Arc::new),
        Err(error) => {
            tracing::error!(app.id = %app.id, error = %error, "the app's user tokens are refused: its token settings cannot be used");
            None
        }
    }
}
