//! What a process must know of each service to serve it: its place on the wire, its roles, what of it is measured.

use std::sync::Arc;

use analytics::Analytics;
use chassis::access::Access;
use chassis::page::PageKey;
use chassis::telemetry::{Metric, Telemetry};
use decider::Core;
use dispatch::Dispatch;
use eventlog::{Service, StoreError};
use intake::Intake;
use notifier::Notifier;
use notifier::sender::Reach;
use proto::analytics::v1::analytics_service_server;
use proto::dispatch::v1::dispatch_service_server;
use proto::intake::v1::intake_service_server;
use proto::notifier::v1::notifier_service_server;
use proto::sla_monitor::v1::sla_monitor_service_server;
use sla_monitor::SlaMonitor;
use ticket::Event;
use tonic::service::Routes;

const NO_DROP: Metric = Metric {
    name: "docket.no_drop.violations",
    description: "Open tickets without a next step that reaches a human.",
    unit: "{ticket}",
};
const UNASSIGNED: Metric =
    Metric { name: "docket.dispatch.unassigned", description: "Visits that nobody has.", unit: "{visit}" };
const OUTBOX: Metric =
    Metric { name: "docket.notifier.outbox", description: "Letters owed, now or later.", unit: "{letter}" };

/// A service that can be served.
pub(super) trait Served: Core<Event = Event, State: Send + Sync> + 'static {
    /// Its full name on the wire, under which its health is told, too.
    const WIRE: &'static str;
    /// Its table of roles.
    const ACCESS: Access;

    /// Adds it to what a server answers; `reach` is where webhooks may lead.
    fn add(routes: Routes, service: Arc<Service<Self>>, pages: PageKey, reach: &Reach) -> Routes
    where
        Self: Sized;

    /// Ends what an earlier process may have left half done; repeating it is nothing.
    fn settle(_: &Service<Self>) -> impl Future<Output = Result<(), StoreError>> + Send
    where
        Self: Sized,
    {
        std::future::ready(Ok(()))
    }

    /// Registers what only this service can tell.
    fn measure(_: &Arc<Service<Self>>, _: &Telemetry)
    where
        Self: Sized,
    {
    }
}

impl Served for Intake {
    const WIRE: &'static str = intake_service_server::SERVICE_NAME;
    const ACCESS: Access = intake::grpc::ACCESS;

    fn add(routes: Routes, service: Arc<Service<Self>>, pages: PageKey, _: &Reach) -> Routes {
        routes.add_service(intake::service(service, pages))
    }

    async fn settle(service: &Service<Self>) -> Result<(), StoreError> {
        intake::grpc::settle_erasures(service).await
    }
}

impl Served for Dispatch {
    const WIRE: &'static str = dispatch_service_server::SERVICE_NAME;
    const ACCESS: Access = dispatch::ACCESS;

    fn add(routes: Routes, service: Arc<Service<Self>>, pages: PageKey, _: &Reach) -> Routes {
        routes.add_service(dispatch::service(service, pages))
    }

    fn measure(service: &Arc<Service<Self>>, telemetry: &Telemetry) {
        let service = Arc::clone(service);
        count(telemetry, UNASSIGNED, move || service.view(dispatch::State::unassigned));
    }
}

impl Served for SlaMonitor {
    const WIRE: &'static str = sla_monitor_service_server::SERVICE_NAME;
    const ACCESS: Access = sla_monitor::ACCESS;

    fn add(routes: Routes, service: Arc<Service<Self>>, pages: PageKey, _: &Reach) -> Routes {
        routes.add_service(sla_monitor::service(service, pages))
    }

    fn measure(service: &Arc<Service<Self>>, telemetry: &Telemetry) {
        let service = Arc::clone(service);
        count(telemetry, NO_DROP, move || {
            let now = service.clock().now();
            service.view(|state| sla_monitor::check::holes(state, now).len())
        });
    }
}

impl Served for Notifier {
    const WIRE: &'static str = notifier_service_server::SERVICE_NAME;
    const ACCESS: Access = notifier::ACCESS;

    fn add(routes: Routes, service: Arc<Service<Self>>, pages: PageKey, reach: &Reach) -> Routes {
        routes.add_service(notifier::service(service, pages, reach.clone()))
    }

    fn measure(service: &Arc<Service<Self>>, telemetry: &Telemetry) {
        let service = Arc::clone(service);
        count(telemetry, OUTBOX, move || service.view(notifier::outbox::pending));
    }
}

impl Served for Analytics {
    const WIRE: &'static str = analytics_service_server::SERVICE_NAME;
    const ACCESS: Access = analytics::grpc::ACCESS;

    fn add(routes: Routes, service: Arc<Service<Self>>, pages: PageKey, _: &Reach) -> Routes {
        routes.add_service(analytics::grpc::service(service, pages))
    }
}

/// A gauge that counts something.
fn count(telemetry: &Telemetry, metric: Metric, read: impl Fn() -> usize + Send + Sync + 'static) {
    telemetry.gauge(metric, &[], move || i64::try_from(read()).unwrap_or(i64::MAX));
}
