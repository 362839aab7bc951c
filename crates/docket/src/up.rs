//! `docket up`: the cluster in one process until it is told to stop; `docket run`: one part of it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use chassis::endpoints::Endpoints;
use chassis::lifecycle::stop_signal;
use chassis::logs::{self, LogTo};
use clap::ValueEnum;
use eventlog::bus::{Address, Credentials};

use crate::anchor::Scale;
use crate::cli::{At, Broker, Run, Serving, Up};
use crate::cluster::{Cluster, Effects, Options, Part};
use crate::place::Place;
use crate::{events, out};

pub(crate) async fn run(at: &At, args: &Up) -> anyhow::Result<ExitCode> {
    logs::start(LogTo::Stderr, "info").map_err(|error| anyhow::anyhow!(error))?;
    let stop = stop_signal()?;
    serve(start(at, args, None).await?, stop).await
}

/// `docket run`.
pub(crate) async fn run_part(at: &At, args: &Run) -> anyhow::Result<ExitCode> {
    logs::start(LogTo::Stderr, "info").map_err(|error| anyhow::anyhow!(error))?;
    let stop = stop_signal()?;
    let place = Place::of(at)?;
    ensure!(matches!(place, Place::Postgres(_)), "processes share a log in PostgreSQL: say --postgres FILE");
    let options = options(&at.data, &args.serving, place);
    let bus = address(&args.broker, args.part)?;
    let outsiders = args.outsiders.as_deref().map(events::outsiders).transpose()?;
    serve(Cluster::start(&Options { parts: vec![args.part], bus, outsiders, ..options }).await?, stop).await
}

/// Starts every service over the files of the data directory, and writes there where they listen.
pub(crate) async fn start(at: &At, args: &Up, scale: Option<Scale>) -> anyhow::Result<Cluster> {
    let data = &at.data;
    ensure!(at.postgres.is_none(), "over PostgreSQL each part is a process of its own: docket run PART");
    std::fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
    let place = match &args.log {
        Some(log) => Place::Files { log: log.clone(), keys: data.join("keys.db") },
        None => Place::directory(data),
    };
    let read_only = args.read_only;
    let cluster = Cluster::start(&Options { read_only, scale, ..options(data, &args.serving, place) }).await?;
    if !read_only {
        let endpoints: Endpoints = format!("http://{}", cluster.addr).parse()?;
        std::fs::write(data.join("endpoints"), endpoints.to_string())?;
    }
    Ok(cluster)
}

fn options(data: &Path, serving: &Serving, place: Place) -> Options {
    let Serving { addr, admin_addr, key, hold_effects: hold, webhook_allow: reach, .. } = serving.clone();
    let Serving { smtp, smtp_ca, mail_from, channels, links_url, links_addr, .. } = serving.clone();
    Options {
        parts: Part::SERVICES.to_vec(),
        place,
        bus: None,
        outsiders: None,
        key: key.unwrap_or_else(|| data.join("dev.key")),
        addr,
        admin_addr,
        read_only: false,
        effects: Effects { hold, smtp, smtp_ca, mail_from, reach, channels, links_url, links_addr },
        scale: None,
    }
}

/// The broker that is named, if one is.
fn address(broker: &Broker, part: Part) -> anyhow::Result<Option<Address>> {
    let Some(url) = &broker.nats else { return Ok(None) };
    let name = part.to_possible_value().map_or_else(String::new, |part| format!("docket {}", part.get_name()));
    let credentials = match (&broker.nats_user, &broker.nats_password_file) {
        (Some(user), Some(file)) => {
            let password = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            Credentials::Password { user: user.clone(), password: password.trim().to_owned() }
        }
        _ => Credentials::None,
    };
    let (ca, tls) = (broker.nats_ca.clone(), broker.nats_ca.is_some());
    Ok(Some(Address { credentials, tls, ca, ..Address::open(url, &name) }))
}

async fn serve(cluster: Cluster, stop: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
    out::say(format!("grpc http://{}", cluster.addr));
    out::say(format!("admin http://{}", cluster.admin_addr));
    if let Some(addr) = cluster.links_addr {
        out::say(format!("links http://{addr}"));
    }
    cluster.run(stop).await?;
    Ok(ExitCode::SUCCESS)
}
