//! How the log stands as this process sees it: where it ends, and whether effects are let out.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chassis::telemetry::{Metric, Telemetry};
use eventlog::{Log, NOT_COMPARED, StoreError};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How often the log is asked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A log that has not answered after this time cannot be reached.
const PATIENCE: Duration = Duration::from_secs(5);

const EFFECTS_HELD: Metric = Metric {
    name: "docket.effects.held",
    description: "1 while nobody is mailed and no webhook is called: not released, or held.",
    unit: "",
};

/// What was seen of the log last.
#[derive(Default)]
pub(super) struct Standing {
    head: AtomicI64,
    held: AtomicBool,
    reached: watch::Sender<bool>,
}

impl Standing {
    /// Looks once, and registers what can be told from it.
    pub(super) async fn new(log: &Log, telemetry: &Telemetry) -> Result<Arc<Self>, StoreError> {
        let standing = Arc::new(Self::default());
        standing.look(log).await?;
        standing.reached.send_replace(true);
        let seen = Arc::clone(&standing);
        telemetry.gauge(EFFECTS_HELD, &[], move || i64::from(seen.held.load(Ordering::Relaxed)));
        Ok(standing)
    }

    /// Where the log ended at the last look.
    pub(super) fn head(&self) -> i64 {
        self.head.load(Ordering::Relaxed)
    }

    /// Follows whether the log can be reached.
    pub(super) fn reached(&self) -> watch::Receiver<bool> {
        self.reached.subscribe()
    }

    /// Looks again and again until told to stop; a log that cannot be reached is still where it was.
    pub(super) async fn watch(self: Arc<Self>, log: Arc<Log>, stop: CancellationToken) -> Result<(), Infallible> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let reached = matches!(timeout(PATIENCE, self.look(&log)).await, Ok(Ok(())));
            if self.reached.send_replace(reached) != reached {
                tracing::warn!(reached, "the log is reached, or is not any more");
            }
        }
    }

    async fn look(&self, log: &Log) -> Result<(), StoreError> {
        let (ends, released, reason) = (log.head().await?, log.released().await?, log.held());
        self.head.store(ends.position, Ordering::Relaxed);
        let held = !released || reason.is_some();
        if self.held.swap(held, Ordering::Relaxed) != held {
            let (log, epoch) = (&ends.log, ends.epoch);
            match reason.as_deref() {
                _ if !held => tracing::info!(%log, epoch, "effects are released"),
                // Every start passes through this: nothing is wrong with it.
                Some(reason @ NOT_COMPARED) => tracing::info!(reason, %log, epoch, "effects are held"),
                Some(reason) => tracing::error!(reason, %log, epoch, "effects are held"),
                None => {
                    tracing::error!(reason = "this log and epoch are not released", %log, epoch, "effects are held");
                }
            }
        }
        Ok(())
    }
}
