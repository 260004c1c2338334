use std::sync::Arc;

use crate::entry::Entry;
use crate::signal::SubscriptionId;

/// A client's socket, for a message that finds its reader up to date: whoever publishes writes it there
/// and then, and the connection's task sleeps on. Set by [`crate::Connection::set_outlet`].
pub trait Outlet: Send + Sync {
    /// Writes a message, as far as that is possible without waiting. The connection's task must not
    /// write meanwhile, nor may this between a [`crate::Connection::position`] and the telling of it.
    /// A subscription that was dropped a moment ago may still be named: refuse that.
    fn offer(&self, subscription: SubscriptionId, entry: &Arc<Entry>) -> Offered;
}

/// What became of a message that an [`Outlet`] was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is written.
    Written,
    /// Its first bytes are written. The connection's task is woken and must write the others before
    /// anything else.
    Begun,
    /// Nothing is written. The connection's task is woken and reads the message.
    Refused,
}
