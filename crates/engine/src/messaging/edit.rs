use std::sync::Arc;

use model::headers::Headers;
use model::json::JsonText;
use model::limits::Limits;
use model::message::{Content, Echo, MessageId, PublishPolicy};
use model::schedule::TimingFields;
use model::schedule::edit::TimingEdit;
use store::schedules::{self, Edited, Schedule, ScheduleState};

use crate::Engine;
use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::publish::{NO_PUSH_PROVIDER, timing_echo};

/// How often an edit is tried while the schedule changes under it.
const TRIES: usize = 32;

/// What an edit changes (api.md 3.3): `None` leaves a field as it is, `Some(None)` removes it.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// `message`, which can be replaced but not removed.
    pub payload: Option<JsonText>,
    /// `publisherId`.
    pub publisher_id: Option<Option<String>>,
    /// `headers` as strings.
    pub headers: Option<Vec<(String, String)>>,
    /// `subtopic`.
    pub subtopic: Option<Option<String>>,
    /// `publishPolicy`.
    pub publish_policy: Option<Option<String>>,
    /// When.
    pub timing: TimingEdit,
    /// `pushSinglecast`.
    pub push_singlecast: Option<Option<JsonText>>,
    /// `pushBroadcast`.
    pub push_broadcast: Option<Option<JsonText>>,
    /// `templateValues`.
    pub template_values: Option<Option<JsonText>>,
    /// `query`.
    pub query: Option<Option<JsonText>>,
}

impl Engine {
    /// Whether the caller may edit this, and whether it waits: before a body is read.
    ///
    /// # Errors
    /// Access, [`Error::NotWaiting`].
    pub async fn may_edit(&self, caller: &Caller, id: MessageId) -> Result<(), Error> {
        match self
            .own_schedule(caller, id)
            .await?
            .map(|schedule| schedule.state)
        {
            Some(ScheduleState::Waiting { .. }) => Ok(()),
            _ => Err(Error::NotWaiting),
        }
    }

    /// Changes what waits (api.md 3.3): given fields are replaced, and only a change of timing fields moves
    /// its due times. The schedule as it stands then.
    ///
    /// # Errors
    /// Access, those of a publish, [`Error::NotWaiting`].
    pub async fn edit(&self, caller: &Caller, id: MessageId, edit: &Edit) -> Result<Schedule, Error> {
        for _ in 0..TRIES {
            let schedule = self.own_schedule(caller, id).await?.ok_or(Error::NotWaiting)?;
            let ScheduleState::Waiting { next } = schedule.state else {
                return Err(Error::NotWaiting);
            };
            let now = self.clock.now();
            let rebased = edit.timing.rebase(&schedule.timing, next.n, now)?;
            let timing = rebased.map(|rebased| (rebased.fields, rebased.next));
            let fields = timing.as_ref().map_or(&schedule.timing, |(fields, _)| fields);
            let content = edit.content(&schedule.content, fields, &caller.app.settings.limits)?;
            let first = timing.as_ref().and_then(|(_, next)| *next).map(|next| next.at);
            let change = schedules::Edit {
                revision: schedule.revision,
                content: (content != *schedule.content).then(|| Arc::new(content)),
                timing,
            };
            match self
                .store
                .edit_schedule(caller.app.key, schedule.id, change)
                .await?
            {
                Edited::Done => {
                    if let Some(first) = first {
                        self.alarm.due(first);
                    }
                    let found = self.store.find_schedule(caller.app.key, schedule.id).await?;
                    return found.ok_or(Error::NotWaiting);
                }
                // An occurrence was published meanwhile, or somebody else was quicker.
                Edited::Changed => {}
                Edited::NotWaiting => return Err(Error::NotWaiting),
            }
        }
        Err(Error::Unavailable {
            reason: "the schedule changes faster than it can be edited".into(),
        })
    }
}

impl Edit {
    /// The content after the edit.
    fn content(&self, before: &Content, timing: &TimingFields, limits: &Limits) -> Result<Content, Error> {
        let mut content = before.clone();
        if let Some(payload) = &self.payload {
            content.payload = payload.clone();
        }
        if let Some(publisher_id) = &self.publisher_id {
            content.publisher_id = publisher_id.as_deref().map(Into::into);
        }
        if let Some(headers) = &self.headers {
            content.headers = Headers::new(headers.clone(), limits.headers, limits.header_bytes)?;
        }
        if let Some(subtopic) = &self.subtopic {
            let subtopic = subtopic.as_deref().map(str::parse).transpose();
            content.subtopic = subtopic.map_err(|error| Error::parameter("subtopic", error))?;
        }
        if let Some(policy) = &self.publish_policy {
            let policy = policy.as_deref().map(str::parse).transpose();
            content.publish_policy = policy.map_err(|error| Error::parameter("publishPolicy", error))?;
            if content.publish_policy == Some(PublishPolicy::Push) {
                return Err(Error::parameter("publishPolicy", NO_PUSH_PROVIDER));
            }
        }
        let nothing = Echo::default();
        let before = before.echo.as_deref().unwrap_or(&nothing);
        let given = |edit: &Option<Option<JsonText>>, field: &Option<JsonText>| {
            edit.clone().unwrap_or_else(|| field.clone())
        };
        let echo = Echo {
            push_singlecast: given(&self.push_singlecast, &before.push_singlecast),
            push_broadcast: given(&self.push_broadcast, &before.push_broadcast),
            template_values: given(&self.template_values, &before.template_values),
            query: given(&self.query, &before.query),
            ..timing_echo(timing)
        };
        content.echo = (echo != nothing).then(|| Box::new(echo));
        Ok(content)
    }
}
