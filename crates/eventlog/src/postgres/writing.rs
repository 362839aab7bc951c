//! Appends to PostgreSQL: at a known head in one round trip, or step by step under the head row's lock.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgConnection};
use tokio::sync::watch;
use uuid::Uuid;

use super::{HEAD, LOG_ID, patiently};
use crate::columns::before_body;
use crate::store::{Found, Head, Later, Lookup, Row, StoreError, Supposed, Transaction, Wrote};

pub(super) struct Writing<'a> {
    pub(super) transaction: sqlx::Transaction<'static, Postgres>,
    pub(super) head: Head,
    pub(super) heard: &'a watch::Sender<Head>,
}

impl Transaction for Writing<'_> {
    fn head(&self) -> &Head {
        &self.head
    }

    fn lookup<'a>(&'a mut self, lookup: &'a Lookup) -> Later<'a, Found> {
        Box::pin(patiently(async move {
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
                // One by one through the index: a plan that joins with all of the log would do it under the head's lock.
                "SELECT e.position, e.content FROM unnest($2::uuid[]) WITH ORDINALITY q (id, n)
                 LEFT JOIN LATERAL (SELECT * FROM docket.event WHERE (log_id, id) >= ($1, q.id)
                                    ORDER BY log_id, id LIMIT 1) e ON e.id = q.id
                 ORDER BY q.n",
            )
            .bind(LOG_ID)
            .bind(&lookup.ids)
            .fetch_all(&mut *self.transaction)
            .await?;
            Ok(Found {
                versions: versions.into_iter().map(|(version,)| version).collect(),
                requests: requests.into_iter().map(|(position, content)| position.zip(content)).collect(),
            })
        }))
    }

    fn commit<'a>(mut self: Box<Self>, rows: &'a [Row]) -> Later<'a, ()>
    where
        Self: 'a,
    {
        Box::pin(patiently(async move {
            match append(&mut self.transaction, &self.head, &Supposed::default(), rows).await? {
                Wrote::Done => self.transaction.commit().await?,
                other => return Err(StoreError::Damaged(format!("under the head's lock the append was {other:?}"))),
            }
            tell(self.heard, &self.head, rows);
            Ok(())
        }))
    }
}

/// Tells this process's followers what it wrote at this head, before the database does.
pub(super) fn tell(heard: &watch::Sender<Head>, at: &Head, rows: &[Row]) {
    if let Some(last) = rows.last() {
        let (position, hash, recorded_us) = (last.position, last.hash.clone(), last.recorded_us);
        hear(heard, Head { position, hash, recorded_us, ..at.clone() });
    }
}

/// Keeps what was told last of where the log ends.
pub(super) fn hear(heard: &watch::Sender<Head>, told: Head) {
    heard.send_if_modified(|head| {
        let new = (told.epoch, told.position) > (head.epoch, head.position);
        if new {
            *head = told;
        }
        new
    });
}

/// The end of the log behind this row as it is announced: position, epoch, time of recording and hash.
fn announcement(epoch: i64, last: &Row) -> String {
    format!("{} {epoch} {} {}", last.position, last.recorded_us, STANDARD.encode(&last.hash))
}

/// The end of the log that was announced so.
pub(super) fn announced(log: Uuid, payload: &str) -> Option<Head> {
    let mut words = payload.split(' ');
    let mut number = || words.next()?.parse::<i64>().ok();
    let (position, epoch, recorded_us) = (number()?, number()?, number()?);
    let hash = STANDARD.decode(words.next()?).ok()?;
    Some(Head { log, epoch, position, hash, recorded_us })
}

/// Whether in the log `$1` every stream `$2`, `$3` is at its version `$4` and no id of `$5` is stored. An id is looked for as
/// the first from it on, since only its own index has that order: of a log made a moment ago the database knows nothing,
/// and would as soon go through all of it by any other index.
macro_rules! holds {
    () => {
        "NOT EXISTS (
             SELECT FROM unnest($2::text[], $3::text[], $4::bigint[]) q (tenant, stream, version)
             WHERE q.version <> coalesce((SELECT e.version FROM docket.event e
                                          WHERE e.log_id = $1 AND e.tenant = q.tenant AND e.stream = q.stream
                                          ORDER BY e.version DESC LIMIT 1), 0))
         AND NOT EXISTS (
             SELECT FROM unnest($5::uuid[]) q (id)
             WHERE q.id = (SELECT e.id FROM docket.event e WHERE (e.log_id, e.id) >= ($1, q.id)
                           ORDER BY e.log_id, e.id LIMIT 1))"
    };
}

/// Appends in one transaction of one statement, if the log still ends where it is supposed to and the rest holds. That is
/// looked up without a lock: it is seen at least as the caller saw it, and if the log still ends there when the head is
/// moved, nothing came since.
const APPEND: &str = concat!(
    "WITH moved AS (
         UPDATE docket.head SET position = $9, hash = $10, recorded_us = $11
         WHERE log_id = $1 AND epoch = $6 AND position = $7 AND hash = $8 AND ",
    holds!(),
    "    RETURNING log_id),
     written AS (
         INSERT INTO docket.event (log_id, ",
    before_body!(),
    ", body, hash)
         SELECT $1, * FROM unnest($13::bigint[], $14::uuid[], $15::text[], $16::text[], $17::bigint[], $18::text[],
             $19::bigint[], $20::bigint[], $21::bigint[], $22::text[], $23::uuid[], $24::bytea[], $25::uuid[],
             $26::uuid[], $27::text[], $28::bytea[], $29::bytea[])
         WHERE EXISTS (SELECT FROM moved))
     SELECT pg_notify('docket_log', $12) FROM moved"
);
const HOLDS: &str = concat!("SELECT $1::bigint IS NOT NULL AND ", holds!());

/// Writes the rows behind the head; without rows it only checks what is supposed, wherever the log ends.
pub(super) async fn append(
    connection: &mut PgConnection,
    at: &Head,
    supposed: &Supposed,
    rows: &[Row],
) -> Result<Wrote, StoreError> {
    let (tenants, streams): (Vec<&str>, Vec<&str>) =
        supposed.streams.iter().map(|(tenant, stream)| (tenant.as_str(), stream.as_str())).unzip();
    let Some(last) = rows.last() else {
        let query = sqlx::query_as(HOLDS).bind(LOG_ID).bind(tenants).bind(streams);
        let (holds,) = query.bind(&supposed.versions).bind(&supposed.absent).fetch_one(connection).await?;
        return Ok(if holds { Wrote::Done } else { Wrote::Refuted });
    };
    let query = sqlx::query(APPEND).bind(LOG_ID).bind(tenants).bind(streams);
    let query = query.bind(&supposed.versions).bind(&supposed.absent).bind(at.epoch).bind(at.position).bind(&at.hash);
    let query = query.bind(last.position).bind(&last.hash).bind(last.recorded_us).bind(announcement(at.epoch, last));
    let moved = match columns(query, rows).execute(&mut *connection).await {
        Ok(done) => done.rows_affected() == 1,
        // A stream or a request of the rows is already there.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(Wrote::Refuted),
        Err(error) => return Err(error.into()),
    };
    if moved {
        return Ok(Wrote::Done);
    }
    let ends: Head = sqlx::query_as(HEAD).bind(LOG_ID).fetch_one(connection).await?;
    Ok(if ends == *at { Wrote::Refuted } else { Wrote::Moved(ends) })
}

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// Binds all rows, one array a column.
fn columns<'q>(query: Query<'q>, rows: &'q [Row]) -> Query<'q> {
    fn column<'q, T>(rows: &'q [Row], of: impl Fn(&'q Row) -> T) -> Vec<T> {
        rows.iter().map(of).collect()
    }
    query
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_tells_where_the_log_ends_and_nothing_else_does() {
        let log = Uuid::from_u128(7);
        let head = announced(log, "42 3 1700000000000000 AP8Q").unwrap();
        assert_eq!((head.log, head.epoch, head.position, head.recorded_us), (log, 3, 42, 1_700_000_000_000_000));
        assert_eq!(head.hash, [0, 255, 16]);
        for other in ["", "42", "42 3 17", "42 3 17 0", "42 3 17 0-ff", "42 3 x AP8Q", "é"] {
            assert_eq!(announced(log, other), None, "{other:?}");
        }
    }

    #[test]
    fn what_was_told_late_moves_nothing_back() {
        let at = |epoch, position| Head { log: Uuid::nil(), epoch, position, hash: vec![], recorded_us: 0 };
        let heard = watch::Sender::new(at(1, 5));
        for (told, last) in [(at(1, 4), 5), (at(1, 6), 6), (at(2, 2), 2), (at(1, 9), 2)] {
            hear(&heard, told);
            assert_eq!(heard.borrow().position, last);
        }
    }
}
