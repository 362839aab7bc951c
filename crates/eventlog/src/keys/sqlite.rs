//! Keys in a SQLite file of their own.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use uuid::Uuid;

use super::vault::{Entry, Held, KeyBytes, Vault, key};
use crate::store::{Later, StoreError};

pub(super) struct Sqlite(SqlitePool);

impl Sqlite {
    /// Opens the file, made with this secret if it is not there; answers the secret it holds.
    pub(super) async fn create_or_open(path: &Path, secret: &KeyBytes) -> Result<(Self, KeyBytes), StoreError> {
        // Made before SQLite touches it, so that it is at no moment readable by others.
        fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Truncate)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        let (version,): (i64,) = sqlx::query_as("PRAGMA user_version").fetch_one(&mut *transaction).await?;
        if version == 0 {
            sqlx::raw_sql(include_str!("../../schema/sqlite/keys_1.sql")).execute(&mut *transaction).await?;
            sqlx::query("INSERT INTO vault (id, secret, erasures) VALUES (1, ?1, 0)")
                .bind(&secret[..])
                .execute(&mut *transaction)
                .await?;
            sqlx::raw_sql("PRAGMA user_version = 1").execute(&mut *transaction).await?;
        }
        let (secret,): (Vec<u8>,) = sqlx::query_as("SELECT secret FROM vault").fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok((Self(pool), key(&secret)?))
    }
}

impl Vault for Sqlite {
    fn erasures(&self) -> Later<'_, i64> {
        Box::pin(async {
            let (erasures,): (i64,) = sqlx::query_as("SELECT erasures FROM vault").fetch_one(&self.0).await?;
            Ok(erasures)
        })
    }

    fn get<'a>(&'a self, tenant: &'a str, subjects: &'a [Uuid]) -> Later<'a, Vec<Option<Held>>> {
        Box::pin(async move {
            if subjects.is_empty() {
                return Ok(Vec::new());
            }
            let rows: Vec<(Option<Vec<u8>>, Option<i64>)> = sqlx::query_as(
                "SELECT s.key, s.destroyed FROM json_each(?2) q
                 LEFT JOIN subject s ON s.tenant = ?1 AND s.subject = unhex(q.value) ORDER BY q.key",
            )
            .bind(tenant)
            .bind(hex_list(subjects))
            .fetch_all(&self.0)
            .await?;
            rows.into_iter().map(Held::joined).collect()
        })
    }

    fn put<'a>(&'a self, tenant: &'a str, fresh: &'a [(Uuid, Held)]) -> Later<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.0.begin_with("BEGIN IMMEDIATE").await?;
            for (subject, held) in fresh {
                let (key, destroyed) = held.columns();
                sqlx::query(
                    "INSERT INTO subject (tenant, subject, key, destroyed) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO NOTHING",
                )
                .bind(tenant)
                .bind(subject)
                .bind(&key[..])
                .bind(destroyed)
                .execute(&mut *transaction)
                .await?;
            }
            Ok(transaction.commit().await?)
        })
    }

    fn destroy<'a>(&'a self, tenant: &'a str, subject: Uuid) -> Later<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.0.begin_with("BEGIN IMMEDIATE").await?;
            let erased = sqlx::query(
                "INSERT INTO subject (tenant, subject, key, destroyed) VALUES (?1, ?2, zeroblob(32), 1)
                 ON CONFLICT (tenant, subject) DO UPDATE SET key = zeroblob(32), destroyed = 1 WHERE destroyed = 0",
            )
            .bind(tenant)
            .bind(subject)
            .execute(&mut *transaction)
            .await?;
            if erased.rows_affected() > 0 {
                sqlx::query("UPDATE vault SET erasures = erasures + 1").execute(&mut *transaction).await?;
            }
            Ok(transaction.commit().await?)
        })
    }

    fn page(&self, after: i64, limit: i64) -> Later<'_, Vec<Entry>> {
        Box::pin(async move {
            let rows: Vec<(i64, String, Uuid, Vec<u8>, i64)> = sqlx::query_as(
                "SELECT n, tenant, subject, key, destroyed FROM subject WHERE n > ?1 ORDER BY n LIMIT ?2",
            )
            .bind(after)
            .bind(limit)
            .fetch_all(&self.0)
            .await?;
            rows.into_iter().map(Entry::stored).collect()
        })
    }
}

/// A list of ids as JSON, for `json_each` and `unhex`.
fn hex_list(ids: &[Uuid]) -> String {
    ids.iter().map(|id| id.simple().to_string()).collect::<serde_json::Value>().to_string()
}
