use std::collections::HashMap;
use std::sync::{Arc, Weak};

use model::app::AppKey;
use model::message::Message;
use model::selector::Selector;
use model::subtopic::SubtopicPattern;
use parking_lot::Mutex;

use crate::access::caller::Caller;
use crate::error::Error;
use crate::messaging::Wanted;

/// Which messages of a channel a reader gets: a condition over headers, a pattern over subtopics, or both.
#[derive(Debug)]
pub(crate) struct MessageFilter {
    selector: Option<Selector>,
    subtopic: Option<SubtopicPattern>,
}

impl MessageFilter {
    /// The filter that a request and the caller's token ask for; `None` where all messages are wanted.
    ///
    /// # Errors
    /// [`Error::Selector`], or [`Error::Parameter`] for the subtopic.
    pub(crate) fn new(wanted: &Wanted, caller: &Caller) -> Result<Option<Self>, Error> {
        let own = Selector::parse_optional(wanted.selector.as_deref().unwrap_or_default())?;
        let forced = caller.selector.as_deref().cloned();
        let selector = match (forced, own) {
            (Some(forced), Some(own)) => Some(forced.and(own)),
            (forced, own) => forced.or(own),
        };
        let subtopic = SubtopicPattern::parse_optional(wanted.subtopic.as_deref().unwrap_or_default())
            .map_err(|error| Error::parameter("subtopic", error))?;
        let is_filter = selector.is_some() || subtopic.is_some();
        Ok(is_filter.then_some(Self { selector, subtopic }))
    }

    /// Whether the reader gets this message.
    pub(crate) fn matches(&self, message: &Message) -> bool {
        let content = &message.content;
        let fits = |pattern: &SubtopicPattern| {
            let subtopic = content.subtopic.as_ref();
            subtopic.is_some_and(|subtopic| pattern.matches(subtopic.as_str()))
        };
        self.subtopic.as_ref().is_none_or(fits)
            && (self.selector.as_ref()).is_none_or(|selector| selector.matches(&content.headers))
    }

    /// Filters with the same text match the same messages. No subtopic holds the separator.
    fn key(&self) -> Box<str> {
        let subtopic = self.subtopic.as_ref().map(ToString::to_string);
        let selector = self.selector.as_ref().map(ToString::to_string);
        format!(
            "{}\n{}",
            subtopic.unwrap_or_default(),
            selector.unwrap_or_default()
        )
        .into()
    }
}

/// The filters of open subscriptions: readers that want the same share one, and an app has so many at most
/// (api.md 5).
#[derive(Clone, Default)]
pub(crate) struct Filters {
    // Taken when a subscription opens and when the last one of a filter is gone, which may be under the
    // lock of its channel; nothing is called while it is held.
    open: Arc<Mutex<HashMap<AppKey, Open>>>,
}

type Open = HashMap<Box<str>, Weak<SharedFilter>>;

struct SharedFilter {
    filter: MessageFilter,
    key: Box<str>,
    app: AppKey,
    filters: Filters,
}

impl Filters {
    /// The filter for a live subscription.
    ///
    /// # Errors
    /// Those of [`MessageFilter::new`]; [`Error::TooMany`] if the app has as many different ones as it may.
    pub(crate) fn open(
        &self,
        wanted: &Wanted,
        caller: &Caller,
    ) -> Result<Option<Arc<dyn hub::Filter>>, Error> {
        let Some(filter) = MessageFilter::new(wanted, caller)? else {
            return Ok(None);
        };
        let (key, app) = (filter.key(), caller.app.key);
        let mut open = self.open.lock();
        let of_app = open.entry(app).or_default();
        if let Some(shared) = of_app.get(&key).and_then(Weak::upgrade) {
            return Ok(Some(shared));
        }
        let limit = caller.app.settings.limits.selectors;
        // One that is about to be dropped is replaced, not added.
        if of_app.len() >= limit && !of_app.contains_key(&key) {
            if of_app.is_empty() {
                open.remove(&app);
            }
            return Err(Error::TooMany {
                what: "different selectors",
                limit: limit as u64,
            });
        }
        let shared = Arc::new(SharedFilter {
            filter,
            key: key.clone(),
            app,
            filters: self.clone(),
        });
        of_app.insert(key, Arc::downgrade(&shared));
        Ok(Some(shared))
    }
}

impl hub::Filter for SharedFilter {
    fn key(&self) -> &str {
        &self.key
    }

    fn matches(&self, message: &Message) -> bool {
        self.filter.matches(message)
    }
}

impl Drop for SharedFilter {
    fn drop(&mut self) {
        let mut open = self.filters.open.lock();
        let Some(of_app) = open.get_mut(&self.app) else {
            return;
        };
        // Another may have taken the place since the last reader left.
        if of_app
            .get(&self.key)
            .is_some_and(|shared| shared.strong_count() == 0)
        {
            of_app.remove(&self.key);
        }
        if of_app.is_empty() {
            open.remove(&self.app);
        }
    }
}
