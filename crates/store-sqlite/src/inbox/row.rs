use model::inbox::{Clients, InboxId, InboxMessage, InboxState};
use model::json::JsonText;
use model::time::UnixMillis;
use rusqlite::Row;

use crate::error::{JobError, corrupt};

/// The columns that [`message`] reads, in its order.
macro_rules! columns {
    () => {
        "id, uid, state, prio, created_at, expires_at, clients, read, document"
    };
}

/// Where some of them stand.
pub(super) const ID: usize = 0;
pub(super) const PRIO: usize = 3;
pub(super) const CREATED_AT: usize = 4;
pub(super) const CLIENTS: usize = 6;

/// Selects for [`message`] the rows that a user of an app is shown at a time, higher `prio` first: those for a
/// client, and those for one whose name contains its name. The index tells which these are.
pub(super) const SELECT_SHOWN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM inbox WHERE app = ?1 AND uid = ?2 AND state = 0 AND created_at <= ?3 AND expires_at > ?3
    AND instr(clients, ?4) > 0 ORDER BY prio DESC"
);

/// Selects for [`message`] the row of this app and id.
pub(super) const SELECT_BY_ID: &str =
    concat!("SELECT ", columns!(), " FROM inbox WHERE app = ?1 AND id = ?2");

/// Selects for [`message`] the row with this number.
pub(super) const SELECT_BY_ROWID: &str = concat!("SELECT ", columns!(), " FROM inbox WHERE rowid = ?1");

/// The message in a row that one of the statements above selected.
pub(super) fn message(row: &Row<'_>) -> Result<InboxMessage, JobError> {
    let id = InboxId::from_stored(text(row, ID)?);
    let state = match row.get(2)? {
        0 => InboxState::Imported,
        1 => InboxState::Deleted,
        2 => InboxState::Synced,
        3 => InboxState::Retracted,
        found => {
            let reason = format!("expected a state from 0 to 3, found {found}");
            return Err(corrupt("inbox", id, reason).into());
        }
    };
    Ok(InboxMessage {
        id,
        uid: row.get(1)?,
        created_at: UnixMillis(row.get(CREATED_AT)?),
        expires_at: UnixMillis(row.get(5)?),
        clients: Clients::from_stored(text(row, CLIENTS)?),
        prio: row.get(PRIO)?,
        state,
        read: row.get(7)?,
        document: JsonText::from_checked(text(row, 8)?),
    })
}

/// A text column, without a copy.
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, JobError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// The state as the table keeps it.
pub(super) fn state_number(state: InboxState) -> i64 {
    match state {
        InboxState::Imported => 0,
        InboxState::Deleted => 1,
        InboxState::Synced => 2,
        InboxState::Retracted => 3,
    }
}
