//! `docket log`: looks into the log of a data directory, also while a cluster runs on it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use eventlog::store::{Row, Select};
use eventlog::{Log, verify};
use ticket::codec::rfc3339;

use crate::cli::{At, Log as Command};
use crate::{cluster, out};

/// Rows read at once.
const PAGE: i64 = 1_000;

pub(crate) async fn run(at: &At, command: &Command) -> anyhow::Result<ExitCode> {
    let log = cluster::open(&at.data.join("log.db"), &at.data, true).await?;
    match command {
        Command::Verify => verified(&log).await,
        Command::Tail { lines } => tail(&log, *lines).await,
        Command::Stat => stat(&log).await,
    }
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
    let head = log.head().await?;
    let mut kinds: BTreeMap<String, i64> = BTreeMap::new();
    let mut after = 0;
    loop {
        let rows = log.read(&Select::All, Some(&[]), after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.position;
        for row in rows {
            *kinds.entry(row.kind).or_default() += 1;
        }
    }
    let mut rows = vec![
        vec!["log".to_owned(), head.log.to_string()],
        vec!["epoch".to_owned(), head.epoch.to_string()],
        vec!["position".to_owned(), head.position.to_string()],
        vec!["recorded".to_owned(), rfc3339(head.recorded_us)],
    ];
    rows.extend(kinds.into_iter().map(|(kind, count)| vec![kind, count.to_string()]));
    out::say(out::table(&rows));
    Ok(ExitCode::SUCCESS)
}
