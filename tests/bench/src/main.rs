//! `make bench`: Docket beside its peers and its limits in one run: one table on standard output, the same as JSON.

mod alertmanager;
mod append;
mod clocks;
mod figure;
mod flood;
mod load;
mod nats;
mod react;
mod relay;
mod replay;
mod server;
mod table;
mod target;
mod whatif;

use std::io::Write;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use figure::Book;
use replay::Replay;
use server::Server;
use table::Report;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures.
    Run(Run),
    /// Is one of several processes that write at once.
    #[command(hide = true)]
    Part(append::processes::Part),
    /// Is a notifier by itself.
    #[command(hide = true)]
    Notify(alertmanager::own::Part),
    /// Is a state of open tickets.
    #[command(hide = true)]
    Hold {
        /// How many.
        #[arg(long)]
        tickets: u32,
    },
    /// Is a relay, or a service that follows.
    #[command(hide = true)]
    Beside(react::Part),
}

/// What is measured, and with what.
#[derive(Debug, clap::Args)]
struct Run {
    /// The administrator's address of a PostgreSQL nobody else works on.
    #[arg(long)]
    postgres: String,
    /// Where the package of message-db lies.
    #[arg(long)]
    message_db: PathBuf,
    /// The program of nats-server.
    #[arg(long)]
    nats_server: PathBuf,
    /// A directory on a real disk.
    #[arg(long)]
    dir: PathBuf,
    /// Where the figures go as JSON.
    #[arg(long)]
    json: PathBuf,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Events of the log that is rebuilt from.
    #[arg(long, default_value_t = 500_000)]
    events: u32,
    /// Open tickets with four clocks each.
    #[arg(long, default_value_t = 1_000_000)]
    tickets: u32,
    /// Notifications beside Alertmanager.
    #[arg(long, default_value_t = 10_000)]
    notifications: usize,
    /// Only these parts.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Part>,
}

/// A part of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The log's writers.
    Append,
    /// Rebuilding from a long log.
    Replay,
    /// The log into a stream.
    Relay,
    /// From one service to another.
    React,
    /// Two tenants.
    Flood,
    /// Deadlines.
    Clocks,
    /// Another policy under the past.
    #[value(name = "whatif")]
    WhatIf,
    /// Notifications.
    Alertmanager,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let answer = match Cli::parse().command {
        Command::Run(run) => Box::pin(measure(&run)).await?,
        Command::Part(part) => append::processes::part(&part).await?,
        Command::Notify(part) => Box::pin(alertmanager::own::run(&part)).await?,
        Command::Hold { tickets } => clocks::held(tickets)?.to_string(),
        Command::Beside(part) => react::run(&part).await?,
    };
    Ok(writeln!(std::io::stdout(), "{answer}")?)
}

async fn measure(run: &Run) -> anyhow::Result<String> {
    let mut server = Server::at(&run.postgres).await?;
    let about = vec![
        ("machine".to_owned(), machine()?),
        ("PostgreSQL".to_owned(), format!("{}, default settings", server.version().await?)),
        ("nats-server".to_owned(), nats::version(&run.nats_server).await?),
    ];
    let wanted = |part: Part| run.only.is_empty() || run.only.contains(&part);
    let mut book = Book::default();
    let replay = if wanted(Part::Replay) { Some(Replay::made(&mut server, &run.dir, run.events).await?) } else { None };
    for round in 1..=run.rounds {
        writeln!(std::io::stderr(), "round {round} of {}", run.rounds)?;
        if wanted(Part::Append) {
            Box::pin(append::round(&mut server, &run.dir, &run.message_db, &mut book)).await?;
        }
        if let Some(replay) = &replay {
            replay.round(&server, &mut book).await?;
        }
        if wanted(Part::Relay) {
            relay::round(&mut server, &run.nats_server, &run.dir, &mut book).await?;
        }
        if wanted(Part::React) {
            Box::pin(react::round(&mut server, &run.nats_server, &run.dir, &mut book)).await?;
        }
        if wanted(Part::Flood) {
            flood::round(&mut server, &mut book).await?;
        }
        if wanted(Part::Clocks) {
            clocks::round(&mut server, run.tickets, &mut book).await?;
        }
        if wanted(Part::WhatIf) {
            whatif::round(run.tickets, &mut book)?;
        }
        if wanted(Part::Alertmanager) {
            Box::pin(alertmanager::round(&run.dir, run.notifications, &mut book)).await?;
        }
    }
    let targets = [
        append::targets(),
        replay::targets(),
        relay::targets(),
        react::targets(),
        flood::targets(),
        clocks::targets(),
        whatif::targets(),
        alertmanager::targets(),
    ];
    let targets: Vec<_> = targets.into_iter().flatten().collect();
    let report = Report::of(about, run.rounds, &targets, book);
    std::fs::write(&run.json, serde_json::to_vec_pretty(&report)?)?;
    Ok(report.text())
}

/// Processor, memory, kernel.
fn machine() -> anyhow::Result<String> {
    let value = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file)?;
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        anyhow::Ok(line.split_once(':').unwrap_or_default().1.trim().to_owned())
    };
    let cores = std::thread::available_parallelism()?;
    let (model, memory) = (value("/proc/cpuinfo", "model name")?, value("/proc/meminfo", "MemTotal")?);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!("{cores} cores {model}, {memory}, Linux {}", kernel.trim()))
}
