-- Subscriptions that are polled: durable cursors over channels, which need not be there.
CREATE TABLE subscriptions (
    row      INTEGER PRIMARY KEY AUTOINCREMENT, -- ascending, never used again: see deleted_subscriptions
    app      INTEGER NOT NULL,
    id       BLOB    NOT NULL, -- UUID
    channel  TEXT    NOT NULL,
    owner    TEXT    NOT NULL,
    selector TEXT,
    subtopic TEXT,
    epoch    INTEGER,          -- as it is told; NULL: before the first publish
    seq      INTEGER NOT NULL, -- the last one that was handed out
    expires  INTEGER NOT NULL  -- Unix milliseconds
) STRICT;
CREATE UNIQUE INDEX subscriptions_id ON subscriptions (app, id);
CREATE INDEX subscriptions_channel ON subscriptions (app, channel);
CREATE INDEX subscriptions_expires ON subscriptions (expires);

-- Channels that were deleted with subscriptions: those up to this row are gone, and removed bit by bit.
CREATE TABLE deleted_subscriptions (
    app     INTEGER NOT NULL,
    channel TEXT    NOT NULL,
    up_to   INTEGER NOT NULL, -- row of subscriptions
    PRIMARY KEY (app, channel)
) STRICT;
