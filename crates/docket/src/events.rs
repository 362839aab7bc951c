//! `docket events`: what outsiders read and how they are let in, printed from the code that does it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use eventlog::outside::{Outsiders, accounts};

use crate::cli::Events;
use crate::out;

mod asyncapi;
mod page;
mod schemas;

/// Carries the command out; none of them needs a cluster.
pub(crate) fn run(command: &Events) -> anyhow::Result<ExitCode> {
    let text = match command {
        Events::Accounts { file } => accounts(&outsiders(file)?),
        Events::Asyncapi => format!("{:#}", asyncapi::document()),
        Events::Schemas => format!("{:#}", schemas::bundle()),
        Events::Doc { examples } => page::page(examples)?,
    };
    out::say(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Reads the file that names the outsiders; every fault is told with its place.
pub(crate) fn outsiders(file: &Path) -> anyhow::Result<Outsiders> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Outsiders::load(&text).or_else(|faults| {
        let told = faults.iter().map(|fault| format!("{}:{}: {}", fault.place.line, fault.place.column, fault.message));
        bail!("{}: {}", file.display(), told.collect::<Vec<_>>().join("; "))
    })
}
