-- Which history effects may be carried out for: outside the log, so that a copy of the log does not bring it along.
CREATE TABLE docket.release (
    log_id BIGINT PRIMARY KEY,
    log UUID NOT NULL,
    epoch BIGINT NOT NULL
);
INSERT INTO docket.release SELECT log_id, log, epoch FROM docket.head;

-- Whoever appends holds the head's lock: looking the log up again for every row would prove nothing more.
ALTER TABLE docket.event DROP CONSTRAINT event_log_id_fkey;

-- Services read every tenant's events, add to them, and move the head; never the log's identity or epoch.
GRANT USAGE ON SCHEMA docket TO docket_service, docket_query;
GRANT SELECT ON docket.migration, docket.head, docket.release, docket.event TO docket_service;
GRANT INSERT ON docket.event TO docket_service;
GRANT UPDATE (position, hash, recorded_us) ON docket.head TO docket_service;
GRANT SELECT, INSERT, UPDATE ON docket.lease TO docket_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON docket.snapshot, docket.snapshot_chunk TO docket_service;

-- Whoever asks in SQL reads the events of the tenants their login was given here, and nothing else. What a session may
-- set for itself would bind nobody, so it is the login that counts: INSERT INTO docket.reader VALUES ('ann', 'acme').
CREATE TABLE docket.reader (
    login NAME NOT NULL,
    tenant TEXT NOT NULL,
    PRIMARY KEY (login, tenant)
);
CREATE FUNCTION docket.readable() RETURNS SETOF TEXT LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'SELECT tenant FROM docket.reader WHERE login = session_user';
REVOKE ALL ON FUNCTION docket.readable FROM PUBLIC;
GRANT EXECUTE ON FUNCTION docket.readable TO docket_query;
GRANT SELECT ON docket.event TO docket_query;
ALTER TABLE docket.event ENABLE ROW LEVEL SECURITY;
ALTER TABLE docket.event FORCE ROW LEVEL SECURITY;
CREATE POLICY every_tenant ON docket.event TO docket_service, CURRENT_USER USING (TRUE) WITH CHECK (TRUE);
CREATE POLICY own_tenants ON docket.event FOR SELECT TO docket_query
USING (tenant IN (SELECT docket.readable()));
