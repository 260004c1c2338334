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
/// Subscriptions that are polled.
pub mod polling;
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

/// Which messages a reader asks for, beside the channel; an empty text asks for all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// `selector`: a condition over the headers (api.md 3.4).
    pub selector: Option<String>,
    /// `subtopic`: a pattern over subtopics (api.md 3.5).
    pub subtopic: Option<String>,
}
