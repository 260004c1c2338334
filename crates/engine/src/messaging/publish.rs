use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use model::channel::ChannelName;
use model::headers::Headers;
use model::ids::uuid_v7;
use model::json::JsonText;
use model::key::Scope;
use model::message::{Content, Echo, MessageId, PublishPolicy};
use model::permission::{Access, Principal};
use model::schedule::{Planned, TimingFields};
use model::time::UnixMillis;
use store::messages::{Append, Appended, Idempotency};

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;

/// What a publisher asks for: the fields of api.md 3.1, each of its own type, not checked further.
#[derive(Debug, Clone)]
pub struct Publish {
    /// `message`, any JSON value but null.
    pub payload: JsonText,
    /// `publisherId`.
    pub publisher_id: Option<String>,
    /// `headers` as strings.
    pub headers: Vec<(String, String)>,
    /// `subtopic`.
    pub subtopic: Option<String>,
    /// `publishPolicy`.
    pub publish_policy: Option<String>,
    /// When.
    pub timing: TimingFields,
    /// `pushSinglecast`.
    pub push_singlecast: Option<JsonText>,
    /// `pushBroadcast`.
    pub push_broadcast: Option<JsonText>,
    /// `templateValues`.
    pub template_values: Option<JsonText>,
    /// `query`.
    pub query: Option<JsonText>,
    /// `?dryRun=true`.
    pub dry_run: bool,
    /// `Idempotency-Key`, if one came.
    pub idempotency: Option<IdempotencyKey>,
}

/// An `Idempotency-Key` with what it belongs to (api.md 3.1).
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The key: 1 to 128 printable ASCII characters.
    pub key: String,
    /// Method and path of the request, without a classic prefix.
    pub request: String,
    /// SHA-256 of the body.
    pub body: [u8; 32],
}

/// What the publisher is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The message's id.
    pub id: MessageId,
    /// Why it will never be delivered; `None`: it is on disk.
    pub failed: Option<&'static str>,
    /// Whether this repeats the answer to an earlier request.
    pub replayed: bool,
}

impl Engine {
    /// Publishes a message, now. It is durable when this returns (api.md 3.1, 3.8).
    ///
    /// # Errors
    /// Those of api.md 3.1. Later and repeated publishing is checked and then [`Error::NotBuilt`].
    pub async fn publish(
        &self,
        caller: &Caller,
        channel: &str,
        publish: Publish,
    ) -> Result<Published, Error> {
        let channel: ChannelName = channel.parse()?;
        caller.may(Access::Publish, channel.as_str())?;
        let now = self.clock.now();
        let timing = Planned::new(&publish.timing, now)?;
        let dry_run = publish.dry_run;
        let idempotency = publish
            .idempotency
            .as_ref()
            .map(|key| idempotency(key, &caller.principal));
        let content = content(caller, publish)?;
        if timing.is_some() {
            if matches!(caller.principal, Principal::Key { .. }) {
                caller.needs(Scope::Schedule)?;
            }
            return Err(Error::NotBuilt {
                what: "publishing later or repeatedly",
            });
        }
        if dry_run {
            return Err(Error::NotBuilt { what: "dryRun" });
        }
        if content.publish_policy == Some(PublishPolicy::Push) {
            let failed = Some("publishPolicy PUSH needs a push provider, and none is configured");
            return Ok(Published {
                id: self.undelivered_id(now),
                failed,
                replayed: false,
            });
        }
        let append = Append {
            app: caller.app.key,
            channel,
            content: Arc::new(content),
            principal: caller.principal.to_string().into(),
            idempotency,
            max_channels: caller.app.settings.limits.channels,
        };
        match self.store.append(append).await? {
            Appended::New { message, .. } => Ok(Published {
                id: message.id,
                failed: None,
                replayed: false,
            }),
            Appended::Replayed { id } => Ok(Published {
                id,
                failed: None,
                replayed: true,
            }),
            Appended::KeyReused => Err(Error::KeyReused),
            Appended::TooManyChannels => Err(Error::TooMany {
                what: "channels",
                limit: caller.app.settings.limits.channels,
            }),
        }
    }

    /// An id for a message that is in no log.
    fn undelivered_id(&self, now: UnixMillis) -> MessageId {
        let mut random = [0; 10];
        self.ids.fill(&mut random);
        MessageId::one_shot(uuid_v7(now, &random))
    }
}

fn content(caller: &Caller, publish: Publish) -> Result<Content, Error> {
    let limits = &caller.app.settings.limits;
    let policy = publish
        .publish_policy
        .map(|policy| policy.parse::<PublishPolicy>())
        .transpose();
    let subtopic = publish.subtopic.map(|subtopic| subtopic.parse()).transpose();
    let nonzero = |number: Option<i64>| number.filter(|number| *number != 0);
    let echo = Echo {
        push_singlecast: publish.push_singlecast,
        push_broadcast: publish.push_broadcast,
        template_values: publish.template_values,
        query: publish.query,
        publish_at: nonzero(publish.timing.publish_at).map(UnixMillis),
        repeat_every: nonzero(publish.timing.repeat_every).and_then(|every| u64::try_from(every).ok()),
        repeat_expires_at: nonzero(publish.timing.repeat_expires_at).map(UnixMillis),
    };
    Ok(Content {
        payload: publish.payload,
        publisher_id: publish.publisher_id.map(Into::into),
        subtopic: subtopic.map_err(|error| Error::parameter("subtopic", error))?,
        headers: Headers::new(publish.headers, limits.headers, limits.header_bytes)?,
        publish_policy: policy.map_err(|error| Error::parameter("publishPolicy", error))?,
        echo: (echo != Echo::default()).then(|| Box::new(echo)),
    })
}

/// The scope of a key is (app, principal, method, path); the app is the store's part.
fn idempotency(key: &IdempotencyKey, principal: &Principal) -> Idempotency {
    let mut digest = Context::new(&SHA256);
    for part in [principal.to_string().as_str(), &key.request, &key.key] {
        // The length in front keeps the parts apart.
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut scoped = [0; 32];
    scoped.copy_from_slice(digest.finish().as_ref());
    Idempotency {
        key: scoped,
        body: key.body,
    }
}
