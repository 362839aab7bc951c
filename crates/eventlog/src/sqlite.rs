//! A log in a SQLite file: one process owns it and writes, others may read beside it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqlitePool};
use tokio::sync::watch;
use uuid::Uuid;

use crate::chain::GENESIS;
use crate::columns::{CHUNK_BYTES, before_body};
use crate::lease::Claim;
use crate::scan::Scan;
use crate::store::{Head, Later, Row, Select, SnapshotRow, Store, StoreError, Transaction};
use crate::{follow, keys, store};

mod scan;
mod writing;

use writing::Writing;

/// What brings a file to the present form, oldest first; `user_version` counts those carried out.
const MIGRATIONS: [&str; 3] = [
    include_str!("../schema/sqlite/log_1.sql"),
    include_str!("../schema/sqlite/log_2.sql"),
    include_str!("../schema/sqlite/log_3.sql"),
];
/// Connections that read.
const READERS: u32 = 4;
/// How long a statement waits for another's lock.
const BUSY: Duration = Duration::from_secs(10);

const HEAD: &str = "SELECT log, epoch, position, hash, recorded_us FROM head";
const RELEASE: &str = "INSERT OR REPLACE INTO release SELECT id, log, epoch FROM head";

/// `SELECT` of a row's columns, the body only if its kind is wanted (`?1`, a JSON list or null) or for another reason.
macro_rules! select {
    ($rest:literal) => {
        select!("", $rest)
    };
    ($or:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            before_body!(),
            ", CASE WHEN ?1 IS NULL OR kind IN (SELECT value FROM json_each(?1))",
            $or,
            " THEN body ELSE x'' END, hash FROM event ",
            $rest
        )
    };
}
use select;

/// A log in a SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    reads: SqlitePool,
    /// One connection, so that writers queue for it instead of for the file; none in a reader beside the owner.
    writes: Option<SqlitePool>,
    moved: watch::Sender<i64>,
    /// Locked as long as this process owns the log.
    _owner: Option<File>,
}

impl Sqlite {
    /// Opens the log as its only owner, made and migrated if need be.
    pub async fn create_or_open(path: &Path) -> Result<Self, StoreError> {
        let owner = own(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", "-65536")
            .busy_timeout(BUSY);
        let writes = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        migrate(&writes).await?;
        Self::over(path, Some(writes), Some(owner)).await
    }

    /// Opens the log for reading, beside its owner or without one.
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::over(path, None, None).await
    }

    /// Ends every connection, the writer's last: it folds the write-ahead log into the file, which then stands alone.
    pub async fn close(&self) {
        self.reads.close().await;
        if let Some(writes) = &self.writes {
            writes.close().await;
        }
    }

    async fn over(path: &Path, writes: Option<SqlitePool>, owner: Option<File>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
        let reads = SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?;
        let head: Head = sqlx::query_as(HEAD).fetch_one(&reads).await?;
        Ok(Self { reads, writes, moved: watch::Sender::new(head.position), _owner: owner })
    }

    fn writes(&self) -> Result<&SqlitePool, StoreError> {
        self.writes.as_ref().ok_or_else(|| StoreError::Unavailable("it was opened for reading only".into()))
    }
}

/// Takes the lock beside the file; it falls with the process.
fn own(path: &Path) -> Result<File, StoreError> {
    let beside = path.with_added_extension("lock");
    let unavailable = |error| StoreError::Unavailable(format!("{}: {error}", beside.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&beside).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Unavailable(format!("another process owns {}", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(unavailable(error)),
    }
}

async fn migrate(writes: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction = writes.begin_with("BEGIN IMMEDIATE").await?;
    let (version,): (i64,) = sqlx::query_as("PRAGMA user_version").fetch_one(&mut *transaction).await?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Err(StoreError::Unavailable(format!("form {version} of the file is newer than this program")));
    };
    for migration in missing {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
    }
    if done == 0 {
        sqlx::query("INSERT INTO head (id, log, epoch, position, hash, recorded_us) VALUES (1, ?1, 1, 0, ?2, 0)")
            .bind(keys::random_id()?)
            .bind(&GENESIS[..])
            .execute(&mut *transaction)
            .await?;
        sqlx::query(RELEASE).execute(&mut *transaction).await?;
    }
    let version = format!("PRAGMA user_version = {}", MIGRATIONS.len());
    sqlx::raw_sql(AssertSqlSafe(version)).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

impl Store for Sqlite {
    fn begin(&self) -> Later<'_, Box<dyn Transaction + '_>> {
        Box::pin(async {
            let mut transaction = self.writes()?.begin_with("BEGIN IMMEDIATE").await?;
            let head = sqlx::query_as(HEAD).fetch_one(&mut *transaction).await?;
            Ok(Box::new(Writing { transaction, head, moved: &self.moved }) as Box<dyn Transaction>)
        })
    }

    fn head(&self) -> Later<'_, Head> {
        Box::pin(async { Ok(sqlx::query_as(HEAD).fetch_one(&self.reads).await?) })
    }

    fn read<'a>(
        &'a self,
        select: &'a Select,
        wanted: Option<&'a [&'a str]>,
        after: i64,
        limit: i64,
    ) -> Later<'a, Vec<Row>> {
        Box::pin(async move {
            let query = match select {
                Select::All => {
                    sqlx::query_as(select!(" OR position = ?2 + 1", "WHERE position > ?2 ORDER BY position LIMIT ?3"))
                }
                Select::Stream { .. } => sqlx::query_as(select!(
                    "WHERE position > ?2 AND tenant = ?4 AND stream = ?5 ORDER BY version LIMIT ?3"
                )),
                Select::Correlation { .. } => sqlx::query_as(select!(
                    "WHERE position > ?2 AND tenant = ?4 AND correlation = ?5 ORDER BY position LIMIT ?3"
                )),
            };
            let query = query.bind(wanted.map(json_list)).bind(after).bind(limit);
            let query = match select {
                Select::All => query,
                Select::Stream { tenant, stream } => query.bind(tenant).bind(stream),
                Select::Correlation { tenant, ticket } => query.bind(tenant).bind(ticket),
            };
            Ok(query.fetch_all(&self.reads).await?)
        })
    }

    fn scan<'a>(&'a self, after: i64, to: i64, wanted: Option<&'a [&'a str]>) -> Scan<'a> {
        scan::scan(&self.reads.connect_options(), after, to, wanted)
    }

    fn find(&self, id: Uuid) -> Later<'_, Option<Row>> {
        Box::pin(async move {
            let sql = select!("WHERE id = ?2");
            Ok(sqlx::query_as(sql).bind(None::<String>).bind(id).fetch_optional(&self.reads).await?)
        })
    }

    fn adopt(&self, log: Uuid, epoch: i64) -> Later<'_, ()> {
        Box::pin(async move {
            let adopted = sqlx::query("UPDATE head SET log = ?1, epoch = ?2 WHERE position = 0")
                .bind(log)
                .bind(epoch)
                .execute(self.writes()?)
                .await?;
            store::adopted(adopted.rows_affected())
        })
    }

    fn released(&self) -> Later<'_, bool> {
        Box::pin(async {
            let query = sqlx::query_as("SELECT count(*) FROM head JOIN release USING (id, log, epoch)");
            let (released,): (i64,) = query.fetch_one(&self.reads).await?;
            Ok(released == 1)
        })
    }

    fn release(&self) -> Later<'_, ()> {
        Box::pin(async {
            sqlx::query(RELEASE).execute(self.writes()?).await?;
            Ok(())
        })
    }

    fn raise_epoch(&self) -> Later<'_, i64> {
        Box::pin(async {
            let query = sqlx::query_as("UPDATE head SET epoch = epoch + 1 RETURNING epoch");
            let (epoch,): (i64,) = query.fetch_one(self.writes()?).await?;
            Ok(epoch)
        })
    }

    fn keep(&self, snapshot: SnapshotRow) -> Later<'_, ()> {
        Box::pin(async move {
            // Each chunk in a transaction of its own, so that appends need not wait for all of them.
            for (n, chunk) in (0i64..).zip(snapshot.bytes.chunks(CHUNK_BYTES)) {
                sqlx::query(
                    "INSERT OR REPLACE INTO snapshot_chunk (name, epoch, position, n, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .bind(&snapshot.name)
                .bind(snapshot.epoch)
                .bind(snapshot.position)
                .bind(n)
                .bind(chunk)
                .execute(self.writes()?)
                .await?;
            }
            let mut transaction = self.writes()?.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query(
                "INSERT INTO snapshot (name, epoch, position, hash, length) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, position = excluded.position,
                     hash = excluded.hash, length = excluded.length
                 WHERE (snapshot.epoch, snapshot.position) <= (excluded.epoch, excluded.position)",
            )
            .bind(&snapshot.name)
            .bind(snapshot.epoch)
            .bind(snapshot.position)
            .bind(&snapshot.hash)
            .bind(i64::try_from(snapshot.bytes.len()).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
            sqlx::query("DELETE FROM snapshot_chunk WHERE name = ?1 AND (epoch, position) < (?2, ?3)")
                .bind(&snapshot.name)
                .bind(snapshot.epoch)
                .bind(snapshot.position)
                .execute(&mut *transaction)
                .await?;
            Ok(transaction.commit().await?)
        })
    }

    fn snapshot<'a>(&'a self, name: &'a str) -> Later<'a, Option<SnapshotRow>> {
        Box::pin(async move {
            let kept = sqlx::query_as("SELECT epoch, position, hash, length FROM snapshot WHERE name = ?1");
            let Some((epoch, position, hash, length)) = kept.bind(name).fetch_optional(&self.reads).await? else {
                return Ok(None);
            };
            let mut snapshot = SnapshotRow { name: name.to_owned(), position, epoch, hash, bytes: Vec::new() };
            for n in 0i64.. {
                let chunk: Option<(Vec<u8>,)> = sqlx::query_as(
                    "SELECT bytes FROM snapshot_chunk WHERE name = ?1 AND epoch = ?2 AND position = ?3 AND n = ?4",
                )
                .bind(name)
                .bind(epoch)
                .bind(position)
                .bind(n)
                .fetch_optional(&self.reads)
                .await?;
                let Some((chunk,)) = chunk else { break };
                snapshot.bytes.extend_from_slice(&chunk);
            }
            Ok(snapshot.whole(length))
        })
    }

    fn snapshots(&self) -> Later<'_, Vec<String>> {
        Box::pin(async {
            let names: Vec<(String,)> = sqlx::query_as("SELECT name FROM snapshot").fetch_all(&self.reads).await?;
            Ok(names.into_iter().map(|(name,)| name).collect())
        })
    }

    fn forget<'a>(&'a self, name: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.writes()?.begin_with("BEGIN IMMEDIATE").await?;
            for sql in ["DELETE FROM snapshot WHERE name = ?1", "DELETE FROM snapshot_chunk WHERE name = ?1"] {
                sqlx::query(sql).bind(name).execute(&mut *transaction).await?;
            }
            Ok(transaction.commit().await?)
        })
    }

    fn lease<'a>(&'a self, claim: &'a Claim) -> Later<'a, bool> {
        Box::pin(async move {
            let held = sqlx::query(
                "INSERT INTO lease (name, holder, until_us)
                 VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + ?3)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us
                 WHERE lease.holder = excluded.holder
                     OR lease.until_us <= CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
            )
            .bind(&claim.name)
            .bind(claim.holder)
            .bind(claim.lasts_us)
            .execute(self.writes()?)
            .await?;
            Ok(held.rows_affected() == 1)
        })
    }

    fn moved(&self, position: i64) -> Later<'_, ()> {
        Box::pin(follow::moved(self.moved.subscribe(), move |head| *head > position))
    }
}

/// Names as JSON, for `json_each`.
fn json_list(names: &[&str]) -> String {
    names.iter().copied().collect::<serde_json::Value>().to_string()
}
