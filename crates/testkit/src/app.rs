use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use engine::access::key;
use engine::access::token::mint::mint_token;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use model::app::{AppId, AppKey};
use model::key::Scopes;
use model::settings::AppSettings;
use store::SharedStore;

use crate::server::Server;

/// The HS256 secret of every app of a test.
pub const JWT_SECRET: &str = "a secret that tests alone may use, of 32 bytes and more";

/// An app of a running server, changed as a command would do it; the server sees it at once.
#[derive(Clone)]
pub struct App {
    /// Its surrogate.
    pub key: AppKey,
    /// Its name.
    pub id: AppId,
    store: SharedStore,
    engine: Arc<Engine>,
}

/// A key that was made, with its secret.
#[derive(Clone)]
pub struct Key {
    /// What revokes it.
    pub id: String,
    /// What a request shows.
    pub secret: String,
}

impl App {
    pub(crate) async fn find(server: &Server, id: &AppId) -> Self {
        let app = server.store.app(id).await.unwrap().unwrap();
        Self {
            key: app.key,
            id: app.id,
            store: server.store.clone(),
            engine: Arc::clone(&server.engine),
        }
    }

    /// The secret of a new key with these scopes, such as `publish,subscribe`.
    pub async fn key(&self, name: &str, scopes: &str) -> String {
        self.create_key(name, scopes, None).await.secret
    }

    /// A new key, valid for this long from now on.
    pub async fn create_key(&self, name: &str, scopes: &str, valid: Option<Duration>) -> Key {
        let name = name.parse().unwrap();
        let scopes: Scopes = scopes.parse().unwrap();
        let (ids, now) = (&**self.engine.ids(), self.engine.clock().now());
        let secret = key::new_secret(&name, ids);
        let stored = key::new_key(name, scopes, valid.map(|valid| now + valid), &secret, ids, now);
        let id = stored.id.to_string();
        assert!(self.store.create_key(self.key, &stored).await.unwrap());
        self.engine.access().refresh().await.unwrap();
        Key { id, secret }
    }

    /// Revokes a key as another process would: the server finds out by itself.
    pub async fn revoke(&self, key: &Key) {
        assert!(
            self.store
                .revoke_key(self.key, &key.id, self.engine.clock().now())
                .await
                .unwrap()
        );
    }

    /// A token of this user, good for an hour.
    pub async fn token(&self, user: &str) -> String {
        self.token_with(user, &[], Duration::from_secs(3_600)).await
    }

    /// A token of this user with roles, good for `ttl`.
    pub async fn token_with(&self, user: &str, roles: &[&str], ttl: Duration) -> String {
        let settings = self.settings().await.jwt;
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        mint_token(&settings, user, &roles, ttl, &**self.engine.clock()).unwrap()
    }

    /// A token with these claims and whatever else they are, signed with [`JWT_SECRET`].
    pub fn token_of(&self, claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
    }

    /// The settings as they are stored.
    pub async fn settings(&self) -> AppSettings {
        self.store.app(&self.id).await.unwrap().unwrap().settings
    }

    /// Changes settings, in force when this returns.
    pub async fn set(&self, change: impl FnOnce(&mut AppSettings)) {
        let mut settings = self.settings().await;
        change(&mut settings);
        assert!(self.store.set_app(&self.id, &settings).await.unwrap());
        self.engine.access().refresh().await.unwrap();
    }

    /// Deletes the app.
    pub async fn delete(self) {
        assert!(self.store.delete_app(&self.id).await.unwrap());
        self.engine.access().refresh().await.unwrap();
    }
}
