-- Schedules: where they stand. Narrow, since it is written at every occurrence.
CREATE TABLE schedules (
    schedule          INTEGER PRIMARY KEY,
    app               INTEGER NOT NULL,
    id                BLOB    NOT NULL, -- UUIDv7
    channel           INTEGER NOT NULL, -- the incarnation: with it the schedule ends
    name              TEXT    NOT NULL, -- of the channel
    principal         TEXT    NOT NULL,
    roles             TEXT,             -- of a user at publishing: JSON array
    state             INTEGER NOT NULL DEFAULT 0, -- 0 waiting, 1 published, 2 cancelled, 3 failed
    next_at           INTEGER,          -- the due time that comes next; only while it waits
    next_n            INTEGER NOT NULL, -- its number
    publish_at        INTEGER,          -- this and the following: as published, 0 is absent
    repeat_every      INTEGER,
    repeat_expires_at INTEGER,
    repeat_cron       TEXT,
    timezone          TEXT,
    repeat_times      INTEGER,
    occurrences       INTEGER NOT NULL DEFAULT 0,
    skipped           INTEGER NOT NULL DEFAULT 0,
    last_seq          INTEGER,          -- of the last occurrence
    last_at           INTEGER,          -- when it was published
    revision          INTEGER NOT NULL DEFAULT 0,
    remove_at         INTEGER,          -- from when on it is forgotten; once it has ended
    reason            TEXT              -- why it failed
) STRICT;
CREATE UNIQUE INDEX schedules_id ON schedules (app, id);
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX schedules_principal ON schedules (app, principal, id);
CREATE INDEX schedules_channel ON schedules (app, name, id);
CREATE INDEX schedules_waiting ON schedules (channel) WHERE next_at IS NOT NULL;
CREATE INDEX schedules_ended ON schedules (remove_at) WHERE remove_at IS NOT NULL;

-- What schedules publish.
CREATE TABLE schedule_contents (
    schedule     INTEGER PRIMARY KEY,
    publisher_id TEXT,
    subtopic     TEXT,
    policy       TEXT,
    headers      TEXT, -- JSON object of strings
    echo         TEXT, -- JSON object of the fields that are only echoed
    payload      TEXT NOT NULL -- JSON
) STRICT;

-- Due times that have passed. A row without `published_at` stands for `count` due times in a row that were
-- skipped; they follow each other by the rule in its last columns.
CREATE TABLE occurrences (
    schedule     INTEGER NOT NULL,
    n            INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    published_at INTEGER,
    seq          INTEGER,
    count        INTEGER NOT NULL DEFAULT 1,
    repeat_every INTEGER,
    repeat_cron  TEXT,
    timezone     TEXT,
    PRIMARY KEY (schedule, n)
) STRICT, WITHOUT ROWID;

-- How many schedules of an app wait.
CREATE TABLE schedule_counts (app INTEGER PRIMARY KEY, waiting INTEGER NOT NULL) STRICT;
