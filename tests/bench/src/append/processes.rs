//! Several processes of ours that compete for one log.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use eventlog::clock::machine_now;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::Instant;

use super::docket;
use crate::load::{self, Load};

/// How long the processes may take to start.
const START: Duration = Duration::from_secs(1);

/// What one of them is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Part {
    /// The log.
    #[arg(long)]
    postgres: String,
    /// Its writers.
    #[arg(long)]
    writers: usize,
    /// When all begin, microseconds since the epoch.
    #[arg(long)]
    begin_us: i64,
}

/// What one of them says.
#[derive(Serialize, Deserialize)]
struct Said {
    all: u32,
    counted: u32,
    took_us: Vec<u32>,
}

/// Shares the writers among so many processes of this program.
pub(crate) async fn run(url: &str, writers: usize, processes: usize) -> anyhow::Result<Load> {
    let begin = machine_now() + i64::try_from(START.as_micros())?;
    let mut children = Vec::new();
    for n in 0..processes {
        let share = (writers + n) / processes;
        let child = Command::new(std::env::current_exe()?)
            .args(["part", "--postgres", url, "--writers", &share.to_string(), "--begin-us", &begin.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        children.push(child.wait_with_output());
    }
    let mut load = Load::default();
    for child in children {
        let output = child.await?;
        anyhow::ensure!(output.status.success(), "one of the processes failed");
        let Said { all, counted, took_us } = serde_json::from_slice(&output.stdout).context("what a process said")?;
        load.add(Load { all, counted, took_us });
    }
    Ok(load)
}

/// Is one of them.
pub(crate) async fn part(part: &Part) -> anyhow::Result<String> {
    let log = docket::open(&part.postgres).await?;
    let wait = u64::try_from(part.begin_us - machine_now()).context("this process started too late")?;
    let begin = Instant::now() + Duration::from_micros(wait);
    let writers = (0..part.writers).map(|_| docket::Writer::of(&log, "bench"));
    let Load { all, counted, took_us } = load::drive(writers.collect(), begin).await?;
    Ok(serde_json::to_string(&Said { all, counted, took_us })?)
}
