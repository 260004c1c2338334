use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::channel::ChannelPattern;
use crate::inbox::ClientTypes;
use crate::limits::Limits;
use crate::permission::ChannelRule;
use crate::time::{Span, Timer};

/// What cannot be, though it is well formed.
pub mod check;
/// Settings fit to be shown.
pub mod shown;

/// The settings of an app, kept in the store (api.md 1): what `app set --file` takes and `[apps.NAME]`
/// of the configuration carries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppSettings {
    /// How user tokens are verified; without any source every user token is refused.
    pub jwt: JwtSettings,
    /// Channel permission rules, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelRule>,
    /// Browser origins that may call, such as `https://app.example`; `*` is any.
    pub cors: CorsSettings,
    /// How long channels keep their messages.
    pub history: HistorySettings,
    /// What is published later or repeatedly.
    pub schedules: ScheduleSettings,
    /// Subscriptions that are polled.
    pub polling: PollingSettings,
    /// The inbox.
    pub inbox: InboxSettings,
    /// Telling the campaign system what was deleted.
    pub sync: SyncSettings,
    /// Removing what nobody needs any more.
    pub cleanup: CleanupSettings,
    /// Limits.
    pub limits: Limits,
}

/// How user tokens are verified (api.md 2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JwtSettings {
    /// The HS256/384/512 secret; the key is its UTF-8 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// A PEM public key for RS256, ES256 or EdDSA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The URL of a JWK set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// Allowed algorithms, such as `["HS256"]`; empty: those that fit the key sources given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// The `iss` that tokens must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The `aud` that tokens must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The claim with the user id; default: the first present of `uid`, `user_id`, `userId`, `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_claim: Option<String>,
    /// The claim with the roles.
    pub roles_claim: String,
    /// The claim with a selector that is ANDed to all that the user reads.
    pub selector_claim: String,
}

impl JwtSettings {
    /// The names of the claims where none are configured.
    pub fn with_default_claims(mut self) -> Self {
        for (claim, default) in [
            (&mut self.roles_claim, "roles"),
            (&mut self.selector_claim, "selector"),
        ] {
            if claim.is_empty() {
                *claim = default.into();
            }
        }
        self
    }
}

/// A secret value: written to the store and to nothing else; `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes over a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which browser origins may call (api.md 5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsSettings {
    /// Origins such as `https://app.example`, or `*` for any.
    pub origins: Vec<String>,
}

/// How long channels keep their messages (api.md 3.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistorySettings {
    /// Age at which a message leaves the history.
    pub age: Span,
    /// How many messages a channel keeps.
    pub count: u64,
    /// Other windows by pattern; the first that matches counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<HistoryWindow>,
}

/// The window of the channels that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryWindow {
    /// The channels.
    pub pattern: ChannelPattern,
    /// Age at which a message leaves the history.
    pub age: Span,
    /// How many messages a channel keeps.
    pub count: u64,
}

/// What one channel keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Age at which a message leaves the history.
    pub age: std::time::Duration,
    /// How many messages the channel keeps.
    pub count: u64,
}

impl Default for HistorySettings {
    fn default() -> Self {
        Self {
            age: Span::seconds(24 * 3_600),
            count: 10_000,
            windows: Vec::new(),
        }
    }
}

impl HistorySettings {
    /// The window of a channel.
    pub fn window(&self, channel: &str) -> Window {
        match self.windows.iter().find(|window| window.pattern.matches(channel)) {
            Some(window) => Window {
                age: window.age.0,
                count: window.count,
            },
            None => Window {
                age: self.age.0,
                count: self.count,
            },
        }
    }
}

/// What is published later or repeatedly (api.md 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSettings {
    /// How long a schedule that has ended is kept; its setting when it ends counts.
    pub keep: Span,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            keep: Span::seconds(7 * 24 * 3_600),
        }
    }
}

/// Subscriptions that are polled (api.md 3.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PollingSettings {
    /// How far back a new subscription begins.
    pub first_window: Span,
    /// How long a subscription that nobody polls is kept.
    pub idle: Span,
}

impl Default for PollingSettings {
    fn default() -> Self {
        Self {
            first_window: Span::seconds(60),
            idle: Span::seconds(24 * 3_600),
        }
    }
}

/// The inbox of an app (api.md 4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboxSettings {
    /// The client types; default `web ios android atv stv`.
    #[serde(deserialize_with = "client_types", serialize_with = "client_type_names")]
    pub clients: ClientTypes,
}

fn client_types<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientTypes, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    ClientTypes::new(&names).map_err(serde::de::Error::custom)
}

fn client_type_names<S: serde::Serializer>(types: &ClientTypes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(types.iter())
}

/// Telling the campaign system what was deleted (api.md 4, Sync).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncSettings {
    /// The campaign system's `pmserviceSync`; without it the sync is disabled. May hold credentials:
    /// [`shown::url`] leaves them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Headers sent along; their values count as secrets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// A Standard Webhooks secret (`whsec_…`); with it requests are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<Secret>,
    /// Time-out of one request.
    pub timeout: Span,
    /// Messages of one request, at most 1,000.
    pub batch: usize,
    /// The built-in timer.
    pub timer: Timer,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            url: None,
            headers: BTreeMap::new(),
            webhook_secret: None,
            timeout: Span::seconds(10),
            batch: 1_000,
            timer: Timer::Every(std::time::Duration::from_secs(240)),
        }
    }
}

impl fmt::Debug for SyncSettings {
    /// The URL as it is shown: it may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncSettings")
            .field("url", &self.url.as_deref().map(shown::url))
            .field("headers", &self.headers)
            .field("webhook_secret", &self.webhook_secret)
            .field("timeout", &self.timeout)
            .field("batch", &self.batch)
            .field("timer", &self.timer)
            .finish()
    }
}

/// Removing what nobody needs any more (api.md 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CleanupSettings {
    /// The built-in timer.
    pub timer: Timer,
}

impl Default for CleanupSettings {
    fn default() -> Self {
        Self {
            timer: Timer::Every(std::time::Duration::from_secs(3_600)),
        }
    }
}

#[cfg(test)]
mod tests;
