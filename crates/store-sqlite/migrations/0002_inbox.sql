-- The commit number of the last change of an inbox row; grows by one with every transaction slice.
INSERT INTO meta (name, value) VALUES ('inbox_changed', 0);

-- Inbox messages in all their states. What filters and sorts stands first: SQLite reads a row only up
-- to the last column that it needs, and long bodies lie on overflow pages.
CREATE TABLE inbox (
    app           INTEGER NOT NULL,
    id            TEXT    NOT NULL,
    uid           TEXT    NOT NULL,
    state         INTEGER NOT NULL, -- 0 imported, 1 deleted, 2 synced, 3 retracted
    prio          INTEGER NOT NULL,
    created_at    INTEGER NOT NULL, -- Unix milliseconds
    expires_at    INTEGER NOT NULL, -- Unix milliseconds
    clients       TEXT    NOT NULL, -- joined by commas
    read          INTEGER NOT NULL,
    changed       INTEGER NOT NULL, -- commit number of the last change
    claim         INTEGER,          -- of the sync call that may send it
    claimed_until INTEGER NOT NULL DEFAULT 0,
    kind          TEXT    NOT NULL,
    created       TEXT    NOT NULL, -- as it came
    expires       TEXT    NOT NULL, -- as it came
    vid           TEXT,
    title         TEXT,
    lead          TEXT,
    url           TEXT,
    img           TEXT,
    body          TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX inbox_id ON inbox (app, id);
CREATE INDEX inbox_uid ON inbox (app, uid);
-- What waits for the sync, what is not claimed first.
CREATE INDEX inbox_deleted ON inbox (app, claimed_until) WHERE state = 1;
