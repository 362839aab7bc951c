//! The PostgreSQL server under load: databases for the cases, and what they cost it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::{Instant, sleep};

use crate::figure::{Figure, Measure};

/// Linux counts a program's processor time in these.
const TICK_US: f64 = 10_000.0;
/// How long to wait until everybody else has left the server.
const QUIET_IN: Duration = Duration::from_secs(10);

/// A server of our own: nobody else works on it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    admin: String,
    postmaster: u32,
    databases: u32,
}

/// What everything up to now has cost.
#[derive(Debug)]
pub(crate) struct Spent {
    server_us: f64,
    client_us: f64,
    fsyncs: f64,
}

impl Server {
    /// The server with this administrator's address.
    pub(crate) async fn at(admin: &str) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(admin).await?;
        let (own,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
        let own = own.to_string();
        let (_, stat) = processes()?.into_iter().find(|(pid, _)| *pid == own).context("the server runs elsewhere")?;
        Ok(Self { admin: admin.to_owned(), postmaster: stat.parent, databases: 0 })
    }

    /// Its version.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let (version,): (String,) =
            sqlx::query_as("SHOW server_version").fetch_one(&mut PgConnection::connect(&self.admin).await?).await?;
        Ok(version)
    }

    /// The address of a new, empty database.
    pub(crate) async fn database(&mut self) -> anyhow::Result<String> {
        self.databases += 1;
        let name = format!("bench_{}", self.databases);
        self.execute(&format!("CREATE DATABASE {name}")).await?;
        Ok(self.address(&name))
    }

    /// The address of this database.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("{}/{name}", self.admin.rsplit_once('/').map_or("", |(server, _)| server))
    }

    /// Removes a database, whoever is still connected.
    pub(crate) async fn remove(&self, url: &str) -> anyhow::Result<()> {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await
    }

    /// Waits until everybody has left, so that each process has told what it did, and adds that up.
    pub(crate) async fn spent(&self) -> anyhow::Result<Spent> {
        let mut connection = PgConnection::connect(&self.admin).await?;
        let until = Instant::now() + QUIET_IN;
        loop {
            let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
                          AND pid <> pg_backend_pid()";
            let (others,): (i64,) = sqlx::query_as(others).fetch_one(&mut connection).await?;
            if others == 0 {
                break;
            }
            anyhow::ensure!(Instant::now() < until, "{others} connections were left open");
            sleep(Duration::from_millis(20)).await;
        }
        let (fsyncs,): (f64,) =
            sqlx::query_as("SELECT wal_sync::float8 FROM pg_stat_wal").fetch_one(&mut connection).await?;
        Ok(Spent { server_us: self.cpu_us()?, client_us: own_cpu_us()?, fsyncs })
    }

    /// Writes everything out, so that no case pays for the one before.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        self.execute("CHECKPOINT").await
    }

    async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.admin).await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.with_context(|| sql.to_owned())?;
        Ok(connection.close().await?)
    }

    /// Processor time of the server's processes, those that ended included.
    fn cpu_us(&self) -> anyhow::Result<f64> {
        let postmaster = self.postmaster.to_string();
        let of = |(pid, stat): &(String, Stat)| {
            if *pid == postmaster {
                stat.own_us + stat.ended_us
            } else if stat.parent == self.postmaster {
                stat.own_us
            } else {
                0.0
            }
        };
        Ok(processes()?.iter().map(of).sum())
    }
}

impl Spent {
    /// What it has cost since, per event.
    pub(crate) fn since(&self, before: &Self, events: u32) -> Measure {
        let per = |now: f64, then: f64| (now - then) / f64::from(events);
        Measure::from([
            (Figure::Fsyncs, per(self.fsyncs, before.fsyncs)),
            (Figure::ServerUs, per(self.server_us, before.server_us)),
            (Figure::ClientUs, per(self.client_us, before.client_us)),
        ])
    }
}

/// Processor time of this process and of its children that ended.
pub(crate) fn own_cpu_us() -> anyhow::Result<f64> {
    let stat = stat(Path::new("/proc/self"))?;
    Ok(stat.own_us + stat.ended_us)
}

/// Processor time of this process, microseconds.
pub(crate) fn cpu_us_of(pid: u32) -> anyhow::Result<f64> {
    Ok(stat(&Path::new("/proc").join(pid.to_string()))?.own_us)
}

/// What the kernel says of a process.
#[derive(Debug)]
struct Stat {
    parent: u32,
    own_us: f64,
    ended_us: f64,
}

fn processes() -> anyhow::Result<Vec<(String, Stat)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // One that ended meanwhile is counted by its parent.
        if name.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(stat) = stat(&entry.path())
        {
            found.push((name, stat));
        }
    }
    Ok(found)
}

fn stat(process: &Path) -> anyhow::Result<Stat> {
    let text = std::fs::read_to_string(process.join("stat"))?;
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
    let field = |n: usize| fields.get(n).context("a field of /proc/*/stat is missing");
    let ticks = |n: usize| anyhow::Ok(field(n)?.parse::<f64>()? * TICK_US);
    Ok(Stat { parent: field(1)?.parse()?, own_us: ticks(11)? + ticks(12)?, ended_us: ticks(13)? + ticks(14)? })
}
