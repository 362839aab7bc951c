//! How long after an answer the other services know of it: what somebody waits who takes a position from one to the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use simulator::day::Stage;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::client::Client;
use crate::out;

/// Wait between two measurements.
const EVERY: Duration = Duration::from_millis(100);
/// A kind of document that no service has: the shortest answer a service can give.
const NO_KIND: &str = "-";

type Waits = BTreeMap<&'static str, Vec<Duration>>;

/// Measures as long as it lives.
pub(crate) struct Lag {
    waits: Arc<Mutex<Waits>>,
    _measuring: AbortOnDropHandle<()>,
}

impl Lag {
    /// Takes the positions of the day's answers to every service.
    pub(crate) fn measure(client: Client, stage: &Stage) -> Self {
        let waits = Arc::new(Mutex::new(Waits::new()));
        let measuring = tokio::spawn(measure(client, stage.last_position(), Arc::clone(&waits)));
        Self { waits, _measuring: AbortOnDropHandle::new(measuring) }
    }

    /// What was measured, a line for each service.
    pub(crate) fn table(self) -> String {
        let mut rows = vec![["SERVICE", "MEDIAN", "99 OF 100", "LONGEST", "ASKED"].map(str::to_owned).to_vec()];
        for (service, waits) in self.waits.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if waits.is_empty() {
                continue;
            }
            waits.sort_unstable();
            let of = |share: usize| format!("{:.1} ms", waits[(waits.len() - 1) * share / 100].as_secs_f64() * 1e3);
            rows.push(vec![(*service).to_owned(), of(50), of(99), of(100), waits.len().to_string()]);
        }
        out::table(&rows)
    }
}

async fn measure(client: Client, mut last: watch::Receiver<String>, waits: Arc<Mutex<Waits>>) {
    while last.changed().await.is_ok() {
        let position = last.borrow_and_update().clone();
        let began = Instant::now();
        macro_rules! known {
            ($service:ident, $v1:ident) => {
                async {
                    let (kind, min_position) = (NO_KIND.to_owned(), position.clone());
                    let request = proto::$v1::v1::ListDocumentsRequest { kind, min_position };
                    client.$service().list_documents(request).await.is_ok().then(|| began.elapsed())
                }
            };
        }
        let waited = tokio::join!(
            known!(dispatch, dispatch),
            known!(sla, sla_monitor),
            known!(notifier, notifier),
            known!(analytics, analytics)
        );
        let waited: [Option<Duration>; 4] = waited.into();
        note(&waits, waited);
        sleep(EVERY).await;
    }
}

/// A service that was out of reach has no figure.
fn note(waits: &Mutex<Waits>, waited: [Option<Duration>; 4]) {
    let mut waits = waits.lock().unwrap_or_else(PoisonError::into_inner);
    for (service, waited) in ["dispatch", "sla-monitor", "notifier", "analytics"].into_iter().zip(waited) {
        waits.entry(service).or_default().extend(waited);
    }
}
