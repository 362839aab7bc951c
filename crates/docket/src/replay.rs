//! `docket replay`: another system's work-order log under the clocks of a policy.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use simulator::replay::{self, Options, Outcome, ReplayError};

use crate::cli::Replay;
use crate::out;

pub(crate) async fn run(args: Replay) -> anyhow::Result<ExitCode> {
    let options = Options {
        file: args.file,
        policy: args.policy,
        calendars: args.calendars,
        reactions: args.reactions,
        robots: args.robots,
        log: args.log,
    };
    let outcome = tokio::task::spawn_blocking(move || watched(|progress| replay::run(&options, progress))).await??;
    write(args.json.as_ref(), outcome.json.as_bytes())?;
    write(args.tickets.as_ref(), &outcome.tickets_csv)?;
    write(args.due.as_ref(), &outcome.due_csv)?;
    out::say(summary(&outcome));
    Ok(ExitCode::SUCCESS)
}

/// Plays a log with a bar on a terminal that says how far it has come.
pub(crate) fn watched<T>(play: impl FnOnce(&mut dyn FnMut(u64, u64)) -> Result<T, ReplayError>) -> anyhow::Result<T> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("replaying [{bar:40}] {pos}/{len} rows {per_sec}")?);
    let outcome = play(&mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    Ok(outcome)
}

pub(crate) fn write(file: Option<&PathBuf>, bytes: &[u8]) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    std::fs::write(file, bytes).with_context(|| format!("writing {}", file.display()))
}

fn summary(outcome: &Outcome) -> String {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let report = &outcome.report;
    let mut rows = vec![
        row("log", outcome.log.clone()),
        row("rows", outcome.rows.to_string()),
        row("repeated rows dropped", outcome.duplicates.to_string()),
        row("rows refused", outcome.refused.len().to_string()),
    ];
    for (reason, count) in outcome.refused_by_reason() {
        rows.push(row(&format!("  {reason}"), count.to_string()));
    }
    rows.extend([
        row("tickets", report.tickets.to_string()),
        row("unresolved", report.unresolved.to_string()),
        row("reopened", report.tickets_reopened.to_string()),
        row("thresholds fired", outcome.fired.to_string()),
        row("events in the log", outcome.events.to_string()),
    ]);
    for (name, share) in &report.sla {
        rows.push(row(name, format!("{} of {}", share.breached, report.tickets)));
    }
    out::table(&rows)
}
