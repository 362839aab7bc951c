//! Outsiders: what of the log they may see, how they are let in, and that none of them misses anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, BusError, Shape};
use crate::log::Log;

mod accounts;
mod durables;
pub mod kinds;
mod parked;
mod render;
mod saved;
mod subscribers;

pub use accounts::{INTERNAL, accounts};
pub use durables::Patience;
pub use render::{HEADERS, Shown};
pub use subscribers::{From, Login, MAX_SUBSCRIBERS, Outsiders, Subscriber};

use durables::Durables;

/// The stream outsiders read.
pub const STREAM: &str = "DOCKET_OUT";
/// What its subjects begin with.
pub const SUBJECTS: &str = "docket.out.v1";
/// What a subscriber's requests to JetStream begin with.
pub const API_PREFIX: &str = "docket.api";

/// Durables are seen to this often, and acknowledgements saved.
const TEND: Duration = Duration::from_secs(3);

/// How the outsiders' consumers are doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages of the last 30 days that were delivered as often as they may be and never acknowledged.
    pub parked: u64,
}

/// The stream, of which the brokers keep so many copies.
pub fn shape(replicas: usize) -> Shape {
    Shape::of(STREAM, &format!("{SUBJECTS}.>"), replicas)
}

/// Keeps the consumers of one log's outsiders.
#[derive(Debug)]
pub struct Keeper {
    log: Arc<Log>,
    bus: Bus,
    replicas: usize,
    durables: Mutex<Durables>,
    report: watch::Sender<Report>,
}

impl Keeper {
    /// For these outsiders; does nothing yet. The brokers keep `replicas` copies of what is parked.
    pub fn new(log: Arc<Log>, bus: Bus, outsiders: Outsiders, replicas: usize) -> Self {
        let durables = Mutex::new(Durables::new(outsiders, Patience::default()));
        Self { log, bus, replicas, durables, report: watch::Sender::default() }
    }

    /// The same, waiting otherwise for answers.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.durables.get_mut().be_patient(patience);
        self
    }

    /// How the consumers are doing, from now on.
    pub fn report(&self) -> watch::Receiver<Report> {
        self.report.subscribe()
    }

    /// Keeps them until told to stop, whatever fails meanwhile.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                tended = self.tend() => if let Err(error) = tended {
                    tracing::warn!(%error, "the outsiders' consumers were not seen to");
                },
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(TEND) => {}
            }
        }
    }

    async fn tend(&self) -> Result<(), BusError> {
        let seen = durables::look(&self.bus).await?;
        // After looking, before saving: what was parked and counts as settled has been told of. And before making consumers:
        // none of their advisories is missed.
        let parked = parked::tell(&self.bus, self.replicas).await?;
        self.report.send_replace(Report { parked });
        match seen {
            Some(seen) => self.durables.lock().await.tend(&self.log, seen).await,
            None => Ok(()),
        }
    }
}

fn unavailable(error: impl std::fmt::Display) -> BusError {
    BusError::Unavailable(error.to_string())
}
