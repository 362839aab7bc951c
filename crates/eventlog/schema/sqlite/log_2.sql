-- Who reacts for a service, until when by this machine's clock.
CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder BLOB NOT NULL,
    until_us INTEGER NOT NULL
);
