use model::app::AppKey;
use model::schedule::due::Due;
use model::schedule::{Timing, TimingFields};
use model::time::UnixMillis;
use rusqlite::{Connection, Row, params};
use store::schedules::{LastOccurrence, Occurrence};
use uuid::Uuid;

use crate::error::{JobError, corrupt};

/// The due times of a schedule that have passed, in their order. Runs of skipped ones are spelled out.
pub(super) fn list(
    connection: &Connection,
    app: AppKey,
    id: Uuid,
    after: u64,
    limit: usize,
) -> Result<Vec<Occurrence>, JobError> {
    let mut statement = connection.prepare_cached(
        "SELECT o.n, o.due, o.published_at, o.seq, o.count, o.repeat_every, o.repeat_cron, o.timezone
         FROM occurrences o JOIN schedules s ON s.schedule = o.schedule
         WHERE s.app = ?1 AND s.id = ?2 AND o.n + o.count - 1 > ?3 ORDER BY o.n LIMIT ?4",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![
        app.0,
        id.as_bytes().as_slice(),
        after,
        i64::try_from(limit).unwrap_or(i64::MAX)
    ])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(columns) = rows.next()?
    {
        let first = Due {
            n: columns.get::<_, i64>(0)? as u64,
            at: UnixMillis(columns.get(1)?),
        };
        match (
            columns.get::<_, Option<i64>>(2)?,
            columns.get::<_, Option<i64>>(3)?,
        ) {
            (Some(at), Some(seq)) => found.push(Occurrence {
                due: first,
                published: Some(LastOccurrence {
                    seq: seq as u64,
                    published_at: UnixMillis(at),
                }),
            }),
            _ => spell_out(columns, first, after as u64, limit - found.len(), &mut found)?,
        }
    }
    Ok(found)
}

/// The due times of a run of skipped ones after number `after`.
fn spell_out(
    columns: &Row<'_>,
    first: Due,
    after: u64,
    limit: usize,
    found: &mut Vec<Occurrence>,
) -> Result<(), JobError> {
    let count = columns.get::<_, i64>(4)? as u64;
    let fields = TimingFields {
        repeat_every: columns.get(5)?,
        repeat_cron: columns.get(6)?,
        timezone: columns.get(7)?,
        ..TimingFields::default()
    };
    let timing = Timing::restore(&fields).map_err(|error| corrupt("occurrences", first.n, error))?;
    let passed = (after + 1).saturating_sub(first.n);
    let left = count.saturating_sub(passed).min(limit as u64);
    let skipped = timing
        .upcoming(timing.skip(first, passed))
        .take(usize::try_from(left).unwrap_or(limit));
    found.extend(skipped.map(|due| Occurrence { due, published: None }));
    Ok(())
}
