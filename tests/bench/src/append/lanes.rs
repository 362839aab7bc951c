//! Connections shared by writers: the server's default settings allow a hundred.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use sqlx_08::PgPool;
use sqlx_08::postgres::PgPoolOptions;
use tokio::sync::Mutex;

/// Most connections of one case; more writers than that take turns.
pub(crate) const MAX: u32 = 64;

/// A connection whose writers take turns.
pub(crate) type Lane = Arc<Mutex<PgConnection>>;

/// A lane for each writer, as many different ones as are allowed.
pub(crate) async fn open(options: &PgConnectOptions, writers: usize) -> anyhow::Result<Vec<Lane>> {
    let mut lanes = Vec::new();
    for _ in 0..writers.min(usize::try_from(MAX)?) {
        lanes.push(Arc::new(Mutex::new(options.connect().await?)));
    }
    Ok(lanes.iter().cycle().take(writers).cloned().collect())
}

/// The pool of a peer that brings one of its own release, with as many connections.
pub(crate) async fn pool(url: &str, writers: usize) -> anyhow::Result<PgPool> {
    let most = u32::try_from(writers)?.min(MAX);
    let pool = PgPoolOptions::new().max_connections(most).min_connections(most).test_before_acquire(false);
    Ok(pool.connect(url).await?)
}

/// Makes a peer's tables.
pub(crate) async fn make(url: &str, schema: &'static str) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    sqlx_08::raw_sql(schema).execute(&pool).await?;
    pool.close().await;
    Ok(())
}
