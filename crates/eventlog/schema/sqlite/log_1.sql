-- One log in one file; a second log is a second file, so no key needs a log's number here.
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    recorded_us INTEGER NOT NULL
);
CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    schema INTEGER NOT NULL,
    occurred_us INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    request BLOB NOT NULL,
    content BLOB NOT NULL,
    causation BLOB,
    correlation BLOB,
    trace TEXT NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (tenant, stream, version)
);
CREATE INDEX event_of_ticket ON event (tenant, correlation, position) WHERE correlation IS NOT NULL;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'an event is never changed');
END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'an event is never deleted');
END;
CREATE TABLE snapshot (
    name TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    length INTEGER NOT NULL
);
CREATE TABLE snapshot_chunk (
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (name, epoch, position, n)
);
