//! message-db: an event store made of PostgreSQL functions, installed by its own script.

use std::path::Path;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use tokio::process::Command;
use tokio::time::Instant;
use uuid::Uuid;

use super::event::comment;
use super::lanes::{self, Lane};
use crate::load::{self, Load};

/// Runs its installer from the directory of its package.
pub(crate) async fn prepare(url: &str, package: &Path) -> anyhow::Result<()> {
    let options = PgConnectOptions::from_str(url)?;
    let (_, password) =
        url.split_once("://").and_then(|(_, rest)| rest.split_once('@')?.0.split_once(':')).unwrap_or_default();
    let done = Command::new(package.join("database/install.sh"))
        .env("PGHOST", options.get_host())
        .env("PGPORT", options.get_port().to_string())
        .env("PGUSER", options.get_username())
        .env("PGPASSWORD", password)
        .env("DATABASE_NAME", options.get_database().unwrap_or_default())
        .env("CREATE_DATABASE", "off")
        .output()
        .await?;
    anyhow::ensure!(done.status.success(), "its installer failed: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// A stream for each writer, all of one category.
pub(crate) async fn run(url: &str, writers: usize) -> anyhow::Result<Load> {
    let options = PgConnectOptions::from_str(url)?.options([("search_path", "message_store,public")]);
    let lanes = lanes::open(&options, writers).await?;
    let writers = lanes.into_iter().map(|lane| Writer { lane, ticket: Uuid::new_v4(), version: -1 });
    load::drive(writers.collect(), Instant::now()).await
}

struct Writer {
    lane: Lane,
    ticket: Uuid,
    version: i64,
}

impl load::Writer for Writer {
    async fn write(&mut self) -> anyhow::Result<u32> {
        let (kind, body) = comment(self.ticket)?;
        let written = sqlx::query_as("SELECT write_message($1, $2, $3, $4::jsonb, NULL, $5)")
            .bind(Uuid::new_v4().to_string())
            .bind(format!("ticket-{}", self.ticket))
            .bind(kind)
            .bind(String::from_utf8(body)?)
            .bind(self.version);
        (self.version,) = written.fetch_one(&mut *self.lane.lock().await).await?;
        Ok(1)
    }
}
