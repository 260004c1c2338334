-- Ids ascend as the log does, so that a message is found by its id without an index. A message of a schedule
-- has the older id of the schedule: it is indexed, and `place` says what its id would have to ascend from.
ALTER TABLE log ADD COLUMN place BLOB; -- the last UUIDv7 that was minted before; NULL: the id is in order
UPDATE log SET place = coalesce(ordered.place, log.id)
FROM (SELECT row, id, occurrence, max(id) OVER (ORDER BY row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS place
      FROM log) AS ordered
WHERE log.row = ordered.row AND (ordered.occurrence IS NOT NULL OR ordered.id <= ordered.place);
DROP INDEX log_id;
CREATE INDEX log_placed ON log (id) WHERE place IS NOT NULL;
