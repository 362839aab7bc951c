//! A process of the cluster: some parts of it over one log, behind one listener, with or without a bus. Every service over a
//! file is `docket up`, one part over PostgreSQL is `docket run`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use analytics::Analytics;
use anyhow::Context;
use chassis::health::Health;
use chassis::lifecycle::Lifecycle;
use chassis::page::PageKey;
use chassis::serve::{Limits, Server};
use chassis::telemetry::Telemetry;
use chassis::token::DevKey;
use clap::ValueEnum;
use decider::Micros;
use dispatch::Dispatch;
use eventlog::Clock;
use eventlog::bus::relay::Whole;
use eventlog::bus::{Address, Bus, Shape, Tail};
use eventlog::outside::Outsiders;
use intake::Intake;
use notifier::Notifier;
use sla_monitor::SlaMonitor;
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::anchor::{self, Scale};
use crate::place::{self, Place};

mod bus;
mod house;
mod letters;
mod served;
mod standing;

use house::House;
pub use letters::Effects;
use served::Served;
use standing::Standing;

/// How long a stop may take before tasks are ended by force: longer than a letter is under way, four answers of a mail
/// server.
const GRACE: Duration = Duration::from_secs(50);

/// Copies of a stream that the brokers keep.
const STREAM_REPLICAS: usize = 1;

/// A part of the cluster that can be a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Fills the streams of the bus from the log.
    Relay,
    /// Takes tickets in and moves them.
    Intake,
    /// Sends engineers.
    Dispatch,
    /// Runs the clocks.
    SlaMonitor,
    /// Tells people.
    Notifier,
    /// Counts.
    Analytics,
}

impl Part {
    /// The services.
    pub const SERVICES: [Self; 5] = [Self::Intake, Self::Dispatch, Self::SlaMonitor, Self::Notifier, Self::Analytics];

    /// The name its health is told under.
    fn health(self) -> &'static str {
        match self {
            Self::Relay => bus::RELAY,
            Self::Intake => Intake::WIRE,
            Self::Dispatch => Dispatch::WIRE,
            Self::SlaMonitor => SlaMonitor::WIRE,
            Self::Notifier => Notifier::WIRE,
            Self::Analytics => Analytics::WIRE,
        }
    }
}

/// What a process is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it serves.
    pub parts: Vec<Part>,
    /// Where its log and its keys lie.
    pub place: Place,
    /// The bus, if there is one.
    pub bus: Option<Address>,
    /// Who reads from outside, if the relay is to serve anybody.
    pub outsiders: Option<Outsiders>,
    /// The file of the development key, made if absent.
    pub key: PathBuf,
    /// Where to listen for gRPC; port 0 takes a free one.
    pub addr: String,
    /// Where to serve metrics and probes.
    pub admin_addr: String,
    /// Answers queries only, beside the owner of the log.
    pub read_only: bool,
    /// How effects leave.
    pub effects: Effects,
    /// Runs business time faster for a while, on a log of files that has no anchor yet.
    pub scale: Option<Scale>,
}

/// A process that listens; [`Cluster::run`] serves until told to stop.
pub struct Cluster {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where it serves metrics and probes.
    pub admin_addr: SocketAddr,
    /// Where it answers links, if it does.
    pub links_addr: Option<SocketAddr>,
    /// The business clock.
    pub clock: Clock,
    /// When the log's business time began, if it was ever scaled.
    pub began_at: Option<Micros>,
    /// Whether it is ready.
    pub health: Health,
    lifecycle: Lifecycle,
}

impl Cluster {
    /// Binds the listeners, opens the log and takes every part in; what its snapshot lacks is folded while it runs.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        let (listener, admin) = (bind(&options.addr).await?, bind(&options.admin_addr).await?);
        let (addr, admin_addr) = (listener.local_addr()?, admin.local_addr()?);
        let key = DevKey::load_or_create(&options.key)?;
        let carrier = match &options.bus {
            Some(address) => Some(Bus::connect(address).await?),
            None => None,
        };
        // The relay fills the stream from the log itself.
        let tail = carrier.clone().filter(|_| options.parts != [Part::Relay]).map(|bus| (Tail::new(), bus));
        let log = match &tail {
            Some((tail, _)) => place::open_with_tail(&options.place, Arc::clone(tail)).await?,
            None => place::open(&options.place, options.read_only).await?,
        };
        // Of a database there is no owner: who plays a day on it anchors its time before any process starts.
        let owns = matches!(options.place, Place::Files { .. }) && !options.read_only;
        let (clock, began_at) = anchor::clock(&log, options.scale, owns).await?;
        let names: Vec<_> = options.parts.iter().map(|part| part.health()).collect();
        let telemetry = Telemetry::new()?;
        let mut house = House {
            standing: Standing::new(&log, &telemetry).await?,
            pages: PageKey::new(&key.derive("pages")),
            reach: options.effects.reach.clone(),
            links: key.derive("links"),
            links_addr: None,
            health: Health::new(&names).await,
            lifecycle: Lifecycle::new(),
            read_only: options.read_only,
            routes: Routes::default(),
            access: Vec::new(),
            clock: clock.clone(),
            log,
            telemetry,
        };
        if let Some((tail, bus)) = tail {
            house.follow(tail, bus, Shape::docket(STREAM_REPLICAS));
        }
        for part in &options.parts {
            house.furnish(*part, options, carrier.as_ref()).await?;
        }
        let (health, links_addr) = (house.health.clone(), house.links_addr);
        let lifecycle = house.open_doors(&key, (listener, admin));
        Ok(Self { addr, admin_addr, links_addr, clock, began_at, health, lifecycle })
    }

    /// Serves until `shutdown`, or until a part dies.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        Ok(self.lifecycle.run(shutdown, GRACE).await?)
    }
}

async fn bind(addr: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("listening on {addr}"))
}

impl House {
    async fn furnish(&mut self, part: Part, options: &Options, bus: Option<&Bus>) -> anyhow::Result<()> {
        match part {
            Part::Relay => {
                let bus = bus.context("a relay needs a bus: say --nats URL")?;
                let mut reports = vec![self.relay(bus.clone(), Shape::docket(STREAM_REPLICAS), Whole)];
                if let Some(outsiders) = &options.outsiders {
                    reports.push(self.tell_outsiders(bus, outsiders));
                }
                self.watch_relays(reports);
            }
            Part::Intake => drop(self.take_in::<Intake>().await?),
            Part::Dispatch => drop(self.take_in::<Dispatch>().await?),
            Part::SlaMonitor => drop(self.take_in::<SlaMonitor>().await?),
            Part::Analytics => drop(self.take_in::<Analytics>().await?),
            Part::Notifier => {
                let notifier = self.take_in::<Notifier>().await?;
                let secret = self.links;
                self.links_addr = self.send(notifier, &options.effects, &secret).await?;
            }
        }
        Ok(())
    }

    /// Lets callers in.
    fn open_doors(mut self, key: &DevKey, (listener, admin): (TcpListener, TcpListener)) -> Lifecycle {
        let (standing, log) = (self.standing, self.log);
        self.lifecycle.back("standing", |stop| standing.watch(log, stop));
        let server = Server {
            routes: self.routes,
            access: self.access,
            verifier: key.verifier(),
            health: self.health,
            telemetry: self.telemetry,
            limits: Limits::default(),
        };
        self.lifecycle.front("grpc", |stop| server.run(listener, Some(admin), stop.cancelled_owned()));
        self.lifecycle
    }
}
