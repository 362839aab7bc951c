//! Keys in PostgreSQL, in a schema of their own.

use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use super::vault::{Entry, Held, KeyBytes, Vault, key};
use crate::postgres::ROLES;
use crate::postgres::connections::Connections;
use crate::store::{Later, StoreError};

/// Connections to the keys' database, and how many of them are kept at hand.
const MAX_CONNECTIONS: u32 = 4;
const AT_HAND: usize = 2;

pub(super) struct Postgres(Connections);

/// Makes the schema; a secret that is there already stays.
pub(super) async fn migrate(url: &str, secret: &KeyBytes) -> Result<(), StoreError> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('docket_keys'))").execute(&mut *transaction).await?;
    for sql in
        [ROLES, include_str!("../../schema/postgres/keys_1.sql"), include_str!("../../schema/postgres/keys_2.sql")]
    {
        sqlx::raw_sql(sql).execute(&mut *transaction).await?;
    }
    sqlx::query("INSERT INTO docket_keys.vault (id, secret, erasures) VALUES (1, $1, 0) ON CONFLICT DO NOTHING")
        .bind(&secret[..])
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// Replaces the secret of a schema that holds no keys yet.
pub(super) async fn adopt(url: &str, secret: &KeyBytes) -> Result<(), StoreError> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    let adopted = sqlx::query(
        "UPDATE docket_keys.vault SET secret = $1
         WHERE erasures = 0 AND NOT EXISTS (SELECT FROM docket_keys.subject)",
    );
    match adopted.bind(&secret[..]).execute(&pool).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Unavailable("it holds keys already".into())),
    }
}

impl Postgres {
    /// Opens what was migrated; answers the secret it holds.
    pub(super) async fn open(url: &str) -> Result<(Self, KeyBytes), StoreError> {
        let pool = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).connect(url).await?;
        let (secret,): (Vec<u8>,) = sqlx::query_as("SELECT secret FROM docket_keys.vault").fetch_one(&pool).await?;
        Ok((Self(Connections::of(pool, AT_HAND)), key(&secret)?))
    }
}

impl Vault for Postgres {
    fn erasures(&self) -> Later<'_, i64> {
        Box::pin(async {
            let mut connection = self.0.take().await?;
            let (erasures,): (i64,) =
                sqlx::query_as("SELECT erasures FROM docket_keys.vault").fetch_one(&mut *connection).await?;
            self.0.keep(connection);
            Ok(erasures)
        })
    }

    fn get<'a>(&'a self, tenant: &'a str, subjects: &'a [Uuid]) -> Later<'a, Vec<Option<Held>>> {
        Box::pin(async move {
            if subjects.is_empty() {
                return Ok(Vec::new());
            }
            let mut connection = self.0.take().await?;
            let rows: Vec<(Option<Vec<u8>>, Option<i64>)> = sqlx::query_as(
                "SELECT s.key, s.destroyed FROM unnest($2::uuid[]) WITH ORDINALITY q (subject, n)
                 LEFT JOIN docket_keys.subject s ON s.tenant = $1 AND s.subject = q.subject ORDER BY q.n",
            )
            .bind(tenant)
            .bind(subjects)
            .fetch_all(&mut *connection)
            .await?;
            self.0.keep(connection);
            rows.into_iter().map(Held::joined).collect()
        })
    }

    fn put<'a>(&'a self, tenant: &'a str, fresh: &'a [(Uuid, Held)]) -> Later<'a, ()> {
        Box::pin(async move {
            let subjects: Vec<_> = fresh.iter().map(|(subject, _)| *subject).collect();
            let (keys, destroyed): (Vec<_>, Vec<_>) =
                fresh.iter().map(|(_, held)| held.columns()).map(|(key, destroyed)| (key.to_vec(), destroyed)).unzip();
            sqlx::query(
                "INSERT INTO docket_keys.subject (tenant, subject, key, destroyed)
                 SELECT $1, * FROM unnest($2::uuid[], $3::bytea[], $4::bigint[]) ON CONFLICT DO NOTHING",
            )
            .bind(tenant)
            .bind(subjects)
            .bind(keys)
            .bind(destroyed)
            .execute(self.0.pool())
            .await?;
            Ok(())
        })
    }

    fn destroy<'a>(&'a self, tenant: &'a str, subject: Uuid) -> Later<'a, ()> {
        Box::pin(async move {
            sqlx::query(
                "WITH erased AS (
                     INSERT INTO docket_keys.subject AS s (tenant, subject, key, destroyed)
                     VALUES ($1, $2, decode(repeat('00', 32), 'hex'), 1)
                     ON CONFLICT (tenant, subject) DO UPDATE SET key = EXCLUDED.key, destroyed = 1
                     WHERE s.destroyed = 0
                     RETURNING 1)
                 UPDATE docket_keys.vault SET erasures = erasures + 1 WHERE EXISTS (SELECT FROM erased)",
            )
            .bind(tenant)
            .bind(subject)
            .execute(self.0.pool())
            .await?;
            Ok(())
        })
    }

    fn page(&self, after: i64, limit: i64) -> Later<'_, Vec<Entry>> {
        Box::pin(async move {
            let rows: Vec<(i64, String, Uuid, Vec<u8>, i64)> = sqlx::query_as(
                "SELECT n, tenant, subject, key, destroyed FROM docket_keys.subject WHERE n > $1 ORDER BY n LIMIT $2",
            )
            .bind(after)
            .bind(limit)
            .fetch_all(self.0.pool())
            .await?;
            rows.into_iter().map(Entry::stored).collect()
        })
    }
}
