use std::sync::Arc;

use model::key::{ApiKey, Scope};
use model::permission::{self, Principal, is_allowed};
use model::selector::Selector;
use model::time::UnixMillis;

use super::error::AccessError;
use super::snapshot::AppState;
use super::token::TokenError;
use super::{Access, authenticate};

/// Who calls, in which app, and for how long that holds.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The app, as it was when the caller was let in.
    pub app: Arc<AppState>,
    /// Who it is.
    pub principal: Principal,
    /// The selector that the user's token adds to all that the user reads.
    pub selector: Option<Arc<Selector>>,
    /// From when on the credential is no good: a key's expiry, or a token's `exp` with the leeway.
    pub expires: Option<UnixMillis>,
    pub(super) key: Option<Arc<ApiKey>>,
    pub(super) access: Access,
}

impl Caller {
    /// The id of the API key that the caller came with.
    pub fn key_id(&self) -> Option<&str> {
        self.key.as_ref().map(|key| &*key.id)
    }

    /// Whether the caller may do this in the channel (api.md 2, channel permissions).
    ///
    /// # Errors
    /// [`AccessError::NoCredential`] if that could be allowed to somebody known,
    /// [`AccessError::Forbidden`] if the caller is known and not allowed.
    pub fn may(&self, access: permission::Access, channel: &str) -> Result<(), AccessError> {
        if is_allowed(&self.app.settings.channels, &self.principal, access, channel) {
            return Ok(());
        }
        Err(self.refused())
    }

    /// Whether the caller is a key with this scope.
    ///
    /// # Errors
    /// [`AccessError::MissingScope`] of a key, else [`AccessError::NoCredential`] without a credential and
    /// [`AccessError::Forbidden`] of a user.
    pub fn needs(&self, scope: Scope) -> Result<(), AccessError> {
        match &self.principal {
            Principal::Key { scopes, .. } if scopes.allow(scope) => Ok(()),
            Principal::Key { .. } => Err(AccessError::MissingScope(scope)),
            _ => Err(self.refused()),
        }
    }

    /// The user's id, for what users alone do.
    ///
    /// # Errors
    /// [`AccessError::NoCredential`] without a credential, else [`AccessError::Forbidden`].
    pub fn user(&self) -> Result<&str, AccessError> {
        match &self.principal {
            Principal::User { id, .. } => Ok(id),
            _ => Err(self.refused()),
        }
    }

    /// The caller under the settings, rules and keys of now: what an open stream goes on with after the
    /// access version has changed.
    ///
    /// # Errors
    /// The credential was revoked or has expired, the app's token settings are no longer those that the
    /// token was verified with, or the app is gone.
    pub fn renewed(&self) -> Result<Self, AccessError> {
        let app = self.access.app_by_key(self.app.key).ok_or(AccessError::AppGone)?;
        let now = self.access.now();
        match &self.principal {
            Principal::Anonymous => {}
            Principal::Key { .. } => {
                let digest = self.key.as_ref().ok_or(AccessError::BadKey)?.digest;
                return authenticate::with_key(&self.access, &app, &digest);
            }
            Principal::User { .. } => {
                if self.expires.is_some_and(|expires| now >= expires) {
                    return Err(AccessError::BadToken(TokenError::Expired));
                }
                // The token itself is not kept, so it cannot be verified anew: whoever had it shows it
                // again when what it was verified with has changed.
                let unchanged = match (&self.app.tokens, &app.tokens) {
                    (Some(before), Some(after)) => Arc::ptr_eq(before, after),
                    _ => false,
                };
                if !unchanged {
                    return Err(AccessError::BadToken(TokenError::SettingsChanged));
                }
            }
        }
        Ok(Self { app, ..self.clone() })
    }

    /// Whether [`Caller::renewed`] would succeed.
    pub fn is_still_valid(&self) -> bool {
        self.renewed().is_ok()
    }

    fn refused(&self) -> AccessError {
        match self.principal {
            Principal::Anonymous => AccessError::NoCredential,
            Principal::Key { .. } | Principal::User { .. } => AccessError::Forbidden,
        }
    }
}
