//! What the database itself allows: to a service's login, to one that asks in SQL, to an owner who is no superuser.

use std::sync::Arc;

use eventlog::verify::verify;
use eventlog::{Keys, Log, Postgres};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::place::{Place, append, written};
use crate::{appending, contending, erasing, leasing, snapshotting};

/// A login in this database, gone with the test.
struct Login {
    admin: String,
    name: String,
    place: Place,
}

impl Login {
    /// A login of its own in a group, at an address like `url`.
    async fn new(url: &str, group: &str) -> Self {
        let name = format!("test_{}", Uuid::from_u128(random()).simple());
        let login = format!("CREATE ROLE {name} LOGIN PASSWORD 'x' {group}");
        execute(url, &login).await.unwrap();
        let (server, database) = url.rsplit_once('@').unwrap().1.rsplit_once('/').unwrap();
        Self { admin: url.to_owned(), place: Place::Postgres(format!("postgres://{name}:x@{server}/{database}")), name }
    }

    fn url(&self) -> &str {
        url(&self.place)
    }

    async fn gone(self) {
        execute(&self.admin, &format!("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", self.name)).await.unwrap();
    }
}

fn random() -> u128 {
    let bytes = tempfile::TempDir::new().unwrap().path().display().to_string();
    Uuid::new_v5(&Uuid::from_u128(std::process::id().into()), bytes.as_bytes()).as_u128()
}

fn url(place: &Place) -> &str {
    let Place::Postgres(url) = place else { panic!("not in PostgreSQL") };
    url
}

async fn execute(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(&url.parse::<PgConnectOptions>()?).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map(drop)
}

async fn count(url: &str, sql: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    count
}

/// A case of the suites of all stores, run by a service's login.
macro_rules! as_a_service {
    ($($case:ident: $run:path),+ $(,)?) => {
        mod service {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let Some(place) = Place::postgres().await else { return };
                let login = Login::new(url(&place), "IN ROLE docket_service").await;
                $run(&login.place).await;
                login.gone().await;
            })+
        }
    };
}

as_a_service!(
    appends: appending::many_appenders_lose_nothing,
    competes: contending::logs_that_know_nothing_of_each_other_answer_exactly,
    reacts_by_its_lease: leasing::two_replicas_react_once,
    keeps_snapshots: snapshotting::a_newer_one_replaces_an_older_and_not_the_other_way_round,
    seals_and_erases: erasing::what_is_erased_stays_erased,
);

#[tokio::test]
async fn a_service_changes_and_takes_away_nothing() {
    let Some(place) = Place::postgres().await else { return };
    written(place.log().await.append(append(1, &["ticket/a"])).await.unwrap());
    let login = Login::new(url(&place), "IN ROLE docket_service").await;
    for sql in [
        "UPDATE docket.event SET actor = 'user/eve'",
        "DELETE FROM docket.event",
        "TRUNCATE docket.event",
        "ALTER TABLE docket.event DISABLE TRIGGER ALL",
        "DROP TRIGGER event_is_never_changed ON docket.event",
        "DROP TABLE docket.event",
        "UPDATE docket.head SET epoch = epoch + 1",
        "DELETE FROM docket.head",
        "INSERT INTO docket.release VALUES (2, gen_random_uuid(), 1)",
        "UPDATE docket.release SET epoch = 9",
        "INSERT INTO docket.reader VALUES (current_user, 'acme')",
        "CREATE TABLE docket.own (n BIGINT)",
        "DELETE FROM docket_keys.subject",
        "UPDATE docket_keys.vault SET secret = ''",
    ] {
        let refused = execute(login.url(), sql).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{sql}: {refused}");
    }
    let own = Log::open(Arc::new(Postgres::open(login.url()).await.unwrap()), place.keys().await);
    assert!(own.released().await.unwrap());
    own.release().await.unwrap_err();
    own.raise_epoch().await.unwrap_err();
    assert_eq!(verify(&own).await.unwrap().head.position, 1);
    drop(own);
    login.gone().await;
}

/// Whoever owns the table may not change it either, without taking the trigger away.
#[tokio::test]
async fn its_owner_does_not_change_an_event_by_mistake() {
    let Some(place) = Place::postgres().await else { return };
    written(place.log().await.append(append(1, &["ticket/a"])).await.unwrap());
    for sql in ["UPDATE docket.event SET actor = ''", "DELETE FROM docket.event", "TRUNCATE docket.event"] {
        let refused = execute(url(&place), sql).await.unwrap_err().to_string();
        assert!(refused.contains("an event is never changed or deleted"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn who_asks_in_sql_sees_the_own_tenant_alone() {
    let Some(place) = Place::postgres().await else { return };
    let log = place.log().await;
    for (request, tenant) in [(1, "acme"), (2, "other"), (3, "other"), (4, "third")] {
        let mut append = append(request, &["ticket/a"]);
        append.tenant = decider::Tenant::new(tenant);
        written(log.append(append).await.unwrap());
    }
    let login = Login::new(url(&place), "IN ROLE docket_query").await;
    let events = "SELECT count(*) FROM docket.event";
    assert_eq!(count(login.url(), events).await, 0, "nobody's, before it is given one");
    let given = format!("INSERT INTO docket.reader VALUES ('{}', 'other')", login.name);
    execute(url(&place), &given).await.unwrap();
    assert_eq!(count(login.url(), events).await, 2);
    assert_eq!(count(login.url(), "SELECT count(*) FROM docket.event WHERE tenant <> 'other'").await, 0);
    for sql in [
        "SELECT count(*) FROM docket.head",
        "SELECT count(*) FROM docket.snapshot_chunk",
        "SELECT count(*) FROM docket.reader",
        "SELECT count(*) FROM docket_keys.subject",
        "SELECT count(*) FROM docket_keys.vault",
        "DELETE FROM docket.event",
        "INSERT INTO docket.event SELECT * FROM docket.event",
        "INSERT INTO docket.reader VALUES (current_user, 'acme')",
        "SET row_security = off; SELECT count(*) FROM docket.event",
        "SET ROLE docket_service",
    ] {
        let refused = execute(login.url(), sql).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied") || refused.contains("row-level security"), "{sql}: {refused}");
    }
    let forced = "SELECT count(*) FROM pg_class WHERE oid = 'docket.event'::regclass AND relforcerowsecurity";
    assert_eq!(count(url(&place), forced).await, 1);
    login.gone().await;
}

/// The database of somebody who is no superuser and may make no roles: it is enough that the groups are there.
#[tokio::test]
async fn an_owner_without_further_rights_migrates_and_writes() {
    let Some(place) = Place::postgres().await else { return };
    let login = Login::new(url(&place), "").await;
    let drop = format!(
        "DROP SCHEMA docket CASCADE; DROP SCHEMA docket_keys CASCADE; GRANT ALL ON DATABASE {} TO {}",
        url(&place).rsplit_once('/').unwrap().1,
        login.name
    );
    execute(url(&place), &drop).await.unwrap();
    Postgres::migrate(login.url()).await.unwrap();
    Keys::migrate_postgres(login.url()).await.unwrap();
    appending::many_appenders_lose_nothing(&login.place).await;
    let refused = execute(login.url(), "UPDATE docket.event SET actor = ''").await.unwrap_err().to_string();
    assert!(refused.contains("an event is never changed or deleted"), "{refused}");
    login.gone().await;
}
