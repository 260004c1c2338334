//! Channels: publishing, reading, administering (api.md 3).

/// Cancelling what waits.
pub mod cancel;
/// The list of channels, and deleting one.
pub mod channels;
/// Editing what waits.
pub mod edit;
/// Pages of history.
pub mod history;
/// The due times of a schedule that have passed.
pub mod occurrences;
/// Being connected to a channel, and commands.
pub mod presence;
/// Publishing a message.
pub mod publish;
/// The list of schedules.
pub mod scheduled;
/// What became of a message.
pub mod status;
/// Live streams.
pub mod subscribe;

use hub::Filter;

use crate::access::caller::Caller;
use crate::error::Error;

/// Which messages a reader asks for, beside the channel.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// `selector`: a condition over the headers.
    pub selector: Option<String>,
    /// `subtopic`: a pattern over subtopics.
    pub subtopic: Option<String>,
}

impl Wanted {
    /// The filter that the request and the caller's token ask for. There are none yet, and what is asked
    /// for is never ignored.
    fn filter(&self, caller: &Caller) -> Result<Option<std::sync::Arc<dyn Filter>>, Error> {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if given(&self.selector) || given(&caller.selector) {
            return Err(Error::NotBuilt {
                what: "filtering by a selector",
            });
        }
        if given(&self.subtopic) {
            return Err(Error::NotBuilt {
                what: "filtering by a subtopic",
            });
        }
        Ok(None)
    }
}
