-- One row of a fixed size per subject, appended in the order of first use and overwritten in its place: SQLite never
-- moves a key, so no page keeps a stale copy of one.
CREATE TABLE vault (id INTEGER PRIMARY KEY CHECK (id = 1), secret BLOB NOT NULL, erasures INTEGER NOT NULL);
CREATE TABLE subject (
    n INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    subject BLOB NOT NULL,
    key BLOB NOT NULL CHECK (length(key) = 32),
    destroyed INTEGER NOT NULL
);
CREATE UNIQUE INDEX subject_of ON subject (tenant, subject);
