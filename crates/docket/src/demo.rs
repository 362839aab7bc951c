//! `docket demo`: a seeded service day with a mail server of its own, on a cluster in this process, which then goes on at
//! real speed, or on one of several processes.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chassis::lifecycle::stop_signal;
use chassis::logs::{self, LogTo};
use chassis::token::DevKey;
use decider::Micros;
use eventlog::Clock;
use eventlog::clock::machine_now;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use simulator::day::{self, Cast, DAY_MINUTES, MINUTE_US, Setting, Stage};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::anchor::{self, Scale};
use crate::cli::{At, Demo, On};
use crate::client::{self, Client};
use crate::cluster::Cluster;
use crate::place::{self, Place};
use crate::{apply, out, up};

mod arrived;
mod lag;
mod post;
mod table;

/// The documents of the sample company.
const PACK: &str = include_str!("../../../deploy/pack/service.yaml");
/// The zone the company lives in.
const ZONE: &str = "Europe/Berlin";
/// Machine time before the first call: documents are put in force, people are introduced.
const LEAD_SECS: i64 = 3;
/// The same where processes are yet to be started.
const CLUSTER_LEAD_SECS: i64 = 25;
/// The most business time it may take.
const LEAD_MAX_US: Micros = 6 * 60 * MINUTE_US;
/// Business time after the last minute in which the clock is scaled as well.
const MARGIN_US: Micros = 5 * MINUTE_US;

pub(crate) async fn run(at: &At, args: &Demo) -> anyhow::Result<ExitCode> {
    logs::start(LogTo::Stderr, "warn").map_err(|error| anyhow::anyhow!(error))?;
    let whole = match args.on {
        Some(On::Anchored) => return anchor_only(at, args).await,
        Some(On::Cluster) => on_cluster(at, args).await?,
        None => embedded(at, args).await?,
    };
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells the log when its business time begins: every process started on it from then on keeps that time.
async fn anchor_only(at: &At, args: &Demo) -> anyhow::Result<ExitCode> {
    let log = place::open(&Place::of(at)?, false).await?;
    anchor::clock(&log, Some(scale(args, CLUSTER_LEAD_SECS)?), true).await?;
    Ok(ExitCode::SUCCESS)
}

/// Plays the day on processes that run already, and says how far they were behind each other.
async fn on_cluster(at: &At, args: &Demo) -> anyhow::Result<bool> {
    let stop = stop_signal()?;
    let log = place::open(&Place::of(at)?, true).await?;
    let (clock, began) = anchor::clock(&log, None, false).await?;
    let setting = setting(at, args, clock, began)?;
    tokio::select! {
        () = stop => bail!("the day was broken off"),
        whole = play(at, setting) => whole,
    }
}

/// Plays the day on a cluster of this process, which goes on at real speed.
async fn embedded(at: &At, args: &Demo) -> anyhow::Result<bool> {
    let stop = stop_signal()?;
    let post = post::Post::start(&at.data.join("sink"))?;
    let mut up = args.up.clone();
    up.serving.smtp = Some(format!("smtp://{}", post.smtp));
    up.serving.webhook_allow = "127.0.0.1".parse()?;
    let cluster = up::start(at, &up, Some(scale(args, LEAD_SECS)?)).await?;
    let here = At { endpoint: Some(format!("http://{}", reachable(&cluster))), ..at.clone() };
    let setting = setting(&here, args, cluster.clock.clone(), cluster.began_at)?;
    let (admin, health) = (cluster.admin_addr, cluster.health.clone());
    let stopping = CancellationToken::new();
    let end = stopping.clone();
    let day = async {
        ensure!(health.until_ready().await, "the cluster stopped before it was ready");
        let whole = play(&here, setting).await;
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
    post.stop()?;
    whole
}

/// How business time runs from a while before the morning to the end of the day.
fn scale(args: &Demo, lead_secs: i64) -> anyhow::Result<Scale> {
    let start = morning(last_working_day(machine_now())?)?;
    let lead = (lead_secs * 1_000_000 * Micros::from(args.scale)).min(LEAD_MAX_US);
    let until_us = start + DAY_MINUTES * MINUTE_US + MARGIN_US;
    Ok(Scale { start_us: start - lead, until_us, permille: args.scale.saturating_mul(1_000) })
}

fn setting(at: &At, args: &Demo, clock: Clock, began: Option<Micros>) -> anyhow::Result<Setting> {
    let began = began.context("this log was not made by the demo: its clock was never scaled")?;
    Ok(Setting {
        endpoints: client::endpoints(at)?,
        key: DevKey::load_or_create(&at.data.join("dev.key"))?,
        tenant: at.tenant.clone(),
        clock,
        // A day that was broken off is gone on with: it began before.
        start_us: morning(began)?,
        seed: args.seed,
        orders: args.tickets,
        acks: args.acks.clone(),
        sink: at.data.join("sink"),
    })
}

/// Applies the pack, plays the day and prints the table; false if something the day is made of did not happen.
async fn play(here: &At, setting: Setting) -> anyhow::Result<bool> {
    let operator = Client::connect(here).await?;
    let documents = ticket::yaml::parse(PACK).map_err(|faults| anyhow::anyhow!("the pack is not valid: {faults:?}"))?;
    apply::put_in_force(&operator, &documents, "").await?;
    let stage = Arc::new(Stage::set(setting, &Cast::of(&documents)?).await?);
    let progress = AbortOnDropHandle::new(tokio::spawn(progress(Arc::clone(&stage))));
    let lag = lag::Lag::measure(operator.clone(), &stage);
    day::play(&stage).await?;
    drop(progress);
    let lag = lag.table();
    stage.explain_breaches().await?;
    arrived::settled(&stage).await?;
    let summary = table::summary(&operator, &stage).await?;
    out::say(&summary.text);
    out::say(format!("\nFrom an answer until another service knows it:\n{lag}"));
    if !summary.missing.is_empty() {
        out::note(format!("the day was not whole; missing: {}", summary.missing.join(", ")));
    }
    Ok(summary.missing.is_empty())
}

/// The address to call when it listens on every interface.
fn reachable(cluster: &Cluster) -> std::net::SocketAddr {
    let mut addr = cluster.addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    addr
}

/// Some instant of the last working day before today.
fn last_working_day(now: Micros) -> anyhow::Result<Micros> {
    let mut day = Timestamp::from_microsecond(now)?.to_zoned(TimeZone::get(ZONE)?).checked_sub(1.day())?;
    while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        day = day.checked_sub(1.day())?;
    }
    Ok(day.timestamp().as_microsecond())
}

/// Eight in the morning of the day of an instant.
fn morning(at: Micros) -> anyhow::Result<Micros> {
    let zone = TimeZone::get(ZONE)?;
    let date = Timestamp::from_microsecond(at)?.to_zoned(zone.clone()).date();
    Ok(date.to_datetime(Time::constant(8, 0, 0, 0)).to_zoned(zone)?.timestamp().as_microsecond())
}

/// A bar on a terminal, a line now and then elsewhere.
async fn progress(stage: Arc<Stage>) {
    let bar = ProgressBar::new(DAY_MINUTES.unsigned_abs());
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}]") {
        bar.set_style(style.progress_chars("=> "));
    }
    let start = stage.evening_us() - DAY_MINUTES * MINUTE_US;
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    for tick in 0_u32.. {
        let (now, so_far) = (stage.clock().now(), stage.progress());
        let clock = Timestamp::from_microsecond(now).unwrap_or_default().to_zoned(zone.clone());
        let text = format!("{} opened {} ended {}", clock.strftime("%H:%M"), so_far.opened, so_far.ended);
        bar.set_position(((now - start) / MINUTE_US).max(0).unsigned_abs());
        bar.set_message(text.clone());
        if bar.is_hidden() && tick % 25 == 0 {
            out::note(format!("{text}, {} calls answered", so_far.calls));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
