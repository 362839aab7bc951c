-- The groups a login is put into: `CREATE ROLE intake LOGIN PASSWORD '…' IN ROLE docket_service`. Roles belong to the
-- whole server, so another database's migration may have been first, or be at it this moment.
DO $$
DECLARE
    wanted TEXT;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['docket_service', 'docket_query'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE insufficient_privilege USING MESSAGE = format(
                        'role %I is missing and %I may not make it: have an administrator run CREATE ROLE %I NOLOGIN',
                        wanted, current_user, wanted);
            END;
        END IF;
    END LOOP;
END
$$;
