-- Which history effects may be carried out for: outside the log, so that a copy of the log does not bring it along.
CREATE TABLE release (id INTEGER PRIMARY KEY CHECK (id = 1), log BLOB NOT NULL, epoch INTEGER NOT NULL);
INSERT INTO release SELECT id, log, epoch FROM head;
