//! The other processes: a relay, and a service that follows through the bus.

use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use eventlog::bus::relay::Whole;
use eventlog::bus::{Address, Bus, Relay, Shape, Tail};
use eventlog::clock::machine_now;
use eventlog::{Clock, Keys, Log, Postgres, Service};
use sla_monitor::SlaMonitor;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// What one of them is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Part {
    /// What it is.
    #[arg(value_enum)]
    kind: Kind,
    /// The log.
    #[arg(long)]
    postgres: String,
    /// The bus.
    #[arg(long)]
    nats: String,
}

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Publishes the log.
    Relay,
    /// Folds it, and says when it had folded what.
    Follow,
}

/// Such a process. It ends when its standard input does.
pub(crate) struct Told(Child);

impl Told {
    pub(crate) fn start(kind: Kind, postgres: &str, nats: &str) -> anyhow::Result<Self> {
        let name = kind.to_possible_value().context("every kind has a name")?;
        let child = Command::new(std::env::current_exe()?)
            .args(["beside", name.get_name(), "--postgres", postgres, "--nats", nats])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self(child))
    }

    /// Ends it: positions, and when each had been folded.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Vec<(i64, i64)>> {
        drop(self.0.stdin.take());
        let output = self.0.wait_with_output().await?;
        anyhow::ensure!(output.status.success(), "one of the processes failed");
        serde_json::from_slice(&output.stdout).context("what a process said")
    }
}

/// Is one of them.
pub(crate) async fn run(part: &Part) -> anyhow::Result<String> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::task::spawn_blocking(move || {
        // Whether it ends or fails: nobody is there any more.
        let _ended = std::io::stdin().read_to_end(&mut Vec::new());
        told.cancel();
    });
    let bus = Bus::connect(&Address::open(&part.nats, "bench")).await?;
    let (store, keys) = (Arc::new(Postgres::open(&part.postgres).await?), Keys::postgres(&part.postgres).await?);
    let seen = match part.kind {
        Kind::Relay => {
            Relay::new(Log::open(store, keys), bus, Shape::docket(1), Whole).run(stop).await;
            Vec::new()
        }
        Kind::Follow => {
            let tail = Tail::new();
            let log = Log::open_with_tail(store, keys, Arc::clone(&tail));
            let following = tokio::spawn({
                let (log, stop) = (Arc::clone(&log), stop.clone());
                async move { tail.follow(&log, &bus, &Shape::docket(1), stop).await }
            });
            let seen = follow(log, stop).await?;
            following.await?;
            seen
        }
    };
    Ok(serde_json::to_string(&seen)?)
}

async fn follow(log: Arc<Log>, stop: CancellationToken) -> anyhow::Result<Vec<(i64, i64)>> {
    let service = Service::<SlaMonitor>::start(log, Clock::machine()).await?;
    let mut folded = service.watch();
    let told = stop.clone();
    let noting = tokio::spawn(async move {
        let mut seen = Vec::new();
        loop {
            tokio::select! {
                () = told.cancelled() => return seen,
                changed = folded.changed() => if changed.is_err() { return seen },
            }
            seen.push((i64::try_from(*folded.borrow_and_update()).unwrap_or(i64::MAX), machine_now()));
        }
    });
    service.follow(stop).await?;
    Ok(noting.await?)
}
