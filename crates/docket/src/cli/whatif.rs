//! What may be typed about other policies, and about tickets that were missed.

use std::path::PathBuf;

use clap::Args;

use super::reminders::Period;

#[derive(Args, Debug)]
pub(crate) struct WhatIf {
    /// A file of `SlaPolicy` and `Calendar` documents, laid under the past as if applied as the period begins; repeatable.
    /// Without any, what was in force is run again: nothing should differ.
    #[arg(long = "policy", value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) period: Period,
    /// Where to write every difference.
    #[arg(long, value_name = "OUT")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Shadow {
    /// The policy; every shadow there is, if not given.
    pub(crate) name: Option<String>,
    /// End it.
    #[arg(long, requires = "name")]
    pub(crate) withdraw: bool,
    /// Where to write every difference.
    #[arg(long, value_name = "OUT", requires = "name")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Autopsy {
    /// A work-order log: JSON lines, gzip or plain.
    pub(crate) file: PathBuf,
    /// The SLA policy: a file, or the name of one in the pack.
    #[arg(long)]
    pub(crate) policy: Option<String>,
    /// Its calendar: a file, or the name of one in the pack.
    #[arg(long)]
    pub(crate) calendar: Option<String>,
    /// Activities that count as a reaction; `*` crosses `/`, a leading `!` excludes. Repeatable.
    #[arg(long = "reaction")]
    pub(crate) reactions: Vec<String>,
    /// An agent that is a program. Repeatable.
    #[arg(long = "robot")]
    pub(crate) robots: Vec<String>,
    /// Where to write the sums and every missed promise.
    #[arg(long, value_name = "OUT")]
    pub(crate) json: Option<PathBuf>,
    /// Where to write a line for every missed promise.
    #[arg(long, value_name = "OUT")]
    pub(crate) csv: Option<PathBuf>,
}
