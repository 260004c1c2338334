use std::sync::Arc;

use model::key::KeyDigest;
use model::permission::Principal;

use super::caller::Caller;
use super::credentials::Credentials;
use super::error::AccessError;
use super::snapshot::AppState;
use super::token::TokenError;
use super::{Access, key};

impl Access {
    /// Who calls (api.md 2). A request with a user token is judged by the user's permissions alone, also
    /// beside a key; without any credential the caller is [`Principal::Anonymous`].
    ///
    /// Waits only for a token whose key is not known yet, while the app's JWK set is fetched: at most
    /// [`super::Options::fetch_timeout`].
    ///
    /// # Errors
    /// [`AccessError::BadToken`] for a bad token even beside a good key, [`AccessError::BadKey`] for a key
    /// that is unknown, revoked or expired, and for two different keys.
    pub async fn authenticate(
        &self,
        app: &Arc<AppState>,
        credentials: &Credentials,
    ) -> Result<Caller, AccessError> {
        let key = credentials.key()?;
        if let Some(token) = credentials.token() {
            return with_token(self, app, token).await.inspect_err(|error| {
                if let AccessError::BadToken(reason) = error {
                    tracing::debug!(app.id = %app.id, reason = %reason, "a user token was refused");
                }
            });
        }
        match key {
            Some(secret) => with_key(self, app, &key::digest(secret)),
            None => Ok(Caller {
                app: app.clone(),
                principal: Principal::Anonymous,
                selector: None,
                expires: None,
                key: None,
                access: self.clone(),
            }),
        }
    }
}

async fn with_token(access: &Access, app: &Arc<AppState>, token: &str) -> Result<Caller, AccessError> {
    let verifier = app
        .tokens
        .as_ref()
        .ok_or(AccessError::BadToken(TokenError::NoKeySource))?;
    let user = verifier
        .verify(token, access.clock())
        .await
        .map_err(|error| match error {
            TokenError::SelectorSyntax { position } => AccessError::BadTokenSelector { position },
            error => AccessError::BadToken(error),
        })?;
    Ok(Caller {
        app: app.clone(),
        principal: Principal::User {
            id: user.id.clone(),
            roles: user.roles.clone(),
        },
        selector: user.selector.clone(),
        expires: Some(user.expires),
        key: None,
        access: access.clone(),
    })
}

pub(super) fn with_key(
    access: &Access,
    app: &Arc<AppState>,
    digest: &KeyDigest,
) -> Result<Caller, AccessError> {
    let key = app.keys.get(digest).ok_or(AccessError::BadKey)?;
    if !key.is_valid_at(access.now()) {
        return Err(AccessError::BadKey);
    }
    Ok(Caller {
        app: app.clone(),
        principal: Principal::Key {
            name: key.name.clone(),
            scopes: key.scopes,
        },
        selector: None,
        expires: key.expires,
        key: Some(key.clone()),
        access: access.clone(),
    })
}
