-- An inbox message as it was imported is one text: what is only shown need not be taken apart for each
-- answer. What filters, sorts and changes keeps its columns, in front.
CREATE TABLE inbox_documents (
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
    document      TEXT    NOT NULL  -- a JSON object, the fields of an import in the contract's order
) STRICT;
-- The patch leaves out what is null.
INSERT INTO inbox_documents (rowid, app, id, uid, state, prio, created_at, expires_at, clients, read, changed,
                             claim, claimed_until, document)
SELECT rowid, app, id, uid, state, prio, created_at, expires_at, clients, read, changed, claim, claimed_until,
       json_patch('{}', json_object(
           'id', id, 'uid', uid, 'vid', vid, 'created', created, 'expires', expires, 'title', title,
           'lead', lead, 'body', body, 'url', url, 'img', img,
           'clients', json('["' || replace(clients, ',', '","') || '"]'), 'type', kind, 'prio', prio))
FROM inbox;
DROP TABLE inbox;
ALTER TABLE inbox_documents RENAME TO inbox;
CREATE UNIQUE INDEX inbox_id ON inbox (app, id);
-- A list goes through a user's rows best first, and ends where no better one can follow.
CREATE INDEX inbox_uid ON inbox (app, uid, prio DESC);
-- What waits for the sync, what is not claimed first.
CREATE INDEX inbox_deleted ON inbox (app, claimed_until) WHERE state = 1;
