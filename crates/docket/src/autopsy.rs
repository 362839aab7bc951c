//! `docket autopsy`: why tickets of a past log missed their promise.

use std::process::ExitCode;

use simulator::autopsy::{self, Autopsy};
use simulator::replay::Options;

use crate::cli::whatif::Autopsy as Asked;
use crate::out;
use crate::replay::{watched, write};

pub(crate) async fn run(args: Asked) -> anyhow::Result<ExitCode> {
    let options = Options {
        file: args.file,
        policy: args.policy,
        calendars: args.calendar.into_iter().collect(),
        reactions: args.reactions,
        robots: args.robots,
        log: None,
    };
    let found = tokio::task::spawn_blocking(move || watched(|progress| autopsy::run(&options, progress))).await??;
    if args.json.is_some() {
        write(args.json.as_ref(), found.json()?.as_bytes())?;
    }
    write(args.csv.as_ref(), &found.csv()?)?;
    out::say(summary(&found)?);
    Ok(ExitCode::SUCCESS)
}

fn summary(found: &Autopsy) -> anyhow::Result<String> {
    let head = ["CLOCK", "CLASS", "RULE", "MISSED"].map(str::to_owned);
    let rows: Vec<_> = [head].into_iter().chain(found.counts()?).map(|row| row.to_vec()).collect();
    let (missed, promises) = (found.tickets_missed(), found.missed.len());
    let sums = format!("{missed} of {} tickets of {} missed {promises} promises", found.tickets, found.log);
    Ok(format!("{sums}; {} rows refused\n{}", found.refused, out::table(&rows)))
}
