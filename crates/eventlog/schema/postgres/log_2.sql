-- Who reacts for a service, until when by the database's clock.
CREATE TABLE docket.lease (
    log_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    holder UUID NOT NULL,
    until_us BIGINT NOT NULL,
    PRIMARY KEY (log_id, name)
);
