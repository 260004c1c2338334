use std::fmt;

use model::app::AppKey;
use model::channel::ChannelName;
use model::permission::{self, Principal, is_allowed};
use model::time::UnixMillis;
use store::schedules::{Gate, Owner};

use super::Access;
use super::caller::Caller;
use super::snapshot::AppState;

impl Caller {
    /// The caller as the owner of a schedule.
    pub fn owner(&self) -> Owner {
        let roles = match &self.principal {
            Principal::User { roles, .. } => roles.clone(),
            Principal::Key { .. } | Principal::Anonymous => Vec::new(),
        };
        Owner {
            principal: self.principal.owner_name(),
            roles,
        }
    }

    /// Whether what this principal owns is the caller's to see and change: its own, and for `admin` all.
    pub fn owns(&self, principal: &str) -> bool {
        self.principal.is_admin() || *self.principal.owner_name() == *principal
    }
}

/// Why an owner may no longer publish what it has scheduled.
enum Refused<'a> {
    AppGone,
    NoKey(&'a str),
    Rule { principal: &'a str, channel: &'a str },
    Unknown(&'a str),
}

impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AppGone => f.write_str("the app was deleted"),
            Self::NoKey(name) => write!(f, "no valid key of the name {name} is left"),
            Self::Rule { principal, channel } => {
                write!(f, "{principal} may no longer publish in {channel}")
            }
            Self::Unknown(principal) => write!(f, "there is no such principal as {principal}"),
        }
    }
}

/// Access as it stands when an occurrence is due (api.md 3.1): a key counts by its name, a user with the
/// roles that it had when it published.
impl Gate for Access {
    fn refusal(
        &self,
        app: AppKey,
        channel: &ChannelName,
        owner: &Owner,
        now: UnixMillis,
    ) -> Option<Box<str>> {
        let refused = match self.app_by_key(app) {
            Some(app) => judge(&app, channel.as_str(), owner, now).err()?.to_string(),
            None => Refused::AppGone.to_string(),
        };
        Some(refused.into())
    }
}

fn judge<'a>(app: &AppState, channel: &'a str, owner: &'a Owner, now: UnixMillis) -> Result<(), Refused<'a>> {
    let principal = &*owner.principal;
    let may = |principal: &Principal| {
        is_allowed(
            &app.settings.channels,
            principal,
            permission::Access::Publish,
            channel,
        )
    };
    let allowed = match principal.split_once(':') {
        None if principal == "anonymous" => may(&Principal::Anonymous),
        Some(("user", id)) => may(&Principal::User {
            id: id.into(),
            roles: owner.roles.clone(),
        }),
        Some(("key", name)) => {
            let mut valid = app.valid_keys(name, now).peekable();
            valid.peek().ok_or(Refused::NoKey(name))?;
            valid.any(|key| {
                may(&Principal::Key {
                    name: key.name.clone(),
                    scopes: key.scopes,
                })
            })
        }
        _ => return Err(Refused::Unknown(principal)),
    };
    match allowed {
        true => Ok(()),
        false => Err(Refused::Rule { principal, channel }),
    }
}
