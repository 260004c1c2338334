use model::position::{Epoch, Since};
use model::settings::Window;
use model::time::UnixMillis;
use rusqlite::Connection;
use store::messages::Start;

use crate::error::JobError;
use crate::heads::ChannelHead;
use crate::log::window::{self, Bounds};

/// Where a reader of a channel that was never published to starts: at the start of whatever comes. It has an
/// epoch already where a schedule made it.
pub(super) fn of_unpublished_channel(since: Option<Since>, its: Option<Epoch>) -> Start {
    // Another position means that there was something once, which is gone.
    let gap = match since {
        Some(Since::Position { epoch, seq: 0 }) if its == Some(epoch) => false,
        Some(Since::Position { .. }) => true,
        Some(Since::Seq(seq)) => seq > 0,
        Some(Since::All | Since::Ago(_)) | None => false,
    };
    Start {
        head: None,
        after: 0,
        gap,
    }
}

/// The last seq before the first message of the channel's window that is not older than `since`.
pub(crate) fn before_time(
    connection: &Connection,
    head: &ChannelHead,
    window: Window,
    since: UnixMillis,
    now: UnixMillis,
) -> Result<u64, JobError> {
    window::before_time(connection, head, Bounds::new(window, head, now), since)
}

/// Where a reader that asks for `since` starts (api.md 3.6).
pub(super) fn resolve(
    connection: &Connection,
    head: &ChannelHead,
    window: Window,
    since: Option<Since>,
    now: UnixMillis,
) -> Result<Start, JobError> {
    let snapshot = connection.unchecked_transaction()?;
    let bounds = Bounds::new(window, head, now);
    let at = |after, gap| {
        Ok(Start {
            head: Some(head.head()),
            after,
            gap,
        })
    };
    let asked = match since {
        None => return at(head.seq, false),
        Some(Since::All) => return at(window::floor(&snapshot, head, bounds)?, false),
        Some(Since::Ago(duration)) => {
            return at(
                window::before_time(&snapshot, head, bounds, now - duration)?,
                false,
            );
        }
        Some(Since::Position { epoch, seq }) if epoch == head.epoch => seq,
        Some(Since::Position { .. }) => return at(window::floor(&snapshot, head, bounds)?, true),
        Some(Since::Seq(seq)) => seq,
    };
    if asked == head.seq {
        return at(asked, false);
    }
    let floor = window::floor(&snapshot, head, bounds)?;
    // A seq that is not there yet is of another life of the channel: what there is comes after a gap.
    match asked {
        asked if asked > head.seq || asked < floor => at(floor, true),
        asked => at(asked, false),
    }
}
