//! SQLite: our log in a file, beside the same gathering with one statement a row.

use std::path::Path;
use std::sync::Arc;

use eventlog::{Keys, Log, Sqlite};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::docket;
use super::event::comment;
use crate::load::{self, Load};

/// Most rows of one transaction, as in our log.
const BATCH: usize = 256;

/// Our log in a file of its own.
pub(crate) async fn docket(dir: &Path, writers: usize) -> anyhow::Result<Load> {
    let store = Arc::new(Sqlite::create_or_open(&dir.join("log.db")).await?);
    let log = Log::open(store, Keys::sqlite(&dir.join("keys.db")).await?);
    load::drive((0..writers).map(|_| docket::Writer::of(&log, "bench")).collect(), Instant::now()).await
}

/// Rows of as many columns and indexes, gathered as ours are, but inserted one by one.
pub(crate) async fn row_by_row(dir: &Path, writers: usize) -> anyhow::Result<Load> {
    let mut connection = SqliteConnectOptions::new()
        .filename(dir.join("rows.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
    let (queue, waiting) = mpsc::channel(writers);
    let task = tokio::spawn(write(connection, waiting));
    let writer = |_| Writer { queue: queue.clone(), ticket: Uuid::new_v4(), version: 0 };
    let load = load::drive((0..writers).map(writer).collect(), Instant::now()).await;
    drop(queue);
    task.await??;
    load
}

/// What our rows hold, less the fields a bare row has no use for, at the same size.
const SCHEMA: &str = "CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    correlation BLOB NOT NULL,
    body BLOB NOT NULL,
    content BLOB NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (tenant, stream, version)
);
CREATE INDEX event_of_ticket ON event (tenant, correlation, position);";

struct Waiting {
    ticket: Uuid,
    version: i64,
    written: oneshot::Sender<()>,
}

async fn write(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Waiting>) -> anyhow::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut position = 0i64;
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for row in &batch {
            let (kind, body) = comment(row.ticket)?;
            position += 1;
            sqlx::query("INSERT INTO event VALUES (?, ?, 'bench', ?, ?, ?, ?, ?, ?, ?)")
                .bind(position)
                .bind(Uuid::new_v4())
                .bind(format!("ticket/{}", row.ticket))
                .bind(row.version)
                .bind(kind)
                .bind(row.ticket)
                .bind(body)
                .bind(&[7u8; 32][..])
                .bind(&[7u8; 32][..])
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        for row in batch.drain(..) {
            // A writer waits for each answer, unless the run has failed.
            let _unheard = row.written.send(());
        }
    }
    Ok(())
}

struct Writer {
    queue: mpsc::Sender<Waiting>,
    ticket: Uuid,
    version: i64,
}

impl load::Writer for Writer {
    async fn write(&mut self) -> anyhow::Result<u32> {
        self.version += 1;
        let (written, answer) = oneshot::channel();
        self.queue.send(Waiting { ticket: self.ticket, version: self.version, written }).await?;
        answer.await?;
        Ok(1)
    }
}
