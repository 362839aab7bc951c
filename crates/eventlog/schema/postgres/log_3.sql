-- Which history effects may be carried out for: outside the log, so that a copy of the log does not bring it along.
CREATE TABLE docket.release (
    log_id BIGINT PRIMARY KEY,
    log UUID NOT NULL,
    epoch BIGINT NOT NULL
);
INSERT INTO docket.release SELECT log_id, log, epoch FROM docket.head;

-- Whoever appends holds the head's lock: looking the log up again for every row would prove nothing more.
ALTER TABLE docket.event DROP CONSTRAINT event_log_id_fkey;

-- Appends rows after a head, in one transaction of one statement, if the log still ends there and no named stream is at
-- another version, no absent id stored. Answers where the log then ends, whether it wrote or another was first; no row
-- if it was refuted. Without rows to append it checks what was supposed, wherever the log ends. The check needs no lock:
-- it sees at least what the caller saw, and if the log still ends there when the head is moved, nothing came since.
CREATE FUNCTION docket.append(
    of_log BIGINT, at_epoch BIGINT, at_position BIGINT, at_hash BYTEA,
    named_tenants TEXT[], named_streams TEXT[], named_versions BIGINT[], absent UUID[],
    positions BIGINT[], ids UUID[], tenants TEXT[], streams TEXT[], versions BIGINT[], kinds TEXT[], schemas BIGINT[],
    occurred BIGINT[], recorded BIGINT[], actors TEXT[], requests UUID[], contents BYTEA[], causations UUID[],
    correlations UUID[], traces TEXT[], bodies BYTEA[], hashes BYTEA[]
) RETURNS SETOF docket.head LANGUAGE plpgsql AS $$
DECLARE
    rows_given INT := cardinality(positions);
    refuted BOOLEAN := EXISTS (
        SELECT FROM unnest(named_tenants, named_streams, named_versions) q (tenant, stream, version)
        WHERE q.version IS DISTINCT FROM coalesce(
            (SELECT e.version FROM docket.event e
             WHERE e.log_id = of_log AND e.tenant = q.tenant AND e.stream = q.stream
             ORDER BY e.version DESC LIMIT 1), 0)
    ) OR EXISTS (
        SELECT FROM unnest(absent) q (id)
        WHERE EXISTS (SELECT FROM docket.event e WHERE e.log_id = of_log AND e.id = q.id)
    );
BEGIN
    IF rows_given > 0 AND NOT refuted THEN
        RETURN QUERY UPDATE docket.head h
        SET position = positions[rows_given], hash = hashes[rows_given], recorded_us = recorded[rows_given]
        WHERE h.log_id = of_log AND h.epoch = at_epoch AND h.position = at_position AND h.hash = at_hash
        RETURNING h.*;
        IF FOUND THEN
            INSERT INTO docket.event (log_id, position, id, tenant, stream, version, kind, schema, occurred_us,
                recorded_us, actor, request, content, causation, correlation, trace, body, hash)
            SELECT of_log, * FROM unnest(positions, ids, tenants, streams, versions, kinds, schemas, occurred,
                recorded, actors, requests, contents, causations, correlations, traces, bodies, hashes);
            PERFORM pg_notify('docket_log', concat_ws(
                ' ', positions[rows_given], at_epoch, recorded[rows_given], encode(hashes[rows_given], 'hex')));
            RETURN;
        END IF;
    END IF;
    -- What was supposed of a log that went on is worth nothing: then only where it ends is told.
    RETURN QUERY SELECT h.* FROM docket.head h
    WHERE h.log_id = of_log AND NOT (refuted
        AND (rows_given = 0 OR (h.epoch, h.position, h.hash) = (at_epoch, at_position, at_hash)));
END
$$;

-- Services read every tenant's events, add to them, and move the head; never the log's identity or epoch.
REVOKE ALL ON FUNCTION docket.append FROM PUBLIC;
GRANT USAGE ON SCHEMA docket TO docket_service, docket_query;
GRANT SELECT ON docket.migration, docket.head, docket.release, docket.event TO docket_service;
GRANT INSERT ON docket.event TO docket_service;
GRANT UPDATE (position, hash, recorded_us) ON docket.head TO docket_service;
GRANT SELECT, INSERT, UPDATE ON docket.lease TO docket_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON docket.snapshot, docket.snapshot_chunk TO docket_service;
GRANT EXECUTE ON FUNCTION docket.append TO docket_service;

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
