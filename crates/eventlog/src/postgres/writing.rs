//! Appends to PostgreSQL: at a known head in one round trip, or step by step under the head row's lock.

use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgConnection};
use tokio::sync::watch;
use uuid::Uuid;

use super::{LOG_ID, patiently};
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

/// The end of the log as an announcement tells it: position, epoch, time of recording and hash.
pub(super) fn announced(log: Uuid, payload: &str) -> Option<Head> {
    let mut words = payload.split(' ');
    let mut number = || words.next()?.parse::<i64>().ok();
    let (position, epoch, recorded_us) = (number()?, number()?, number()?);
    let digits = words.next()?;
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let hash = (0..digits.len()).step_by(2).map(byte).collect::<Option<_>>()?;
    Some(Head { log, epoch, position, hash, recorded_us })
}

/// `docket.append` in one round trip; without rows it only checks what is supposed.
pub(super) async fn append(
    connection: &mut PgConnection,
    at: &Head,
    supposed: &Supposed,
    rows: &[Row],
) -> Result<Wrote, StoreError> {
    let query = sqlx::query_as(
        "SELECT log, epoch, position, hash, recorded_us FROM docket.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
             $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)",
    );
    let (tenants, streams): (Vec<&str>, Vec<&str>) =
        supposed.streams.iter().map(|(tenant, stream)| (tenant.as_str(), stream.as_str())).unzip();
    let query = query.bind(LOG_ID).bind(at.epoch).bind(at.position).bind(&at.hash);
    let query = query.bind(tenants).bind(streams).bind(&supposed.versions).bind(&supposed.absent);
    let ends: Option<Head> = match columns(query, rows).fetch_optional(connection).await {
        // A stream or a request of the rows is already there.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => None,
        ends => ends?,
    };
    let wrote = |ends: &Head| rows.last().is_none_or(|last| ends.hash == last.hash);
    Ok(match ends {
        None => Wrote::Refuted,
        Some(ends) if wrote(&ends) => Wrote::Done,
        Some(ends) => Wrote::Moved(ends),
    })
}

type Query<'q> = sqlx::query::QueryAs<'q, Postgres, Head, PgArguments>;

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
        let head = announced(log, "42 3 1700000000000000 00ff10").unwrap();
        assert_eq!((head.log, head.epoch, head.position, head.recorded_us), (log, 3, 42, 1_700_000_000_000_000));
        assert_eq!(head.hash, [0, 255, 16]);
        for other in ["", "42", "42 3 17", "42 3 17 0", "42 3 17 0g", "42 3 x 00", "é"] {
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
