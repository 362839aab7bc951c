//! The whole cluster in one process: one log in a SQLite file, every service over it, one listener.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use analytics::Analytics;
use anyhow::{Context, bail};
use chassis::health::Health;
use chassis::lifecycle::Lifecycle;
use chassis::page::PageKey;
use chassis::serve::{Limits, Server};
use chassis::telemetry::{Metric, Telemetry};
use chassis::token::DevKey;
use decider::{Core, Micros};
use dispatch::Dispatch;
use eventlog::{Clock, Keys, Log, Service, Sqlite, Store};
use intake::Intake;
use notifier::Notifier;
use notifier::sender::{Outside, Sender, SenderConfig};
use proto::analytics::v1::analytics_service_server;
use proto::dispatch::v1::dispatch_service_server;
use proto::intake::v1::intake_service_server;
use proto::notifier::v1::notifier_service_server;
use proto::sla_monitor::v1::sla_monitor_service_server;
use sla_monitor::SlaMonitor;
use ticket::Event;
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::anchor::{self, Scale};

/// How long a stop may take before tasks are ended by force.
const GRACE: Duration = Duration::from_secs(20);

/// How long the answer of a mail server or a webhook is waited for.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

const NO_DROP: Metric = Metric {
    name: "docket.no_drop.violations",
    description: "Open tickets without a next step that reaches a human.",
    unit: "{ticket}",
};
const UNASSIGNED: Metric =
    Metric { name: "docket.dispatch.unassigned", description: "Visits that nobody has.", unit: "{visit}" };
const OUTBOX: Metric =
    Metric { name: "docket.notifier.outbox", description: "Letters owed, now or later.", unit: "{letter}" };

/// What a cluster is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its log, its keys and its endpoint lie; made if absent.
    pub data: PathBuf,
    /// The log's file, if it does not lie there.
    pub log: Option<PathBuf>,
    /// Where to listen for gRPC; port 0 takes a free one.
    pub addr: String,
    /// Where to serve metrics and probes.
    pub admin_addr: String,
    /// Answers queries only, beside the owner of the log.
    pub read_only: bool,
    /// Carries no effect out: nobody is mailed, no webhook is called. For a log that was copied or restored.
    pub hold_effects: bool,
    /// The mail server, `smtp://host:port` or `smtps://host:port`; without it nobody is mailed.
    pub smtp: Option<String>,
    /// The sender of mails.
    pub mail_from: String,
    /// Runs business time faster for a while, on a log that has no anchor yet.
    pub scale: Option<Scale>,
}

/// A cluster that listens; [`Cluster::run`] serves until told to stop.
pub struct Cluster {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where it serves metrics and probes.
    pub admin_addr: SocketAddr,
    /// The business clock.
    pub clock: Clock,
    /// Signs tokens for this cluster.
    pub key: DevKey,
    /// When the log's business time began, if it was ever scaled.
    pub began_at: Option<Micros>,
    log: Arc<Log>,
    lifecycle: Lifecycle,
}

/// The five services over one log.
struct Services {
    intake: Arc<Service<Intake>>,
    dispatch: Arc<Service<Dispatch>>,
    sla: Arc<Service<SlaMonitor>>,
    notifier: Arc<Service<Notifier>>,
    analytics: Arc<Service<Analytics>>,
}

impl Cluster {
    /// Opens the log, folds every service to its head and binds the listeners.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        let data = &options.data;
        std::fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
        let key = DevKey::load_or_create(&data.join("dev.key"))?;
        let file = options.log.clone().unwrap_or_else(|| data.join("log.db"));
        let log = open(&file, data, options.read_only).await?;
        let (clock, began_at) = anchor::clock(&log, options.scale, options.read_only).await?;
        let services = Services::start(&log, &clock).await?;
        if !options.read_only {
            intake::grpc::settle_erasures(&services.intake).await?;
        }
        let listener =
            TcpListener::bind(&options.addr).await.with_context(|| format!("listening on {}", options.addr))?;
        let admin = TcpListener::bind(&options.admin_addr).await?;
        let (addr, admin_addr) = (listener.local_addr()?, admin.local_addr()?);
        let mut lifecycle = Lifecycle::new();
        services.serve(&key, (listener, admin), &mut lifecycle).await?;
        services.live(options.read_only, &mut lifecycle);
        services.send(options, &mut lifecycle)?;
        if !options.read_only {
            std::fs::write(data.join("endpoint"), format!("http://{addr}\n"))?;
        }
        Ok(Self { addr, admin_addr, clock, key, began_at, log, lifecycle })
    }

    /// The log it runs on.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Serves until `shutdown`, or until a part dies.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        Ok(self.lifecycle.run(shutdown, GRACE).await?)
    }
}

/// A log with the keys of a data directory.
pub(crate) async fn open(file: &Path, data: &Path, read_only: bool) -> anyhow::Result<Arc<Log>> {
    let store = if read_only { Sqlite::open_read_only(file).await } else { Sqlite::create_or_open(file).await };
    let store = store.with_context(|| format!("opening the log {}", file.display()))?;
    let secrets = data.join("keys.db");
    let keys = match (secrets.exists(), read_only) {
        (false, true) => Keys::memory(0),
        (false, false) if store.head().await?.position > 0 => {
            bail!(
                "the log {} has events, but its keys {} are missing: restore them first",
                file.display(),
                secrets.display()
            )
        }
        _ => Keys::sqlite(&secrets).await.context("opening the keys of personal data")?,
    };
    Ok(Log::open(Arc::new(store), keys))
}

impl Services {
    async fn start(log: &Arc<Log>, clock: &Clock) -> anyhow::Result<Self> {
        Ok(Self {
            intake: Service::start(Arc::clone(log), clock.clone()).await?,
            dispatch: Service::start(Arc::clone(log), clock.clone()).await?,
            sla: Service::start(Arc::clone(log), clock.clone()).await?,
            notifier: Service::start(Arc::clone(log), clock.clone()).await?,
            analytics: Service::start(Arc::clone(log), clock.clone()).await?,
        })
    }

    async fn serve(
        &self,
        key: &DevKey,
        (listener, admin): (TcpListener, TcpListener),
        lifecycle: &mut Lifecycle,
    ) -> anyhow::Result<()> {
        let pages = PageKey::new(&key.derive("pages"));
        let routes = Routes::new(intake::grpc::service(Arc::clone(&self.intake), pages.clone()))
            .add_service(dispatch::service(Arc::clone(&self.dispatch), pages.clone()))
            .add_service(sla_monitor::grpc::service(Arc::clone(&self.sla), pages.clone()))
            .add_service(notifier::service(Arc::clone(&self.notifier), pages.clone()))
            .add_service(analytics::grpc::service(Arc::clone(&self.analytics), pages));
        let names = [
            intake_service_server::SERVICE_NAME,
            dispatch_service_server::SERVICE_NAME,
            sla_monitor_service_server::SERVICE_NAME,
            notifier_service_server::SERVICE_NAME,
            analytics_service_server::SERVICE_NAME,
        ];
        let health = Health::new(&names).await;
        for name in names {
            // Every service was folded to the head before anything listened.
            health.set_ready(name, true).await;
        }
        let telemetry = Telemetry::new()?;
        self.measure(&telemetry);
        let server = Server {
            routes,
            access: vec![
                intake::grpc::ACCESS,
                dispatch::ACCESS,
                sla_monitor::grpc::ACCESS,
                notifier::ACCESS,
                analytics::grpc::ACCESS,
            ],
            verifier: key.verifier(),
            health,
            telemetry,
            limits: Limits::default(),
        };
        lifecycle.front("grpc", |stop| server.run(listener, Some(admin), stop.cancelled_owned()));
        Ok(())
    }

    /// The owner of the log reacts and fires deadlines; a reader beside it only follows.
    fn live(&self, read_only: bool, lifecycle: &mut Lifecycle) {
        live(&self.intake, read_only, lifecycle);
        live(&self.dispatch, read_only, lifecycle);
        live(&self.sla, read_only, lifecycle);
        live(&self.notifier, read_only, lifecycle);
        live(&self.analytics, read_only, lifecycle);
    }

    /// The owner of the log sends letters, unless effects are held; a reader beside it never does.
    fn send(&self, options: &Options, lifecycle: &mut Lifecycle) -> anyhow::Result<()> {
        if options.read_only {
            return Ok(());
        }
        let (smtp_url, mail_from) = (options.smtp.clone(), options.mail_from.clone());
        let outside = Outside::new(&SenderConfig { smtp_url, mail_from, timeout: SEND_TIMEOUT })?;
        let sender = Sender::new(Arc::clone(&self.notifier), Arc::new(outside), options.hold_effects);
        lifecycle.back("sender", |stop| async move {
            sender.run(stop).await;
            Ok::<_, Infallible>(())
        });
        Ok(())
    }

    fn measure(&self, telemetry: &Telemetry) {
        position(&self.intake, telemetry);
        position(&self.dispatch, telemetry);
        position(&self.sla, telemetry);
        position(&self.notifier, telemetry);
        position(&self.analytics, telemetry);
        let sla = Arc::clone(&self.sla);
        count(telemetry, NO_DROP, move || {
            let now = sla.clock().now();
            sla.view(|state| sla_monitor::check::holes(state, now).len())
        });
        let dispatch = Arc::clone(&self.dispatch);
        count(telemetry, UNASSIGNED, move || dispatch.view(dispatch::State::unassigned));
        let notifier = Arc::clone(&self.notifier);
        count(telemetry, OUTBOX, move || notifier.view(notifier::outbox::pending));
    }
}

fn live<C: Core<Event = Event>>(service: &Arc<Service<C>>, read_only: bool, lifecycle: &mut Lifecycle) {
    let service = Arc::clone(service);
    lifecycle.back(C::NAME, move |stop| async move {
        if read_only { service.follow(stop).await } else { service.lead(stop).await }
    });
}

fn position<C: Core<Event = Event>>(service: &Arc<Service<C>>, telemetry: &Telemetry) {
    let service = Arc::clone(service);
    let metric =
        Metric { name: "docket.projection.position", description: "The last log position folded.", unit: "{event}" };
    telemetry.gauge(metric, &[("service", C::NAME)], move || i64::try_from(service.position()).unwrap_or(i64::MAX));
}

/// A gauge that counts something.
fn count(telemetry: &Telemetry, metric: Metric, read: impl Fn() -> usize + Send + Sync + 'static) {
    telemetry.gauge(metric, &[], move || i64::try_from(read()).unwrap_or(i64::MAX));
}
