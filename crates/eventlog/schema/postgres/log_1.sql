-- Logs in one database, each with its number in every key, so that tenants' logs can be split later.
CREATE TABLE docket.head (
    log_id BIGINT PRIMARY KEY,
    log UUID NOT NULL UNIQUE,
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    recorded_us BIGINT NOT NULL
);
CREATE TABLE docket.event (
    log_id BIGINT NOT NULL REFERENCES docket.head,
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    tenant TEXT NOT NULL,
    stream TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    schema BIGINT NOT NULL,
    occurred_us BIGINT NOT NULL,
    recorded_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    request UUID NOT NULL,
    content BYTEA NOT NULL,
    causation UUID,
    correlation UUID,
    trace TEXT NOT NULL,
    body BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (log_id, position),
    UNIQUE (log_id, id),
    UNIQUE (log_id, tenant, stream, version)
);
CREATE INDEX event_of_ticket ON docket.event (log_id, tenant, correlation, position) WHERE correlation IS NOT NULL;
CREATE FUNCTION docket.refuse() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an event is never changed or deleted';
END
$$;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON docket.event
FOR EACH STATEMENT EXECUTE FUNCTION docket.refuse();
CREATE TABLE docket.snapshot (
    log_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    length BIGINT NOT NULL,
    PRIMARY KEY (log_id, name)
);
CREATE TABLE docket.snapshot_chunk (
    log_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    n BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (log_id, name, epoch, position, n)
);
