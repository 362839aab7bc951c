//! The one command as a library: the cluster, in one process or in several, and everything one can ask of it.

use std::process::ExitCode;

use clap::Parser;

pub mod anchor;
mod apply;
mod autopsy;
mod bounce;
mod cli;
mod client;
pub mod cluster;
mod demo;
mod doctor;
mod engineers;
mod events;
mod hours;
mod import;
mod inbox;
mod log;
mod out;
pub mod place;
mod reminders;
mod replay;
mod sink;
mod status;
mod tickets;
mod token;
mod up;
mod visits;
mod whatif;
mod why;

/// Reads the command line and carries it out.
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return out::failed(&error.into()),
    };
    runtime.block_on(carry_out(cli)).unwrap_or_else(|error| out::failed(&error))
}

async fn carry_out(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    use cli::Command;
    let at = cli.at;
    match cli.command {
        Command::Up(args) => up::run(&at, &args).await,
        Command::Run(args) => up::run_part(&at, &args).await,
        Command::Demo(args) => demo::run(&at, &args).await,
        Command::Apply(args) => apply::run(&at, &args).await,
        Command::Ticket(command) => tickets::run(&at, &command).await,
        Command::Why(args) => why::run(&at, &args).await,
        Command::Visit(command) => visits::run(&at, &command).await,
        Command::Engineer(command) => engineers::run(&at, &command).await,
        Command::Inbox(args) => inbox::run(&at, &args).await,
        Command::Reminders(command) => Box::pin(reminders::run(&at, &command)).await,
        Command::Bounce { file } => bounce::run(&at, &file).await,
        Command::Doctor(args) => doctor::run(&at, args).await,
        Command::Status => status::run(&at).await,
        Command::Log(command) => Box::pin(log::run(&at, &command)).await,
        Command::Events(command) => events::run(&command),
        Command::Import(args) => import::run(&at, &args).await,
        Command::Calendar(command) => hours::run(&command),
        Command::Replay(args) => replay::run(args).await,
        Command::Autopsy(args) => autopsy::run(args).await,
        Command::WhatIf(args) => whatif::run(&at, &args).await,
        Command::Shadow(args) => whatif::shadow(&at, &args).await,
        Command::Sink(args) => sink::run(&args).await,
        Command::Token(args) => token::run(&at, &args),
    }
}
