use std::collections::BTreeMap;
use std::time::Duration;

use model::ids::IdSource;
use model::key::Scope;
use model::settings::check::SettingsError;
use model::settings::{Secret, SyncSettings};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use store::inbox::SyncBatch;
use tokio::time::Instant;

use crate::Engine;
use crate::access::caller::Caller;
use crate::access::snapshot::AppState;
use crate::error::Error;
use crate::inbox::signature;

/// How long one call may take; the rest goes with the next (api.md 4).
const CALL: Duration = Duration::from_secs(25);
/// How long a claim holds messages back from other calls, should this process die.
const CLAIM: Duration = Duration::from_secs(60);
/// Pauses before the second, third … try of a batch.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// The HTTP client towards campaign systems.
pub(crate) struct CampaignClient(reqwest::Client);

#[derive(Serialize)]
struct Body<'a> {
    messages: Vec<Id<'a>>,
}

#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
}

/// Why a batch was not taken.
struct Refused {
    reason: String,
    /// Whether the same request may do better.
    passing: bool,
}

impl CampaignClient {
    pub(crate) fn new() -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("postbell/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(Self(client))
    }

    /// Sends one batch, trying again while that may help and time is left.
    async fn send(
        &self,
        settings: &SyncSettings,
        url: &str,
        batch: &SyncBatch,
        ids: &dyn IdSource,
        timestamp: impl Fn() -> i64,
        deadline: Instant,
    ) -> Result<(), String> {
        let messages = batch.ids.iter().map(|id| Id { id: id.as_str() }).collect();
        let body = serde_json::to_vec(&Body { messages }).map_err(|error| error.to_string())?;
        // The same for every try: the receiver can tell a repeat.
        let webhook_id = format!("msg_{}", ids.random_uuid().simple());
        let mut pauses = PAUSES.into_iter();
        loop {
            let headers = headers(settings, &webhook_id, timestamp(), &body)?;
            let patience = settings
                .timeout
                .0
                .min(deadline.saturating_duration_since(Instant::now()));
            let sent = self
                .0
                .post(url)
                .headers(headers)
                .body(body.clone())
                .timeout(patience)
                .send()
                .await;
            let refused = match sent {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => Refused {
                    reason: format!("it answered {}", answer.status()),
                    passing: answer.status().is_server_error() || answer.status().as_u16() == 429,
                },
                // The URL may hold credentials: it stays out of the text.
                Err(error) => Refused {
                    reason: describe(&error.without_url()),
                    passing: true,
                },
            };
            let pause = pauses
                .next()
                .filter(|pause| refused.passing && Instant::now() + *pause < deadline);
            let Some(pause) = pause else {
                return Err(refused.reason);
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// The error with its causes in one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn headers(settings: &SyncSettings, id: &str, timestamp: i64, body: &[u8]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &settings.headers {
        let (name, value) = header(name, value).map_err(|error| format!("sync.headers: {error}"))?;
        headers.insert(name, value);
    }
    if let Some(secret) = &settings.webhook_secret {
        let signature = signature::sign(secret.expose(), id, timestamp, body)
            .map_err(|error| format!("sync.webhook_secret: {error}"))?;
        for (name, value) in [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ] {
            let value = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(headers)
}

/// A header of the settings; its value counts as a secret and is not told.
fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), String> {
    let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no header name"))?;
    let mut value = HeaderValue::from_str(value.expose()).map_err(|_| {
        format!("the value of {name} holds a character that no header may, such as a line break")
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Headers that the request has of its own: another value would break it or belie it.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// All that is wrong with the headers, in one text.
fn check_headers(headers: &BTreeMap<String, Secret>) -> Result<(), String> {
    let wrong = |(name, value): (&String, &Secret)| match header(name, value) {
        Ok((name, _)) if OWN_HEADERS.contains(&name.as_str()) => {
            Some(format!("{name} is set by the server itself: leave it out"))
        }
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let reasons: Vec<String> = headers.iter().filter_map(wrong).collect();
    if reasons.is_empty() {
        return Ok(());
    }
    Err(reasons.join("; "))
}

/// Checks the settings of the sync with what only their use shows.
///
/// # Errors
/// The first setting that cannot be.
pub(crate) fn check(settings: &SyncSettings) -> Result<(), SettingsError> {
    // A text that the client reads otherwise could hide a password where none is looked for.
    if settings
        .url
        .as_deref()
        .is_some_and(|url| reqwest::Url::parse(url).is_err())
    {
        return Err(SettingsError {
            field: "sync.url",
            reason: "expected an http:// or https:// URL, found a text that is none".to_owned(),
        });
    }
    check_headers(&settings.headers).map_err(|reason| SettingsError {
        field: "sync.headers",
        reason,
    })?;
    if let Some(secret) = &settings.webhook_secret {
        signature::check(secret.expose()).map_err(|error| SettingsError {
            field: "sync.webhook_secret",
            reason: error.to_string(),
        })?;
    }
    Ok(())
}

impl Engine {
    /// Tells the campaign system what was deleted (api.md 4); how many are synced now.
    ///
    /// # Errors
    /// Access (`sync`), [`Error::SyncDisabled`], [`Error::SyncFailed`], [`Error::NothingMarked`].
    pub async fn sync(&self, caller: &Caller) -> Result<u64, Error> {
        caller.needs(Scope::Sync)?;
        self.sync_app(&caller.app).await
    }

    /// The same for the built-in timer.
    pub(crate) async fn sync_app(&self, app: &AppState) -> Result<u64, Error> {
        let settings = &app.settings.sync;
        let Some(url) = &settings.url else {
            return Err(Error::SyncDisabled);
        };
        let deadline = Instant::now() + CALL;
        let mut synced = 0;
        let mut sent_any = false;
        while Instant::now() < deadline && !self.stopping.is_cancelled() {
            let now = self.clock.now();
            let claim = self.ids.random_u64() >> 1;
            let batch = self
                .store
                .claim_deleted(app.key, claim, settings.batch, now, now + CLAIM)
                .await?;
            if batch.ids.is_empty() {
                break;
            }
            let timestamp = || self.clock.timestamp().as_second();
            let sent = self
                .campaigns
                .send(settings, url, &batch, self.ids.as_ref(), timestamp, deadline)
                .await;
            if let Err(reason) = sent {
                self.store.release_claim(app.key, &batch).await?;
                return Err(Error::SyncFailed { synced, reason });
            }
            sent_any = true;
            synced += self.store.mark_synced(app.key, &batch).await?;
        }
        match synced {
            0 if sent_any => Err(Error::NothingMarked),
            _ => Ok(synced),
        }
    }
}
