//! Health by name: `liveness`, `readiness`, and each service; the same truth for gRPC, for the admin listener, and for the
//! calls that are let in.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use tokio::sync::{Mutex, watch};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// The names that stand for all services together.
const WHOLE: [&str; 2] = ["readiness", ""];

/// Says how far a service has come, for a person; asked whenever somebody looks, so it must be quick.
pub type Progress = Arc<dyn Fn() -> String + Send + Sync>;

/// Says whether the process lives and which of its services are ready. Clones speak of the same process.
///
/// `liveness` is SERVING as long as the loop runs. Each service starts `NOT_SERVING` until it is said to be ready, and
/// its calls are answered UNAVAILABLE until then; `readiness`, and the server as a whole (the empty name), is SERVING
/// while every service is ready.
#[derive(Clone)]
pub struct Health {
    reporter: HealthReporter,
    services: Arc<Mutex<Services>>,
    whole: watch::Sender<Whole>,
}

/// How all services together stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Behind,
    Ready,
    /// Nothing is ready any more, for good.
    Stopping,
}

struct Services {
    standing: BTreeMap<&'static str, Standing>,
    stopping: bool,
}

#[derive(Default)]
struct Standing {
    ready: bool,
    progress: Option<Progress>,
}

impl Health {
    /// The health of `services`, full names such as `docket.intake.v1.IntakeService`; none is ready yet.
    pub async fn new(services: &[&'static str]) -> Self {
        let standing = services.iter().map(|service| (*service, Standing::default())).collect();
        let services = Arc::new(Mutex::new(Services { standing, stopping: false }));
        let health = Self { reporter: HealthReporter::new(), services, whole: watch::Sender::new(Whole::Behind) };
        health.reporter.set_service_status("liveness", ServingStatus::Serving).await;
        health.publish(&*health.services.lock().await).await;
        health
    }

    /// Says whether a service is ready: caught up, its log reachable. Of another name, or too late, it is not heard.
    pub async fn set_ready(&self, service: &str, ready: bool) {
        let mut services = self.services.lock().await;
        let Some(known) = services.standing.get_mut(service) else { return };
        known.ready = ready;
        // Told under the lock, so that the last word heard is the last word said.
        self.publish(&services).await;
    }

    /// Says where to ask how far a service has come.
    pub async fn set_progress(&self, service: &str, progress: Progress) {
        if let Some(known) = self.services.lock().await.standing.get_mut(service) {
            known.progress = Some(progress);
        }
    }

    /// Resolves once every service is ready; false if the process stops before.
    pub async fn until_ready(&self) -> bool {
        let mut whole = self.whole.subscribe();
        let settled = whole.wait_for(|whole| *whole != Whole::Behind).await;
        settled.is_ok_and(|whole| *whole == Whole::Ready)
    }

    /// Whether calls to this service cannot be answered yet, or not now; what is on its way out still answers.
    pub(crate) async fn is_behind(&self, service: &str) -> bool {
        self.services.lock().await.standing.get(service).is_some_and(|known| !known.ready)
    }

    /// Whether every service is ready, and a line for each that says how far it has come.
    pub(crate) async fn report(&self) -> (bool, String) {
        let services = self.services.lock().await;
        let ready = services.whole() == Whole::Ready;
        let mut text = String::from(if ready { "ok\n" } else { "not ready\n" });
        for (name, known) in &services.standing {
            let (ready, progress) = (if known.ready { "ready" } else { "not ready" }, known.progress.as_ref());
            let progress = progress.map(|progress| format!(", {}", progress())).unwrap_or_default();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}: {ready}{progress}");
        }
        (ready, text)
    }

    /// Says for good that nothing here is ready any more.
    pub(crate) async fn stop(&self) {
        let mut services = self.services.lock().await;
        services.stopping = true;
        self.publish(&services).await;
    }

    async fn publish(&self, services: &Services) {
        let whole = services.whole();
        let each = services.standing.iter().map(|(name, known)| (*name, known.ready && !services.stopping));
        for (name, ready) in each.chain(WHOLE.map(|name| (name, whole == Whole::Ready))) {
            let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
            self.reporter.set_service_status(name, status).await;
        }
        self.whole.send_replace(whole);
    }

    pub(crate) fn reporter(&self) -> HealthReporter {
        self.reporter.clone()
    }
}

impl Services {
    fn whole(&self) -> Whole {
        match self.standing.values().all(|known| known.ready) {
            _ if self.stopping => Whole::Stopping,
            true => Whole::Ready,
            false => Whole::Behind,
        }
    }
}
