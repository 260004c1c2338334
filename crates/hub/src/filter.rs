use model::message::Message;

/// Which messages of a channel a reader wants. Readers whose filters have the same key share one group,
/// whose match is computed once a message.
pub trait Filter: Send + Sync + 'static {
    /// The canonical text of the filter: two filters with the same key must match the same messages.
    fn key(&self) -> &str;

    /// Whether the reader gets this message. Runs under the channel's lock: quick, and no I/O.
    fn matches(&self, message: &Message) -> bool;
}
