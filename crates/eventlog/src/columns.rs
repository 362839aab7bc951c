//! The columns of both databases, in the order in which [`Row`] declares them.

use sqlx::{ColumnIndex, Decode, FromRow, Type};
use uuid::Uuid;

use crate::store::{Head, Row};

/// Bytes of a snapshot kept in one row: large values block a database's other work.
pub(crate) const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Columns of an event.
pub(crate) const COLUMNS: usize = 17;

/// The columns of an event before its body, as SQL; those after it are only `hash`.
macro_rules! before_body {
    () => {
        "position, id, tenant, stream, version, kind, schema, occurred_us, recorded_us, actor, request, content, \
         causation, correlation, trace"
    };
}
pub(crate) use before_body;

impl<'r, R> FromRow<'r, R> for Row
where
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: row.try_get(0)?,
            id: row.try_get(1)?,
            tenant: row.try_get(2)?,
            stream: row.try_get(3)?,
            version: row.try_get(4)?,
            kind: row.try_get(5)?,
            schema: row.try_get(6)?,
            occurred_us: row.try_get(7)?,
            recorded_us: row.try_get(8)?,
            actor: row.try_get(9)?,
            request: row.try_get(10)?,
            content: row.try_get(11)?,
            causation: row.try_get(12)?,
            correlation: row.try_get(13)?,
            trace: row.try_get(14)?,
            body: row.try_get(15)?,
            hash: row.try_get(16)?,
        })
    }
}

impl<'r, R> FromRow<'r, R> for Head
where
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Uuid: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            log: row.try_get(0)?,
            epoch: row.try_get(1)?,
            position: row.try_get(2)?,
            hash: row.try_get(3)?,
            recorded_us: row.try_get(4)?,
        })
    }
}
