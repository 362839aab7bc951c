//! The limits: the same rows written without asking anything, one by one, by arrays, by COPY.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use eventlog::Row;
use eventlog::clock::machine_now;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;
use uuid::Uuid;

use super::docket;
use super::event::comment;
use super::lanes::{self, Lane};
use crate::load::{self, Load};

/// Rows of one transaction at the limit.
const ROWS: usize = 1_000;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// One `INSERT` a row, committed by itself.
    Insert,
    /// One `INSERT` of a thousand rows, an array a column.
    Unnest,
    /// One `COPY` of a thousand rows.
    Copy,
}

/// Makes the table: our columns, two indexes.
pub(crate) async fn prepare(url: &str) -> anyhow::Result<()> {
    docket::prepare(url).await?;
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(
        "CREATE TABLE bare (LIKE docket.event);
         ALTER TABLE bare ADD PRIMARY KEY (log_id, position), ADD UNIQUE (log_id, tenant, stream, version);",
    )
    .execute(&mut connection)
    .await?;
    Ok(connection.close().await?)
}

/// A stream for each writer.
pub(crate) async fn run(url: &str, writers: usize, how: How) -> anyhow::Result<Load> {
    let lanes = lanes::open(&PgConnectOptions::from_str(url)?, writers).await?;
    let head = Arc::new(AtomicI64::new(0));
    let writer = |lane| Writer { lane, head: Arc::clone(&head), how, ticket: Uuid::new_v4(), version: 0 };
    load::drive(lanes.into_iter().map(writer).collect(), Instant::now()).await
}

struct Writer {
    lane: Lane,
    head: Arc<AtomicI64>,
    how: How,
    ticket: Uuid,
    version: i64,
}

impl Writer {
    fn row(&mut self) -> anyhow::Result<Row> {
        let (kind, body) = comment(self.ticket)?;
        let now = machine_now();
        self.version += 1;
        Ok(Row {
            position: self.head.fetch_add(1, Ordering::Relaxed) + 1,
            id: Uuid::new_v4(),
            tenant: "bench".into(),
            stream: format!("ticket/{}", self.ticket),
            version: self.version,
            kind,
            schema: 1,
            occurred_us: now,
            recorded_us: now,
            actor: "user/bench".into(),
            request: Uuid::new_v4(),
            content: vec![7; 32],
            causation: None,
            correlation: Some(self.ticket),
            trace: String::new(),
            body,
            hash: vec![7; 32],
        })
    }
}

impl load::Writer for Writer {
    async fn write(&mut self) -> anyhow::Result<u32> {
        let count = if self.how == How::Insert { 1 } else { ROWS };
        let rows = (0..count).map(|_| self.row()).collect::<anyhow::Result<Vec<_>>>()?;
        let mut connection = self.lane.lock().await;
        let written = match self.how {
            How::Insert => insert(&rows[0]).execute(&mut *connection).await?.rows_affected(),
            How::Unnest => unnest(&rows).execute(&mut *connection).await?.rows_affected(),
            How::Copy => {
                let mut copy = connection.copy_in_raw("COPY bare FROM STDIN").await?;
                copy.send(rows.iter().fold(String::new(), add_line).into_bytes()).await?;
                copy.finish().await?
            }
        };
        Ok(u32::try_from(written)?)
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn insert(row: &Row) -> Query<'_> {
    sqlx::query(
        "INSERT INTO bare VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(row.position)
    .bind(row.id)
    .bind(&row.tenant)
    .bind(&row.stream)
    .bind(row.version)
    .bind(&row.kind)
    .bind(row.schema)
    .bind(row.occurred_us)
    .bind(row.recorded_us)
    .bind(&row.actor)
    .bind(row.request)
    .bind(&row.content)
    .bind(row.causation)
    .bind(row.correlation)
    .bind(&row.trace)
    .bind(&row.body)
    .bind(&row.hash)
}

fn unnest(rows: &[Row]) -> Query<'_> {
    fn column<'q, T>(rows: &'q [Row], of: impl Fn(&'q Row) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    sqlx::query(
        "INSERT INTO bare SELECT 1, * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[],
             $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::uuid[], $12::bytea[],
             $13::uuid[], $14::uuid[], $15::text[], $16::bytea[], $17::bytea[])",
    )
    .bind(column(rows, |row| row.position))
    .bind(column(rows, |row| row.id))
    .bind(column(rows, |row| row.tenant.as_str()))
    .bind(column(rows, |row| row.stream.as_str()))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.kind.as_str()))
    .bind(column(rows, |row| row.schema))
    .bind(column(rows, |row| row.occurred_us))
    .bind(column(rows, |row| row.recorded_us))
    .bind(column(rows, |row| row.actor.as_str()))
    .bind(column(rows, |row| row.request))
    .bind(column(rows, |row| row.content.as_slice()))
    .bind(column::<Option<Uuid>>(rows, |row| row.causation))
    .bind(column::<Option<Uuid>>(rows, |row| row.correlation))
    .bind(column(rows, |row| row.trace.as_str()))
    .bind(column(rows, |row| row.body.as_slice()))
    .bind(column(rows, |row| row.hash.as_slice()))
}

/// Adds a row as COPY's text format wants it; nothing in our rows needs escaping.
fn add_line(mut text: String, row: &Row) -> String {
    let id = |id: Option<Uuid>| id.map_or_else(|| "\\N".to_owned(), |id| id.to_string());
    let fields = [
        "1",
        &row.position.to_string(),
        &id(Some(row.id)),
        &row.tenant,
        &row.stream,
        &row.version.to_string(),
        &row.kind,
        &row.schema.to_string(),
        &row.occurred_us.to_string(),
        &row.recorded_us.to_string(),
        &row.actor,
        &id(Some(row.request)),
    ];
    for field in fields {
        text.push_str(field);
        text.push('\t');
    }
    add_hex(&mut text, &row.content);
    for field in [&id(row.causation), &id(row.correlation), &row.trace] {
        text.push('\t');
        text.push_str(field);
    }
    for bytes in [&row.body, &row.hash] {
        text.push('\t');
        add_hex(&mut text, bytes);
    }
    text.push('\n');
    text
}

fn add_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    text.push_str("\\\\x");
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}
