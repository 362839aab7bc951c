-- Keys of personal data, apart from the log.
CREATE SCHEMA IF NOT EXISTS docket_keys;
CREATE TABLE IF NOT EXISTS docket_keys.vault (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    secret BYTEA NOT NULL,
    erasures BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS docket_keys.subject (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT NOT NULL,
    subject UUID NOT NULL,
    key BYTEA NOT NULL CHECK (length(key) = 32),
    destroyed BIGINT NOT NULL,
    UNIQUE (tenant, subject)
);
