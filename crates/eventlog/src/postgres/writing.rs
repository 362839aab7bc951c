//! An append to PostgreSQL, under the head row's lock.

use sqlx::Postgres;
use tokio::sync::watch;
use uuid::Uuid;

use super::{CHANNEL, LOG_ID};
use crate::columns::before_body;
use crate::store::{Found, Head, Later, Lookup, Row, Transaction};

pub(super) struct Writing<'a> {
    pub(super) transaction: sqlx::Transaction<'static, Postgres>,
    pub(super) head: Head,
    pub(super) moved: &'a watch::Sender<i64>,
}

impl Transaction for Writing<'_> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn lookup<'a>(&'a mut self, lookup: &'a Lookup) -> Later<'a, Found> {
        Box::pin(async move {
            let (tenants, streams): (Vec<&str>, Vec<&str>) =
                lookup.streams.iter().map(|(tenant, stream)| (tenant.as_str(), stream.as_str())).unzip();
            let versions: Vec<(i64,)> = sqlx::query_as(
                "SELECT coalesce((SELECT version FROM docket.event e
                                  WHERE e.log_id = $1 AND e.tenant = q.tenant AND e.stream = q.stream
                                  ORDER BY version DESC LIMIT 1), 0)
                 FROM unnest($2::text[], $3::text[]) WITH ORDINALITY q (tenant, stream, n) ORDER BY q.n",
            )
            .bind(LOG_ID)
            .bind(tenants)
            .bind(streams)
            .fetch_all(&mut *self.transaction)
            .await?;
            let requests: Vec<(Option<i64>, Option<Vec<u8>>)> = sqlx::query_as(
                "SELECT e.position, e.content FROM unnest($2::uuid[]) WITH ORDINALITY q (id, n)
                 LEFT JOIN docket.event e ON e.log_id = $1 AND e.id = q.id ORDER BY q.n",
            )
            .bind(LOG_ID)
            .bind(&lookup.ids)
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
            insert(rows).execute(&mut *self.transaction).await?;
            sqlx::query(
                "WITH told AS (SELECT pg_notify($5, $2::bigint::text))
                 UPDATE docket.head SET position = $2, hash = $3, recorded_us = $4 FROM told WHERE log_id = $1",
            )
            .bind(LOG_ID)
            .bind(last.position)
            .bind(&last.hash)
            .bind(last.recorded_us)
            .bind(CHANNEL)
            .execute(&mut *self.transaction)
            .await?;
            self.transaction.commit().await?;
            self.moved.send_if_modified(|head| std::mem::replace(head, last.position.max(*head)) < last.position);
            Ok(())
        })
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// `INSERT` of all rows, one array a column.
fn insert(rows: &[Row]) -> Query<'_> {
    fn column<'q, T>(rows: &'q [Row], of: impl Fn(&'q Row) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    sqlx::query(concat!(
        "INSERT INTO docket.event (log_id, ",
        before_body!(),
        ", body, hash) SELECT $1, * FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[],
             $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::uuid[], $13::bytea[],
             $14::uuid[], $15::uuid[], $16::text[], $17::bytea[], $18::bytea[])"
    ))
    .bind(LOG_ID)
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
