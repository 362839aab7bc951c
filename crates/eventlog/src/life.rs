//! How a service lives: the lease holder reacts, fires deadlines and keeps snapshots; a replica only follows.

use std::time::Duration;

use decider::Core;
use ticket::Event;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lease::{Lease, RENEW_EVERY};
use crate::service::Service;
use crate::store::StoreError;

/// Longest wait without a look at the head.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A snapshot is kept after so many more events.
const SNAPSHOT_EVERY: u64 = 100_000;

impl<C: Core<Event = Event>> Service<C> {
    /// Follows and, as long as it holds the service's lease, reacts and fires deadlines, until told to stop; then gives
    /// the lease back and keeps a snapshot.
    pub async fn lead(&self, stop: CancellationToken) -> Result<(), StoreError> {
        let lease = Lease::new(self.log(), C::NAME)?;
        let (mut kept, mut renew_at) = (self.position(), Instant::now());
        while !stop.is_cancelled() {
            if Instant::now() >= renew_at {
                self.set_leads(lease.hold().await?).await;
                renew_at = Instant::now() + RENEW_EVERY;
            }
            let next = if self.leads() {
                self.step().await?
            } else {
                self.catch_up().await?;
                None
            };
            if self.position() >= kept + SNAPSHOT_EVERY {
                self.snapshot().await?;
                kept = self.position();
            }
            let wait = next.map_or(LOOK_EVERY, |at| self.clock().wait(at, LOOK_EVERY));
            self.idle(&stop, wait).await?;
        }
        if self.leads() {
            self.set_leads(false).await;
            lease.give_back().await?;
        }
        self.snapshot().await
    }

    /// Follows until told to stop, as a replica that answers queries.
    pub async fn follow(&self, stop: CancellationToken) -> Result<(), StoreError> {
        while !stop.is_cancelled() {
            self.catch_up().await?;
            self.idle(&stop, LOOK_EVERY).await?;
        }
        Ok(())
    }

    /// Waits for the head to move, for `wait` to pass, or for the end.
    async fn idle(&self, stop: &CancellationToken, wait: Duration) -> Result<(), StoreError> {
        let position = i64::try_from(self.position()).unwrap_or(i64::MAX);
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            moved = self.log().moved(position) => moved,
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }
}
