//! `docket demo`: a seeded help-desk day through the public API, then the cluster at real speed.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use chassis::lifecycle::stop_signal;
use chassis::logs::{self, LogTo};
use chassis::token::Role;
use decider::Micros;
use eventlog::clock::machine_now;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::anchor::Scale;
use crate::cli::{At, Demo};
use crate::client::Client;
use crate::cluster::Cluster;
use crate::{apply, out, up};

mod plan;
mod play;
mod table;

use plan::{DAY_MINUTES, MINUTE_US};
use play::Cast;

/// The documents of the sample help desk.
const PACK: &str = include_str!("../../../deploy/pack/helpdesk.yaml");
/// The zone the help desk lives in.
const ZONE: &str = "Europe/Berlin";
/// Time before the first call and after the last, in which the clock is scaled as well.
const MARGIN_US: Micros = 5 * MINUTE_US;
/// How long the tokens of the cast are valid.
const TOKEN_TTL: Duration = Duration::from_hours(7 * 24);
/// Who plays, in which roles.
const CAST: [(&str, &[Role]); 8] = [
    ("operator", &[Role::Admin]),
    ("customer", &[Role::Agent]),
    ("ann", &[Role::Agent]),
    ("bob", &[Role::Agent]),
    ("chen", &[Role::Agent]),
    ("dora", &[Role::Agent]),
    ("emil", &[Role::Agent]),
    ("sue", &[Role::Supervisor]),
];

pub(crate) async fn run(at: &At, args: &Demo) -> anyhow::Result<ExitCode> {
    logs::start(LogTo::Stderr, "warn").map_err(|error| anyhow::anyhow!(error))?;
    let stop = stop_signal()?;
    let mut options = up::options(at, &args.up);
    let start = last_working_day(machine_now())?;
    let until_us = start + DAY_MINUTES * MINUTE_US + MARGIN_US;
    options.scale = Some(Scale { start_us: start - MARGIN_US, until_us, permille: args.scale.saturating_mul(1_000) });
    let cluster = Cluster::start(&options).await?;
    let began = cluster.began_at.context("this data directory was not made by the demo: its clock was never scaled")?;
    let cast = Arc::new(cast(at, args, &cluster).await?);
    let admin = cluster.admin_addr;
    let stopping = CancellationToken::new();
    let end = stopping.clone();
    let day = async {
        let whole = day(&cast, args, began + MARGIN_US).await;
        if args.exit || whole.is_err() {
            stopping.cancel();
        } else {
            out::say(table::tour(at, admin));
        }
        whole
    };
    let shutdown = async {
        tokio::select! {
            () = stop => {}
            () = end.cancelled() => {}
        }
    };
    let (whole, served) = tokio::join!(day, cluster.run(shutdown));
    served?;
    Ok(if whole? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Applies the pack, plays the day and prints the table; false if something the day is made of did not happen.
async fn day(cast: &Arc<Cast>, args: &Demo, start: Micros) -> anyhow::Result<bool> {
    let operator = cast.people.get("operator").context("the operator plays")?;
    let documents = ticket::yaml::parse(PACK).map_err(|faults| anyhow::anyhow!("the pack is not valid: {faults:?}"))?;
    apply::put_in_force(operator, &documents).await?;
    let stories = plan::day(args.seed, start, args.tickets);
    let steps = stories.iter().map(Vec::len).sum::<usize>() as u64;
    let progress = tokio::spawn(progress(Arc::clone(cast), steps));
    let played = play::play(Arc::clone(cast), stories).await;
    progress.abort();
    played?;
    let evening = start + DAY_MINUTES * MINUTE_US;
    while cast.clock.now() < evening {
        tokio::time::sleep(cast.clock.wait(evening, Duration::from_secs(1))).await;
    }
    let summary = table::summary(cast).await?;
    out::say(&summary.text);
    Ok(summary.whole)
}

/// Everybody who plays, connected with a token of their own.
async fn cast(at: &At, args: &Demo, cluster: &Cluster) -> anyhow::Result<Cast> {
    let here = At { endpoint: Some(format!("http://{}", reachable(cluster))), ..at.clone() };
    let operator = Client::connect(&here).await?;
    let mut people = BTreeMap::new();
    for (name, roles) in CAST {
        let token = cluster.key.issue(name, &at.tenant, roles, TOKEN_TTL)?;
        people.insert(name, operator.with_token(&token)?);
    }
    let acks = match &args.acks {
        Some(file) => Some(Mutex::new(OpenOptions::new().create(true).append(true).open(file)?)),
        None => None,
    };
    Ok(Cast { people, clock: cluster.clock.clone(), seed: args.seed, counts: play::Counts::default(), acks })
}

/// The address to call when it listens on every interface.
fn reachable(cluster: &Cluster) -> std::net::SocketAddr {
    let mut addr = cluster.addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    addr
}

/// Eight in the morning of the last working day before today.
fn last_working_day(now: Micros) -> anyhow::Result<Micros> {
    let zone = TimeZone::get(ZONE)?;
    let mut day = Timestamp::from_microsecond(now)?.to_zoned(zone.clone()).date().checked_sub(1.day())?;
    while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        day = day.checked_sub(1.day())?;
    }
    Ok(day.to_datetime(Time::constant(8, 0, 0, 0)).to_zoned(zone)?.timestamp().as_microsecond())
}

/// A bar on a terminal, a line now and then elsewhere.
async fn progress(cast: Arc<Cast>, steps: u64) {
    let bar = ProgressBar::new(steps);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len}") {
        bar.set_style(style.progress_chars("=> "));
    }
    for tick in 0_u32.. {
        let counts = &cast.counts;
        let sent = counts.sent.load(Ordering::Relaxed);
        let clock = Timestamp::from_microsecond(cast.clock.now()).unwrap_or_default();
        let (opened, closed) = (counts.opened.load(Ordering::Relaxed), counts.closed.load(Ordering::Relaxed));
        let text = format!("{} opened {opened} closed {closed}", clock.strftime("%H:%M"));
        bar.set_position(sent);
        bar.set_message(text.clone());
        if bar.is_hidden() && tick % 25 == 0 {
            out::note(format!("{text}, {sent} of {steps} steps"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
