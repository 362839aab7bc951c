//! An append to the file, under its write lock.

use std::sync::{Arc, LazyLock};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteArguments;
use tokio::sync::watch;

use crate::columns::{COLUMNS, before_body};
use crate::store::{Found, Head, Later, Lookup, Row, StoreError, Transaction};

/// Rows a statement inserts at once: 2 to the power of each of the indices, so that few statements insert any number.
static INSERTS: LazyLock<[Arc<str>; 8]> = LazyLock::new(|| std::array::from_fn(|power| insert(1 << power)));

/// `INSERT` of this many rows.
fn insert(rows: usize) -> Arc<str> {
    let row = format!("({})", vec!["?"; COLUMNS].join(", "));
    format!("INSERT INTO event ({}, body, hash) VALUES {}", before_body!(), vec![row; rows].join(", ")).into()
}

pub(super) struct Writing<'a> {
    pub(super) transaction: sqlx::Transaction<'static, sqlx::Sqlite>,
    pub(super) head: Head,
    pub(super) moved: &'a watch::Sender<i64>,
}

impl Transaction for Writing<'_> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn lookup<'a>(&'a mut self, lookup: &'a Lookup) -> Later<'a, Found> {
        Box::pin(async move {
            let streams = lookup.streams.iter().map(|(tenant, stream)| vec![tenant.as_str(), stream.as_str()]);
            let versions: Vec<(i64,)> = sqlx::query_as(
                "SELECT coalesce((SELECT version FROM event e WHERE e.tenant = q.value ->> 0 AND e.stream = q.value ->> 1
                                  ORDER BY version DESC LIMIT 1), 0)
                 FROM json_each(?1) q ORDER BY q.key",
            )
            .bind(streams.collect::<serde_json::Value>().to_string())
            .fetch_all(&mut *self.transaction)
            .await?;
            let ids = lookup.ids.iter().map(|id| id.simple().to_string());
            let requests: Vec<(Option<i64>, Option<Vec<u8>>)> = sqlx::query_as(
                "SELECT e.position, e.content FROM json_each(?1) q LEFT JOIN event e ON e.id = unhex(q.value)
                 ORDER BY q.key",
            )
            .bind(ids.collect::<serde_json::Value>().to_string())
            .fetch_all(&mut *self.transaction)
            .await?;
            Ok(Found {
                versions: versions.into_iter().map(|(version,)| version).collect(),
                requests: requests.into_iter().map(|(position, content)| position.zip(content)).collect(),
            })
        })
    }

    fn commit<'a>(mut self: Box<Self>, rows: &'a [Row]) -> Later<'a, ()>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let Some(last) = rows.last() else { return Ok(()) };
            let mut rest = rows;
            for (power, sql) in INSERTS.iter().enumerate().rev() {
                while let Some((some, others)) = rest.split_at_checked(1 << power) {
                    let query = sqlx::query(AssertSqlSafe(Arc::clone(sql)));
                    some.iter().fold(query, bind).execute(&mut *self.transaction).await.map_err(taken)?;
                    rest = others;
                }
            }
            sqlx::query("UPDATE head SET position = ?1, hash = ?2, recorded_us = ?3")
                .bind(last.position)
                .bind(&last.hash)
                .bind(last.recorded_us)
                .execute(&mut *self.transaction)
                .await?;
            self.transaction.commit().await?;
            self.moved.send_replace(last.position);
            Ok(())
        })
    }
}

fn taken(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) if error.is_unique_violation() => StoreError::Taken,
        error => error.into(),
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, row: &'q Row) -> Query<'q> {
    query
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
