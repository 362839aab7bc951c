//! How a service lives: the lease holder reacts, fires deadlines and keeps snapshots; a replica only follows.

use std::time::Duration;

use decider::Core;
use ticket::Event;
use tokio_util::sync::CancellationToken;

use crate::service::Service;
use crate::store::StoreError;

/// Longest wait without a look at the head.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A snapshot is kept after so many more events.
const SNAPSHOT_EVERY: u64 = 100_000;

impl<C: Core<Event = Event>> Service<C> {
    /// Follows, reacts and fires deadlines until told to stop; then keeps a snapshot.
    pub async fn lead(&self, stop: CancellationToken) -> Result<(), StoreError> {
        let mut kept = self.position();
        while !stop.is_cancelled() {
            let next = self.step().await?;
            if self.position() >= kept + SNAPSHOT_EVERY {
                self.snapshot().await?;
                kept = self.position();
            }
            let wait = next.map_or(LOOK_EVERY, |at| self.clock().wait(at, LOOK_EVERY));
            self.idle(&stop, wait).await?;
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
