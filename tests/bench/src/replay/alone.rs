//! What no rebuild can be quicker than: every row read, none decoded. And the snapshots thrown away.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio_stream::StreamExt;

/// How long to wait for the log's own writer.
const BUSY: Duration = Duration::from_secs(10);
const FORGET: &str = "DELETE FROM snapshot; DELETE FROM snapshot_chunk;";

/// Copies the whole log out and counts its rows.
pub(crate) async fn copy_out(url: &str) -> anyhow::Result<u32> {
    let mut connection = PgConnection::connect(url).await?;
    let sql = "COPY (SELECT * FROM docket.event ORDER BY log_id, position) TO STDOUT (FORMAT binary)";
    let mut copy = connection.copy_out_raw(sql).await?;
    let mut messages = 0u32;
    // A message is a row; the format's header comes with the first, its end by itself.
    while let Some(message) = copy.next().await {
        message?;
        messages += 1;
    }
    drop(copy);
    connection.close().await?;
    Ok(messages - 1)
}

/// Reads the whole log from the file and counts its rows.
pub(crate) async fn read(file: &Path) -> anyhow::Result<u32> {
    let mut connection = SqliteConnectOptions::new().filename(file).read_only(true).connect().await?;
    let mut rows = sqlx::query("SELECT * FROM event ORDER BY position").fetch(&mut connection);
    let mut count = 0;
    while let Some(row) = rows.next().await {
        row?;
        count += 1;
    }
    Ok(count)
}

/// Deletes every snapshot.
pub(crate) async fn forget_in_postgres(url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql("SET search_path = docket").execute(&mut connection).await?;
    sqlx::raw_sql(FORGET).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Deletes every snapshot.
pub(crate) async fn forget_in_sqlite(file: &Path) -> anyhow::Result<()> {
    let mut connection = SqliteConnectOptions::new().filename(file).busy_timeout(BUSY).connect().await?;
    sqlx::raw_sql(FORGET).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
