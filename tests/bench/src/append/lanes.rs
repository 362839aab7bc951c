//! Connections shared by writers: the server's default settings allow a hundred.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
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
