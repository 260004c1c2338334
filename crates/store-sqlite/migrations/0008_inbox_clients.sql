-- Whether a message is for a client is told by the index: the rows of others are not looked up, each of which
-- lies on another page.
DROP INDEX inbox_uid;
CREATE INDEX inbox_uid ON inbox (app, uid, prio DESC, clients);
