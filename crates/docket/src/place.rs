//! Where a log lies, and the one way to open it: a data directory with SQLite files, or a PostgreSQL database.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use eventlog::bus::Tail;
use eventlog::{Keys, Log, Postgres, Sqlite, Store};

use crate::cli::At;

/// Where a log and the keys of its personal data lie.
#[derive(Clone, Debug)]
pub enum Place {
    /// Two SQLite files.
    Files {
        /// The log.
        log: PathBuf,
        /// The keys.
        keys: PathBuf,
    },
    /// A PostgreSQL database that holds both.
    Postgres(Url),
}

/// The address of a database with its password: neither shown nor logged.
#[derive(Clone)]
pub struct Url(String);

impl Url {
    /// The address itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://…")
    }
}

impl Place {
    /// What the command line names: the database of `--postgres`, else the data directory.
    pub(crate) fn of(at: &At) -> anyhow::Result<Self> {
        at.postgres.as_deref().map_or_else(|| Ok(Self::directory(&at.data)), Self::database)
    }

    /// A path that names either: a directory, there or not yet, or a file that holds a database's address.
    pub(crate) fn named(path: &Path) -> anyhow::Result<Self> {
        if path.is_file() { Self::database(path) } else { Ok(Self::directory(path)) }
    }

    /// The files of a data directory.
    pub fn directory(data: &Path) -> Self {
        Self::Files { log: data.join("log.db"), keys: data.join("keys.db") }
    }

    /// The database whose address is the one line of this file: secrets never stand on the command line.
    pub fn database(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let url = text.trim();
        let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        ensure!(known && !url.contains('\n'), "{} holds no PostgreSQL address", file.display());
        Ok(Self::Postgres(Url(url.to_owned())))
    }

    /// Brings a database's log and keys to this program's form, made if there are none; files are, by their owner, whenever
    /// they are opened.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        match self {
            Self::Files { .. } => drop(open(self, false).await?),
            Self::Postgres(Url(url)) => {
                Postgres::migrate(url).await.context("migrating the log")?;
                Keys::migrate_postgres(url).await.context("migrating the keys of personal data")?;
            }
        }
        Ok(())
    }
}

/// Opens a log with its keys. Of files there is one owner; `read_only` reads beside it. A database may be opened by any
/// number of processes, and must have been migrated.
pub async fn open(place: &Place, read_only: bool) -> anyhow::Result<Arc<Log>> {
    let (store, keys) = parts(place, read_only).await?;
    Ok(Log::open(store, keys))
}

/// As [`open`], for writing; the newest rows are read from the tail.
pub async fn open_with_tail(place: &Place, tail: Arc<Tail>) -> anyhow::Result<Arc<Log>> {
    let (store, keys) = parts(place, false).await?;
    Ok(Log::open_with_tail(store, keys, tail))
}

async fn parts(place: &Place, read_only: bool) -> anyhow::Result<(Arc<dyn Store>, Keys)> {
    match place {
        Place::Files { log, keys } => files(log, keys, read_only).await,
        Place::Postgres(Url(url)) => {
            let store = Postgres::open(url).await.context("opening the log in PostgreSQL")?;
            let keys = Keys::postgres(url).await.context("opening the keys of personal data")?;
            Ok((Arc::new(store), keys))
        }
    }
}

async fn files(file: &Path, secrets: &Path, read_only: bool) -> anyhow::Result<(Arc<dyn Store>, Keys)> {
    let store = if read_only { Sqlite::open_read_only(file).await } else { Sqlite::create_or_open(file).await };
    let store = store.with_context(|| format!("opening the log {}", file.display()))?;
    let keys = match (secrets.exists(), read_only) {
        (false, true) => Keys::memory(0),
        (false, false) if store.head().await?.position > 0 => {
            bail!(
                "the log {} has events, but its keys {} are missing: restore them first",
                file.display(),
                secrets.display()
            )
        }
        _ => Keys::sqlite(secrets).await.context("opening the keys of personal data")?,
    };
    Ok((Arc::new(store), keys))
}
