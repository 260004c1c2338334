use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use model::channel::ChannelName;
use model::headers::Headers;
use model::ids::uuid_v7;
use model::json::JsonText;
use model::key::Scope;
use model::message::{Content, Echo, MessageId, PublishPolicy};
use model::permission::{Access, Principal};
use model::schedule::edit::TimingEdit;
use model::schedule::{Planned, TimingFields};
use model::time::UnixMillis;
use store::messages::{Append, Appended, Idempotency};
use store::schedules::{NewSchedule, Scheduled};

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

/// A publish in which everything is right.
enum Checked {
    /// For devices alone, which nobody reaches.
    Undelivered(MessageId),
    Append(Append),
    /// Boxed: almost all are messages for now.
    Schedule(Box<NewSchedule>),
}

/// How many due times a dry run tells at most.
const DRY_RUN_TIMES: usize = 10;

impl Published {
    fn new(id: MessageId) -> Self {
        Self {
            id,
            failed: None,
            replayed: false,
        }
    }

    fn replayed(id: MessageId) -> Self {
        Self {
            replayed: true,
            ..Self::new(id)
        }
    }
}

/// Why a message for devices alone is not delivered (api.md 3.1).
pub(super) const NO_PUSH_PROVIDER: &str = "publishPolicy PUSH needs a push provider, and none is configured";

impl Engine {
    /// Publishes a message, or stores its schedule. It is durable once the future is done (api.md 3.1, 3.8).
    ///
    /// Everything is checked before the future is there, which holds no more than what is to be stored: many
    /// wait for the disk at the same time.
    ///
    /// # Errors
    /// Those of api.md 3.1.
    pub fn publish<'a>(
        &'a self,
        caller: &Caller,
        channel: &str,
        publish: Publish,
    ) -> impl Future<Output = Result<Published, Error>> + Send + use<'a> {
        let checked = self.checked(caller, channel, publish);
        async move {
            match checked? {
                Checked::Undelivered(id) => Ok(Published {
                    id,
                    failed: Some(NO_PUSH_PROVIDER),
                    replayed: false,
                }),
                Checked::Append(append) => self.append(append).await,
                Checked::Schedule(new) => self.schedule(*new).await,
            }
        }
    }

    /// What is to be done, once all is found to be right.
    fn checked(&self, caller: &Caller, channel: &str, publish: Publish) -> Result<Checked, Error> {
        let now = self.clock.now();
        let idempotency = publish
            .idempotency
            .as_ref()
            .map(|key| idempotency(key, &caller.principal));
        let timing = publish.timing.clone();
        let (channel, content, planned) = check(caller, channel, publish, now)?;
        if content.publish_policy == Some(PublishPolicy::Push) {
            return Ok(Checked::Undelivered(self.undelivered_id(now)));
        }
        let content = Arc::new(content);
        let limits = &caller.app.settings.limits;
        Ok(match planned {
            Some(planned) => Checked::Schedule(Box::new(NewSchedule {
                app: caller.app.key,
                channel,
                content,
                owner: caller.owner(),
                timing: TimingEdit::default().apply(&timing),
                first: planned.first,
                idempotency,
                max_channels: limits.channels,
                max_waiting: limits.schedules,
            })),
            None => Checked::Append(Append {
                app: caller.app.key,
                channel,
                content,
                principal: caller.principal.owner_name(),
                idempotency,
                max_channels: limits.channels,
            }),
        })
    }

    async fn append(&self, append: Append) -> Result<Published, Error> {
        let max_channels = append.max_channels;
        match self.store.append(append).await? {
            Appended::New { message, .. } => Ok(Published::new(message.id)),
            Appended::Replayed { id } => Ok(Published::replayed(id)),
            Appended::KeyReused => Err(Error::KeyReused),
            Appended::TooManyChannels => Err(too_many("channels", max_channels)),
        }
    }

    async fn schedule(&self, new: NewSchedule) -> Result<Published, Error> {
        let (first, max_channels, max_waiting) = (new.first.at, new.max_channels, new.max_waiting);
        match self.store.schedule(new).await? {
            Scheduled::New { id } => {
                self.alarm.due(first);
                Ok(Published::new(MessageId::one_shot(id)))
            }
            Scheduled::Replayed { id } => Ok(Published::replayed(MessageId::one_shot(id))),
            Scheduled::KeyReused => Err(Error::KeyReused),
            Scheduled::TooManyChannels => Err(too_many("channels", max_channels)),
            Scheduled::TooManySchedules => Err(too_many("schedules", max_waiting)),
        }
    }

    /// The first times at which this would be published, at most ten; nothing is (api.md 3.3). There are none
    /// for a push alone, which no provider takes.
    ///
    /// # Errors
    /// Those of [`Engine::publish`].
    pub fn dry_run(
        &self,
        caller: &Caller,
        channel: &str,
        publish: Publish,
    ) -> Result<Vec<UnixMillis>, Error> {
        let now = self.clock.now();
        let (_, content, planned) = check(caller, channel, publish, now)?;
        if content.publish_policy == Some(PublishPolicy::Push) {
            return Ok(Vec::new());
        }
        let Some(planned) = planned else {
            return Ok(vec![now]);
        };
        let upcoming = planned.timing.upcoming(planned.first);
        Ok(upcoming.take(DRY_RUN_TIMES).map(|due| due.at).collect())
    }

    /// An id for a message that is in no log.
    fn undelivered_id(&self, now: UnixMillis) -> MessageId {
        let mut random = [0; 10];
        self.ids.fill(&mut random);
        MessageId::one_shot(uuid_v7(now, &random))
    }
}

/// Every check of api.md 3.1 that needs no store.
fn check(
    caller: &Caller,
    channel: &str,
    publish: Publish,
    now: UnixMillis,
) -> Result<(ChannelName, Content, Option<Planned>), Error> {
    let channel: ChannelName = channel.parse()?;
    caller.may(Access::Publish, channel.as_str())?;
    let planned = Planned::new(&publish.timing, now)?;
    let content = content(caller, publish)?;
    if planned.is_some() && matches!(caller.principal, Principal::Key { .. }) {
        caller.needs(Scope::Schedule)?;
    }
    Ok((channel, content, planned))
}

fn too_many(what: &'static str, limit: u64) -> Error {
    Error::TooMany { what, limit }
}

fn content(caller: &Caller, publish: Publish) -> Result<Content, Error> {
    let limits = &caller.app.settings.limits;
    let policy = publish
        .publish_policy
        .map(|policy| policy.parse::<PublishPolicy>())
        .transpose();
    let subtopic = publish.subtopic.map(|subtopic| subtopic.parse()).transpose();
    let echo = Echo {
        push_singlecast: publish.push_singlecast,
        push_broadcast: publish.push_broadcast,
        template_values: publish.template_values,
        query: publish.query,
        ..timing_echo(&publish.timing)
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

/// What the envelope echoes of the timing fields, as published.
pub(super) fn timing_echo(timing: &TimingFields) -> Echo {
    let nonzero = |number: Option<i64>| number.filter(|number| *number != 0);
    Echo {
        publish_at: nonzero(timing.publish_at).map(UnixMillis),
        repeat_every: nonzero(timing.repeat_every).and_then(|every| u64::try_from(every).ok()),
        repeat_expires_at: nonzero(timing.repeat_expires_at).map(UnixMillis),
        ..Echo::default()
    }
}

/// The scope of a key is (app, principal, method, path); the app is the store's part.
fn idempotency(key: &IdempotencyKey, principal: &Principal) -> Idempotency {
    let mut digest = Context::new(&SHA256);
    for part in [&*principal.owner_name(), &key.request, &key.key] {
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
