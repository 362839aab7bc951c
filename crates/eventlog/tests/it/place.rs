//! Where a test keeps its log: in memory, in a file of its own, in a database of its own. And what it writes there.

use std::path::PathBuf;
use std::sync::Arc;

use decider::{Guards, Stream, Tenant};
use eventlog::{Append, Committed, Keys, Log, Memory, NewEvent, Postgres, Row, Sqlite, Store};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) enum Place {
    Memory(Arc<Memory>),
    Sqlite(TempDir),
    Postgres(String),
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self::Memory(Arc::new(Memory::new()))
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// A new database on the server named by `DOCKET_TEST_POSTGRES`; none if there is no server.
    #[expect(clippy::disallowed_methods, reason = "the test's only configuration")]
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(admin) = std::env::var("DOCKET_TEST_POSTGRES") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "DOCKET_TEST_POSTGRES is not set");
            eprintln!("SKIPPED: DOCKET_TEST_POSTGRES names no PostgreSQL server");
            return None;
        };
        let name = format!("docket_{}_{}", std::process::id(), TempDir::new().unwrap().path().display());
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let mut connection = sqlx::PgConnection::connect(&admin).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        let url = format!("{}/{name}", admin.rsplit_once('/').unwrap().0);
        Postgres::migrate(&url).await.unwrap();
        Keys::migrate_postgres(&url).await.unwrap();
        Some(Self::Postgres(url))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let Self::Sqlite(dir) = self else { panic!("not in files") };
        dir.path().join(name)
    }

    /// The store, opened anew.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(memory) => memory.clone(),
            Self::Sqlite(_) => Arc::new(Sqlite::create_or_open(&self.file("log.db")).await.unwrap()),
            Self::Postgres(url) => Arc::new(Postgres::open(url).await.unwrap()),
        }
    }

    pub(crate) async fn keys(&self) -> Keys {
        match self {
            Self::Memory(_) => Keys::memory(7),
            Self::Sqlite(_) => Keys::sqlite(&self.file("keys.db")).await.unwrap(),
            Self::Postgres(url) => Keys::postgres(url).await.unwrap(),
        }
    }

    pub(crate) async fn log(&self) -> Arc<Log> {
        Log::open(self.store().await, self.keys().await)
    }

    /// Runs a statement past the log, as somebody with the database's password could; none in memory.
    pub(crate) async fn raw(&self, sql: &str) -> Option<Result<(), sqlx::Error>> {
        match self {
            Self::Memory(_) => None,
            Self::Sqlite(_) => {
                let url = format!("sqlite://{}", self.file("log.db").display());
                let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
                Some(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map(drop))
            }
            Self::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                Some(
                    sqlx::raw_sql(AssertSqlSafe(format!("SET search_path = docket; {sql}")))
                        .execute(&mut connection)
                        .await
                        .map(drop),
                )
            }
        }
    }
}

pub(crate) fn acme() -> Tenant {
    Tenant::new("acme")
}

/// An append of one event to each of these streams, in a request of this number.
pub(crate) fn append(request: u128, streams: &[&str]) -> Append {
    let event = |stream: &&str| NewEvent {
        stream: Stream::stored(stream),
        kind: "Noted".into(),
        body: format!(r#"{{"n":{request}}}"#).into_bytes(),
    };
    Append {
        tenant: acme(),
        actor: "user/ann".into(),
        request: Uuid::from_u128(request),
        content: request.to_be_bytes().to_vec(),
        causation: None,
        trace: String::new(),
        now: 1_000,
        occurred_at: 900,
        holds_until: None,
        guards: Guards::new(),
        events: streams.iter().map(event).collect(),
    }
}

pub(crate) fn guarded(mut append: Append, guards: &[(&str, u64)]) -> Append {
    append.guards = guards.iter().map(|(stream, version)| (Stream::stored(stream), *version)).collect();
    append
}

pub(crate) fn written(committed: Committed) -> Vec<Row> {
    match committed {
        Committed::Written(rows) => rows,
        Committed::Repeated(rows) => panic!("repeated {rows:?}"),
    }
}

pub(crate) fn positions(rows: &[Row]) -> Vec<i64> {
    rows.iter().map(|row| row.position).collect()
}
