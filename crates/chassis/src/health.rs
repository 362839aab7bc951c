//! Health by name: `liveness`, `readiness`, and each service; the same truth for gRPC and for the admin listener.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// The names that stand for all services together.
const WHOLE: [&str; 2] = ["readiness", ""];

/// Says whether the process lives and which of its services are ready. Clones speak of the same process.
///
/// `liveness` is SERVING as long as the loop runs. Each service starts `NOT_SERVING` until it is said to be ready;
/// `readiness`, and the server as a whole (the empty name), is SERVING while every service is ready.
#[derive(Clone)]
pub struct Health {
    reporter: HealthReporter,
    /// Each service and whether it is ready; nothing once the process stops.
    services: Arc<Mutex<Option<Services>>>,
}

type Services = BTreeMap<&'static str, bool>;

impl Health {
    /// The health of `services`, full names such as `docket.intake.v1.IntakeService`; none is ready yet.
    pub async fn new(services: &[&'static str]) -> Self {
        let services: Services = services.iter().map(|service| (*service, false)).collect();
        let reporter = HealthReporter::new();
        reporter.set_service_status("liveness", ServingStatus::Serving).await;
        publish(&reporter, &services).await;
        Self { reporter, services: Arc::new(Mutex::new(Some(services))) }
    }

    /// Says whether a service is ready: caught up, its log reachable. Of another name, or too late, it is not heard.
    pub async fn set_ready(&self, service: &str, ready: bool) {
        let mut services = self.services.lock().await;
        let Some(services) = services.as_mut() else { return };
        let Some(known) = services.get_mut(service) else { return };
        *known = ready;
        // Told under the lock, so that the last word heard is the last word said.
        publish(&self.reporter, services).await;
    }

    /// Whether every service is ready.
    pub async fn is_ready(&self) -> bool {
        self.services.lock().await.as_ref().is_some_and(all_ready)
    }

    /// Says for good that nothing here is ready any more.
    pub(crate) async fn stop(&self) {
        let mut services = self.services.lock().await;
        for service in services.take().into_iter().flatten().map(|(service, _)| service).chain(WHOLE) {
            self.reporter.set_service_status(service, ServingStatus::NotServing).await;
        }
    }

    pub(crate) fn reporter(&self) -> HealthReporter {
        self.reporter.clone()
    }
}

async fn publish(reporter: &HealthReporter, services: &Services) {
    let whole = all_ready(services);
    for (name, ready) in services.iter().map(|(name, ready)| (*name, *ready)).chain(WHOLE.map(|name| (name, whole))) {
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        reporter.set_service_status(name, status).await;
    }
}

fn all_ready(services: &Services) -> bool {
    services.values().all(|ready| *ready)
}
