//! Snapshots in PostgreSQL, in chunks.

use sqlx::PgPool;

use super::LOG_ID;
use crate::columns::CHUNK_BYTES;
use crate::store::{SnapshotRow, StoreError};

pub(super) async fn keep(pool: &PgPool, snapshot: &SnapshotRow) -> Result<(), StoreError> {
    // Each chunk in a transaction of its own: none is long.
    for (n, chunk) in (0i64..).zip(snapshot.bytes.chunks(CHUNK_BYTES)) {
        sqlx::query(
            "INSERT INTO docket.snapshot_chunk (log_id, name, epoch, position, n, bytes)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (log_id, name, epoch, position, n) DO UPDATE SET bytes = excluded.bytes",
        )
        .bind(LOG_ID)
        .bind(&snapshot.name)
        .bind(snapshot.epoch)
        .bind(snapshot.position)
        .bind(n)
        .bind(chunk)
        .execute(pool)
        .await?;
    }
    let mut transaction = pool.begin().await?;
    sqlx::query(
        "INSERT INTO docket.snapshot AS s (log_id, name, epoch, position, hash, length)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (log_id, name) DO UPDATE SET epoch = excluded.epoch, position = excluded.position,
             hash = excluded.hash, length = excluded.length
         WHERE (s.epoch, s.position) <= (excluded.epoch, excluded.position)",
    )
    .bind(LOG_ID)
    .bind(&snapshot.name)
    .bind(snapshot.epoch)
    .bind(snapshot.position)
    .bind(&snapshot.hash)
    .bind(i64::try_from(snapshot.bytes.len()).unwrap_or(i64::MAX))
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM docket.snapshot_chunk WHERE log_id = $1 AND name = $2 AND (epoch, position) < ($3, $4)")
        .bind(LOG_ID)
        .bind(&snapshot.name)
        .bind(snapshot.epoch)
        .bind(snapshot.position)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn snapshot(pool: &PgPool, name: &str) -> Result<Option<SnapshotRow>, StoreError> {
    let kept =
        sqlx::query_as("SELECT epoch, position, hash, length FROM docket.snapshot WHERE log_id = $1 AND name = $2");
    let kept = kept.bind(LOG_ID).bind(name).fetch_optional(pool).await?;
    let Some((epoch, position, hash, length)) = kept else { return Ok(None) };
    let mut snapshot = SnapshotRow { name: name.to_owned(), position, epoch, hash, bytes: Vec::new() };
    for n in 0i64.. {
        let chunk: Option<(Vec<u8>,)> = sqlx::query_as(
            "SELECT bytes FROM docket.snapshot_chunk
             WHERE log_id = $1 AND name = $2 AND epoch = $3 AND position = $4 AND n = $5",
        )
        .bind(LOG_ID)
        .bind(name)
        .bind(epoch)
        .bind(position)
        .bind(n)
        .fetch_optional(pool)
        .await?;
        let Some((chunk,)) = chunk else { break };
        snapshot.bytes.extend_from_slice(&chunk);
    }
    Ok(snapshot.whole(length))
}

pub(super) async fn names(pool: &PgPool) -> Result<Vec<String>, StoreError> {
    let names = sqlx::query_as("SELECT name FROM docket.snapshot WHERE log_id = $1").bind(LOG_ID);
    let names: Vec<(String,)> = names.fetch_all(pool).await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

pub(super) async fn forget(pool: &PgPool, name: &str) -> Result<(), StoreError> {
    sqlx::query(
        "WITH forgotten AS (DELETE FROM docket.snapshot WHERE log_id = $1 AND name = $2)
         DELETE FROM docket.snapshot_chunk WHERE log_id = $1 AND name = $2",
    )
    .bind(LOG_ID)
    .bind(name)
    .execute(pool)
    .await?;
    Ok(())
}
