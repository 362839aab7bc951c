//! A process being furnished: each service taken in brings its routes, its roles, its measures, and the task it lives by.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chassis::access::Access;
use chassis::health::Health;
use chassis::lifecycle::Lifecycle;
use chassis::page::PageKey;
use chassis::telemetry::{Metric, Telemetry};
use eventlog::{Clock, Log, Service, StoreError};
use notifier::sender::Reach;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use super::served::Served;
use super::standing::Standing;

/// Wait before a log that could not be reached is tried again, for as long as it takes.
const RETRY: Duration = Duration::from_secs(1);

const POSITION: Metric =
    Metric { name: "docket.projection.position", description: "The last log position folded.", unit: "{event}" };
const LAG: Metric = Metric {
    name: "docket.projection.lag_events",
    description: "Events of the log that are not folded yet.",
    unit: "{event}",
};
const REACTED: Metric = Metric {
    name: "docket.reacted.position",
    description: "The last position up to which every cause is settled or parked, as far as this replica knows.",
    unit: "{event}",
};
const LEADS: Metric = Metric {
    name: "docket.leads",
    description: "1 while this replica reacts, fires deadlines and lets effects out.",
    unit: "",
};
const UNDECIDABLE: Metric = Metric {
    name: "docket.undecidable.streams",
    description: "Streams with events this program cannot read; nothing is decided about them, and it does not lead.",
    unit: "{stream}",
};

/// What is measured of a service.
type Measure<C> = fn(&Service<C>) -> i64;

/// A process before its doors are opened.
pub(super) struct House {
    pub(super) log: Arc<Log>,
    pub(super) clock: Clock,
    pub(super) pages: PageKey,
    pub(super) reach: Reach,
    /// Signs links in letters.
    pub(super) links: [u8; 32],
    /// Where they are answered, once they are.
    pub(super) links_addr: Option<SocketAddr>,
    pub(super) health: Health,
    pub(super) telemetry: Telemetry,
    pub(super) standing: Arc<Standing>,
    pub(super) lifecycle: Lifecycle,
    /// Whether the log is only read: no commands, no reactions, no deadlines.
    pub(super) read_only: bool,
    pub(super) routes: Routes,
    pub(super) access: Vec<Access>,
}

impl House {
    /// Takes a service in as its snapshot has it; it folds the rest once the process runs, and is ready then.
    pub(super) async fn take_in<C: Served>(&mut self) -> Result<Arc<Service<C>>, StoreError> {
        let service = Service::<C>::open(Arc::clone(&self.log), self.clock.clone()).await?;
        let routes = std::mem::take(&mut self.routes);
        self.routes = C::add(routes, Arc::clone(&service), self.pages.clone(), &self.reach);
        self.access.push(C::ACCESS);
        self.measure(&service);
        let (folded, standing) = (Arc::clone(&service), Arc::clone(&self.standing));
        let progress = move || format!("position {} of {}", folded.position(), standing.head());
        self.health.set_progress(C::WIRE, Arc::new(progress)).await;
        let (living, health, read_only) = (Arc::clone(&service), self.health.clone(), self.read_only);
        let standing = Arc::clone(&self.standing);
        self.lifecycle.back(C::NAME, move |stop| live(living, health, standing, read_only, stop));
        Ok(service)
    }

    fn measure<C: Served>(&self, service: &Arc<Service<C>>) {
        let labels = [("service", C::NAME)];
        let measures: [(Metric, Measure<C>); 4] = [
            (POSITION, |service| whole(service.position())),
            (REACTED, |service| whole(service.reacted())),
            (LEADS, |service| i64::from(service.leads())),
            (UNDECIDABLE, |service| i64::try_from(service.undecidable()).unwrap_or(i64::MAX)),
        ];
        for (metric, read) in measures {
            let service = Arc::clone(service);
            self.telemetry.gauge(metric, &labels, move || read(&service));
        }
        let (folded, standing) = (Arc::clone(service), Arc::clone(&self.standing));
        self.telemetry.gauge(LAG, &labels, move || (standing.head() - whole(folded.position())).max(0));
        C::measure(service, &self.telemetry);
    }
}

fn whole(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Lives until told to stop. A log that cannot be reached ends nothing: the service is not ready until it can.
async fn live<C: Served>(
    service: Arc<Service<C>>,
    health: Health,
    standing: Arc<Standing>,
    read_only: bool,
    stop: CancellationToken,
) -> Result<(), StoreError> {
    loop {
        let caught_up = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            caught_up = catch_up(&service, read_only) => caught_up,
        };
        match caught_up {
            Ok(()) => break,
            Err(error @ (StoreError::Database(_) | StoreError::Unavailable(_))) => {
                tracing::warn!(service = C::NAME, %error, "the log cannot be read to its end yet");
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => return Err(error),
        }
    }
    let living = async { if read_only { service.follow(stop).await } else { service.lead(stop).await } };
    tokio::select! {
        ended = living => ended,
        never = tell(&standing, &health, C::WIRE) => match never {},
    }
}

/// Folds to the head and ends what was left half done: then the service is ready.
async fn catch_up<C: Served>(service: &Service<C>, read_only: bool) -> Result<(), StoreError> {
    service.catch_up().await?;
    if read_only { Ok(()) } else { C::settle(service).await }
}

/// Says that a service which has caught up is ready, as long as the log is reached.
async fn tell(standing: &Standing, health: &Health, wire: &'static str) -> Infallible {
    let mut reached = standing.reached();
    loop {
        let ready = *reached.borrow_and_update();
        health.set_ready(wire, ready).await;
        if reached.changed().await.is_err() {
            // The sender is borrowed here: it is never gone.
            pending::<()>().await;
        }
    }
}
