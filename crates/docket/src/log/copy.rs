//! `docket log copy`: a log and its keys from one place to another, as they are.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use eventlog::{Log, Postgres, Sqlite, copy};

use crate::out;
use crate::place::{self, Place};

pub(crate) async fn run(from: &Path, to: &Path) -> anyhow::Result<ExitCode> {
    let (from, to) = (Place::named(from)?, Place::named(to)?);
    if let Place::Files { keys, .. } = &from {
        ensure!(keys.exists(), "the keys {} are missing: a copy without them is of no use", keys.display());
    }
    let from = place::open(&from, true).await?;
    let events = match &to {
        Place::Files { log, keys } => into_files(&from, log, keys).await?,
        Place::Postgres(url) => {
            to.migrate().await?;
            into_postgres(&from, url.as_str()).await?
        }
    };
    out::say(format!("copied {events} events and their keys; effects are held until `docket log release`"));
    Ok(ExitCode::SUCCESS)
}

/// What was written when the copying began is copied; keys come after it, so that none of its keys is missing.
async fn into_files(from: &Log, log: &Path, keys: &Path) -> anyhow::Result<i64> {
    for file in [log, keys] {
        ensure!(!file.exists(), "{} is there already", file.display());
        let directory = file.parent().context("a data directory has a name")?;
        std::fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    }
    let store = Sqlite::create_or_open(log).await?;
    let events = copy::copy(from.store().as_ref(), &store).await.context("copying the log")?;
    from.keys().export_to(keys).await.context("copying the keys; throw the copy away")?;
    store.close().await;
    Ok(events)
}

async fn into_postgres(from: &Log, url: &str) -> anyhow::Result<i64> {
    let store = Postgres::open(url).await?;
    let events = copy::copy(from.store().as_ref(), &store).await.context("copying the log; throw a begun copy away")?;
    from.keys().export_to_postgres(url).await.context("copying the keys; throw the copy away")?;
    Ok(events)
}
