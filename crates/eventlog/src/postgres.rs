//! A log in PostgreSQL: any number of processes, one row-locked head.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::chain::GENESIS;
use crate::columns::before_body;
use crate::lease::Claim;
use crate::scan::Scan;
use crate::store::{Head, Later, Row, Select, SnapshotRow, Store, StoreError, Supposed, Transaction, Wrote};
use crate::{follow, keys, store};

pub(crate) mod connections;
mod scan;
mod snapshots;
mod writing;

use connections::Connections;
use writing::Writing;

/// What brings a database to the present form, oldest first; `docket.migration` names those carried out.
const MIGRATIONS: [&str; 3] = [
    include_str!("../schema/postgres/log_1.sql"),
    include_str!("../schema/postgres/log_2.sql"),
    include_str!("../schema/postgres/log_3.sql"),
];
/// Makes the groups of logins where they are missing.
pub(crate) const ROLES: &str = include_str!("../schema/postgres/roles.sql");
/// The number of this log among those of the database.
const LOG_ID: i64 = 1;
/// Connections of this process, and how many of them are kept at hand.
const MAX_CONNECTIONS: u32 = 10;
const AT_HAND: usize = 5;
/// Where each batch is announced, with where the log ends behind it.
const CHANNEL: &str = "docket_log";
/// How long to wait before listening again after a failure; followers poll meanwhile.
const RELISTEN: Duration = Duration::from_secs(1);
/// How long a connection is waited for, and each step of an append, whose outcome is unknown then.
const PATIENCE: Duration = Duration::from_secs(10);
/// A process that stands still while it holds the head's lock loses it; a plan made while a table was small does not
/// outlive that: neither one that reads it all, nor one that reads a whole index and sorts where another's order gives
/// the newest version first. Nothing asked here is worth compiling.
const SETTINGS: [(&str, &str); 4] =
    [("idle_in_transaction_session_timeout", "5s"), ("enable_seqscan", "off"), ("enable_sort", "off"), ("jit", "off")];

const HEAD: &str = "SELECT log, epoch, position, hash, recorded_us FROM docket.head WHERE log_id = $1";
const LOCKED_HEAD: &str =
    "SELECT log, epoch, position, hash, recorded_us FROM docket.head WHERE log_id = $1 FOR UPDATE";

/// `SELECT` of a row's columns, the body only if its kind is wanted (`$2`, a list or null) or for another reason, of the
/// log `$1`.
macro_rules! select {
    ($rest:literal) => {
        select!("", $rest)
    };
    ($or:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            before_body!(),
            ", CASE WHEN $2::text[] IS NULL OR kind = ANY($2)",
            $or,
            " THEN body ELSE ''::bytea END, hash
             FROM docket.event WHERE log_id = $1 AND ",
            $rest
        )
    };
}

/// A log in PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    connections: Connections,
    heard: watch::Sender<Head>,
    _listener: AbortOnDropHandle<()>,
}

impl Postgres {
    /// Brings the database to the present form and makes the log if there is none. Run once, by a job: not by each
    /// process that opens the log.
    pub async fn migrate(url: &str) -> Result<(), StoreError> {
        let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
        let mut transaction = pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('docket'))").execute(&mut *transaction).await?;
        sqlx::raw_sql(
            "CREATE SCHEMA IF NOT EXISTS docket;
             CREATE TABLE IF NOT EXISTS docket.migration (version BIGINT PRIMARY KEY);",
        )
        .execute(&mut *transaction)
        .await?;
        let done = usize::try_from(version(&mut transaction).await?).unwrap_or(usize::MAX);
        sqlx::raw_sql(ROLES).execute(&mut *transaction).await?;
        for (version, migration) in (1i64..).zip(MIGRATIONS).skip(done) {
            sqlx::raw_sql(migration).execute(&mut *transaction).await?;
            sqlx::query("INSERT INTO docket.migration (version) VALUES ($1)")
                .bind(version)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query(
            "WITH made AS (
                 INSERT INTO docket.head (log_id, log, epoch, position, hash, recorded_us)
                 VALUES ($1, $2, 1, 0, $3, 0) ON CONFLICT DO NOTHING RETURNING log_id, log, epoch)
             INSERT INTO docket.release SELECT * FROM made",
        )
        .bind(LOG_ID)
        .bind(keys::random_id()?)
        .bind(&GENESIS[..])
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Opens a log that was migrated to this program's form.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = url.parse::<PgConnectOptions>()?.options(SETTINGS);
        let pool = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(PATIENCE);
        let pool = pool.connect_with(options).await?;
        let found = version(&mut *pool.acquire().await?).await?;
        if usize::try_from(found) != Ok(MIGRATIONS.len()) {
            let why = format!("the database has form {found}, this program writes form {}", MIGRATIONS.len());
            return Err(StoreError::Unavailable(why));
        }
        let heard = watch::Sender::new(sqlx::query_as(HEAD).bind(LOG_ID).fetch_one(&pool).await?);
        let listener = AbortOnDropHandle::new(tokio::spawn(listen(pool.clone(), heard.clone())));
        Ok(Self { connections: Connections::of(pool, AT_HAND), heard, _listener: listener })
    }
}

async fn version(connection: &mut sqlx::PgConnection) -> Result<i64, StoreError> {
    let query = sqlx::query_as("SELECT coalesce(max(version), 0) FROM docket.migration");
    let (version,): (i64,) = query.fetch_one(connection).await?;
    Ok(version)
}

/// Tells followers of every announced batch; what is missed while the connection is down, their polling finds.
async fn listen(pool: PgPool, heard: watch::Sender<Head>) {
    let log = heard.borrow().log;
    loop {
        if let Err(error) = announce(&pool, log, &heard).await {
            tracing::warn!(%error, "not told of new events; followers poll");
        }
        tokio::time::sleep(RELISTEN).await;
    }
}

async fn announce(pool: &PgPool, log: Uuid, heard: &watch::Sender<Head>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        if let Some(head) = writing::announced(log, listener.recv().await?.payload()) {
            writing::hear(heard, head);
        }
    }
}

/// A step of an append, given up after [`PATIENCE`].
async fn patiently<T>(step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(PATIENCE, step).await.map_err(|_| StoreError::Unavailable("the database does not answer".into()))?
}

impl Store for Postgres {
    fn begin(&self) -> Later<'_, Box<dyn Transaction + '_>> {
        Box::pin(patiently(async {
            let mut transaction = self.connections.pool().begin().await?;
            let head = sqlx::query_as(LOCKED_HEAD).bind(LOG_ID).fetch_one(&mut *transaction).await?;
            Ok(Box::new(Writing { transaction, head, heard: &self.heard }) as Box<dyn Transaction>)
        }))
    }

    fn write_at<'a>(&'a self, at: &'a Head, supposed: &'a Supposed, rows: &'a [Row]) -> Later<'a, Wrote> {
        Box::pin(async move {
            let mut connection = self.connections.take().await?;
            match patiently(writing::append(&mut connection, at, supposed, rows)).await {
                Ok(wrote) => {
                    self.connections.keep(connection);
                    if wrote == Wrote::Done {
                        writing::tell(&self.heard, at, rows);
                    }
                    Ok(wrote)
                }
                // What may still be under way on it must not be waited for.
                Err(error) => {
                    drop(connection.detach());
                    Err(error)
                }
            }
        })
    }

    fn head(&self) -> Later<'_, Head> {
        Box::pin(async {
            let mut connection = self.connections.take().await?;
            let head = sqlx::query_as(HEAD).bind(LOG_ID).fetch_one(&mut *connection).await?;
            self.connections.keep(connection);
            Ok(head)
        })
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
                    sqlx::query_as(select!(" OR position = $3 + 1", "position > $3 ORDER BY position LIMIT $4"))
                }
                Select::Stream { .. } => {
                    sqlx::query_as(select!("position > $3 AND tenant = $5 AND stream = $6 ORDER BY version LIMIT $4"))
                }
                Select::Correlation { .. } => sqlx::query_as(select!(
                    "position > $3 AND tenant = $5 AND correlation = $6 ORDER BY position LIMIT $4"
                )),
            };
            let query = query.bind(LOG_ID).bind(wanted).bind(after).bind(limit);
            let query = match select {
                Select::All => query,
                Select::Stream { tenant, stream } => query.bind(tenant).bind(stream),
                Select::Correlation { tenant, ticket } => query.bind(tenant).bind(ticket),
            };
            let mut connection = self.connections.take().await?;
            let rows = query.fetch_all(&mut *connection).await?;
            self.connections.keep(connection);
            Ok(rows)
        })
    }

    fn scan<'a>(&'a self, after: i64, to: i64, wanted: Option<&'a [&'a str]>) -> Scan<'a> {
        scan::scan(&self.connections.pool().connect_options(), after, to, wanted)
    }

    fn find(&self, id: Uuid) -> Later<'_, Option<Row>> {
        Box::pin(async move {
            let query = sqlx::query_as(select!("id = $3")).bind(LOG_ID).bind(None::<Vec<String>>).bind(id);
            let mut connection = self.connections.take().await?;
            let row = query.fetch_optional(&mut *connection).await?;
            self.connections.keep(connection);
            Ok(row)
        })
    }

    fn adopt(&self, log: Uuid, epoch: i64) -> Later<'_, ()> {
        Box::pin(async move {
            let adopted = sqlx::query("UPDATE docket.head SET log = $2, epoch = $3 WHERE log_id = $1 AND position = 0")
                .bind(LOG_ID)
                .bind(log)
                .bind(epoch)
                .execute(self.connections.pool())
                .await?;
            store::adopted(adopted.rows_affected())
        })
    }

    fn released(&self) -> Later<'_, bool> {
        Box::pin(async {
            let query = sqlx::query_as(
                "SELECT count(*) FROM docket.head JOIN docket.release USING (log_id, log, epoch) WHERE log_id = $1",
            );
            let (released,): (i64,) = query.bind(LOG_ID).fetch_one(self.connections.pool()).await?;
            Ok(released == 1)
        })
    }

    fn release(&self) -> Later<'_, ()> {
        Box::pin(async {
            let query = sqlx::query(
                "INSERT INTO docket.release SELECT log_id, log, epoch FROM docket.head WHERE log_id = $1
                 ON CONFLICT (log_id) DO UPDATE SET log = excluded.log, epoch = excluded.epoch",
            );
            query.bind(LOG_ID).execute(self.connections.pool()).await?;
            Ok(())
        })
    }

    fn raise_epoch(&self) -> Later<'_, i64> {
        Box::pin(async {
            let query = sqlx::query_as("UPDATE docket.head SET epoch = epoch + 1 WHERE log_id = $1 RETURNING epoch");
            let (epoch,): (i64,) = query.bind(LOG_ID).fetch_one(self.connections.pool()).await?;
            Ok(epoch)
        })
    }

    fn keep(&self, snapshot: SnapshotRow) -> Later<'_, ()> {
        Box::pin(async move { snapshots::keep(self.connections.pool(), &snapshot).await })
    }

    fn snapshot<'a>(&'a self, name: &'a str) -> Later<'a, Option<SnapshotRow>> {
        Box::pin(snapshots::snapshot(self.connections.pool(), name))
    }

    fn snapshots(&self) -> Later<'_, Vec<String>> {
        Box::pin(snapshots::names(self.connections.pool()))
    }

    fn forget<'a>(&'a self, name: &'a str) -> Later<'a, ()> {
        Box::pin(snapshots::forget(self.connections.pool(), name))
    }

    fn lease<'a>(&'a self, claim: &'a Claim) -> Later<'a, bool> {
        Box::pin(async move {
            let held = sqlx::query(
                "WITH clock AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now)
                 INSERT INTO docket.lease AS l (log_id, name, holder, until_us)
                 SELECT $1, $2, $3, clock.now + $4 FROM clock
                 ON CONFLICT (log_id, name) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us
                 WHERE l.holder = excluded.holder
                     OR l.until_us <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            )
            .bind(LOG_ID)
            .bind(&claim.name)
            .bind(claim.holder)
            .bind(claim.lasts_us)
            .execute(self.connections.pool())
            .await?;
            Ok(held.rows_affected() == 1)
        })
    }

    fn moved(&self, position: i64) -> Later<'_, ()> {
        Box::pin(follow::moved(self.heard.subscribe(), move |head| head.position > position))
    }

    fn heard(&self) -> Option<Head> {
        Some(self.heard.borrow().clone())
    }
}
