//! `docket log`: makes, copies, proves and looks into a log, in a data directory or a PostgreSQL database.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::ensure;
use eventlog::store::{Row, Select};
use eventlog::{Log, verify};
use ticket::codec::rfc3339;

use crate::cli::{At, Log as Command};
use crate::out;
use crate::place::{self, Place};

mod copy;
pub(crate) mod rebuild;

use rebuild::Wanted;

/// Rows read at once.
const PAGE: i64 = 1_000;

pub(crate) async fn run(at: &At, command: &Command) -> anyhow::Result<ExitCode> {
    let place = Place::of(at)?;
    let reading = place::open(&place, true);
    match command {
        Command::Migrate => migrate(&place).await,
        Command::Copy { from, to } => copy::run(from, to).await,
        Command::Rebuild { service, check } => {
            let log = if *check { reading.await? } else { owned(&place).await? };
            rebuild::run(&log, &Wanted { service: service.as_deref(), check: *check }).await
        }
        Command::Verify => verified(&*reading.await?).await,
        Command::Restored => restored(&*owned(&place).await?).await,
        Command::Release => release(&*owned(&place).await?).await,
        Command::Tail { lines } => tail(&*reading.await?, *lines).await,
        Command::Stat => stat(&*reading.await?).await,
    }
}

/// A log that is there, to be changed: a file by nobody else meanwhile.
async fn owned(place: &Place) -> anyhow::Result<Arc<Log>> {
    if let Place::Files { log, .. } = place {
        ensure!(log.exists(), "there is no log {}", log.display());
    }
    place::open(place, false).await
}

async fn migrate(place: &Place) -> anyhow::Result<ExitCode> {
    place.migrate().await?;
    out::say(out::table(&standing(&*place::open(place, true).await?).await?));
    Ok(ExitCode::SUCCESS)
}

async fn restored(log: &Log) -> anyhow::Result<ExitCode> {
    log.raise_epoch().await?;
    out::say(out::table(&standing(log).await?));
    Ok(ExitCode::SUCCESS)
}

async fn release(log: &Log) -> anyhow::Result<ExitCode> {
    out::say(out::table(&standing(log).await?));
    log.release().await?;
    out::say("released for effects");
    Ok(ExitCode::SUCCESS)
}

/// Which log it is, how far it goes, and whether effects are carried out for it.
async fn standing(log: &Log) -> anyhow::Result<Vec<Vec<String>>> {
    let head = log.head().await?;
    let effects = if log.released().await? { "released" } else { "held" };
    Ok(vec![
        vec!["log".to_owned(), head.log.to_string()],
        vec!["epoch".to_owned(), head.epoch.to_string()],
        vec!["position".to_owned(), head.position.to_string()],
        vec!["recorded".to_owned(), rfc3339(head.recorded_us)],
        vec!["effects".to_owned(), effects.to_owned()],
    ])
}

async fn verified(log: &Log) -> anyhow::Result<ExitCode> {
    match verify::verify(log).await {
        Ok(report) => {
            let (head, streams) = (report.head, report.streams);
            out::say(format!(
                "log {} epoch {} is whole: {} events in {streams} streams",
                head.log, head.epoch, head.position
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(damage) => {
            out::say(format!("{damage}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn tail(log: &Log, lines: i64) -> anyhow::Result<ExitCode> {
    let head = log.head().await?;
    let mut after = (head.position - lines.max(0)).max(0);
    loop {
        let rows = log.read(&Select::All, None, after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(ExitCode::SUCCESS) };
        after = last.position;
        for row in &rows {
            out::say(line(row));
        }
    }
}

fn line(row: &Row) -> String {
    let Row { position, stream, version, kind, actor, .. } = row;
    let (occurred, body) = (rfc3339(row.occurred_us), String::from_utf8_lossy(&row.body));
    format!("{position} {occurred} {stream}@{version} {kind} by {actor} {body}")
}

async fn stat(log: &Log) -> anyhow::Result<ExitCode> {
    let mut rows = standing(log).await?;
    let mut kinds: BTreeMap<String, i64> = BTreeMap::new();
    let mut scan = log.scan(0, log.head().await?.position, Some(&[]));
    loop {
        let page = scan.next().await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            *kinds.entry(row.kind).or_default() += 1;
        }
    }
    rows.extend(kinds.into_iter().map(|(kind, count)| vec![kind, count.to_string()]));
    out::say(out::table(&rows));
    Ok(ExitCode::SUCCESS)
}
