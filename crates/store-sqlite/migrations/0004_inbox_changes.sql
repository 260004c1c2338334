-- What cleanups have removed of an app's inbox: a reader that does not know all of it cannot be told any
-- more what went.
CREATE TABLE inbox_removed (
    app        INTEGER PRIMARY KEY,
    changed    INTEGER NOT NULL, -- the highest commit number of a row that was no longer imported
    expired_at INTEGER NOT NULL  -- the latest expiry of one that was, Unix milliseconds
) STRICT;
