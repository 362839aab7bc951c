//! `docket up`: the cluster in one process until it is told to stop.

use std::process::ExitCode;

use chassis::lifecycle::stop_signal;
use chassis::logs::{self, LogTo};

use crate::cli::{At, Up};
use crate::cluster::{Cluster, Options};
use crate::out;

pub(crate) async fn run(at: &At, args: &Up) -> anyhow::Result<ExitCode> {
    logs::start(LogTo::Stderr, "info").map_err(|error| anyhow::anyhow!(error))?;
    let stop = stop_signal()?;
    let cluster = Cluster::start(&options(at, args)).await?;
    out::say(format!("grpc http://{}", cluster.addr));
    out::say(format!("admin http://{}", cluster.admin_addr));
    cluster.run(stop).await?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn options(at: &At, args: &Up) -> Options {
    Options {
        data: at.data.clone(),
        log: args.log.clone(),
        addr: args.addr.clone(),
        admin_addr: args.admin_addr.clone(),
        read_only: args.read_only,
        hold_effects: args.hold_effects,
        smtp: args.smtp.clone(),
        mail_from: args.mail_from.clone(),
        scale: None,
    }
}
