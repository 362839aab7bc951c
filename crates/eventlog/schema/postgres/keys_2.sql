-- Services make, read and destroy keys; whoever asks in SQL has none of them.
GRANT USAGE ON SCHEMA docket_keys TO docket_service;
GRANT SELECT ON docket_keys.vault, docket_keys.subject TO docket_service;
GRANT UPDATE (erasures) ON docket_keys.vault TO docket_service;
GRANT INSERT ON docket_keys.subject TO docket_service;
GRANT UPDATE (key, destroyed) ON docket_keys.subject TO docket_service;
