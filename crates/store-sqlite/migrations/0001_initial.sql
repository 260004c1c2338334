-- Counters of the whole store.
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO meta (name, value) VALUES
    ('access_version', 1), -- grows with every change of an app or a key
    ('epoch_salt', 0),     -- mixed into every channel's epoch; changed by a restore
    ('heads_row', 0);      -- up to this log row the table `channels` says where channels stand

CREATE TABLE apps (
    app      INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL,
    settings TEXT NOT NULL, -- JSON
    created  INTEGER NOT NULL,
    deleted  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX apps_id ON apps (id) WHERE deleted = 0;

CREATE TABLE keys (
    app     INTEGER NOT NULL,
    id      TEXT NOT NULL,
    name    TEXT NOT NULL,
    digest  BLOB NOT NULL,
    scopes  TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    PRIMARY KEY (app, id)
) STRICT;
CREATE UNIQUE INDEX keys_digest ON keys (app, digest);

-- Where channels stand. Lags behind the log; the rows after meta.heads_row say the rest.
CREATE TABLE channels (
    channel      INTEGER PRIMARY KEY AUTOINCREMENT,
    app          INTEGER NOT NULL,
    name         TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    seq          INTEGER NOT NULL, -- of the last message
    row          INTEGER NOT NULL, -- of the last message in the log; 0: none
    published_at INTEGER,          -- of the last message
    deleted      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX channels_name ON channels (app, name) WHERE deleted = 0;
CREATE INDEX channels_deleted ON channels (channel) WHERE deleted = 1;

-- The log of all channels in commit order: append-only by row. A channel is a chain over `previous`.
CREATE TABLE log (
    row                INTEGER PRIMARY KEY,
    channel            INTEGER NOT NULL,
    seq                INTEGER NOT NULL,
    previous           INTEGER NOT NULL, -- row of the channel's previous message; 0: none
    published_at       INTEGER NOT NULL,
    id                 BLOB NOT NULL,    -- UUIDv7
    occurrence         INTEGER,          -- of a repetition
    kind               INTEGER NOT NULL DEFAULT 0, -- 0: a message
    expires_at         INTEGER,
    principal          TEXT NOT NULL,
    publisher_id       TEXT,
    subtopic           TEXT,
    policy             TEXT,
    headers            TEXT,             -- JSON object of strings
    echo               TEXT,             -- JSON object of the fields that are only echoed
    payload            TEXT NOT NULL     -- JSON
) STRICT;
CREATE INDEX log_id ON log (id);

-- Every 64th message of a channel: where to enter its chain.
CREATE TABLE anchors (
    channel      INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    row          INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (channel, seq)
) STRICT, WITHOUT ROWID;

-- Idempotency keys of the last 24 hours, in the order they came.
CREATE TABLE idempotency (
    row  INTEGER PRIMARY KEY,
    app  INTEGER NOT NULL,
    key  BLOB NOT NULL,
    body BLOB NOT NULL,
    id   BLOB NOT NULL, -- of the message that was answered
    at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idempotency_key ON idempotency (app, key);
