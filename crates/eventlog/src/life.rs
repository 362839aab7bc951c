//! How a service lives: the lease holder reacts, fires deadlines and keeps snapshots; a replica only follows.

use std::future::pending;
use std::time::Duration;

use decider::Core;
use ticket::Event;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::lease::{Lease, RENEW_EVERY};
use crate::service::Service;
use crate::store::StoreError;

/// Longest wait without a look at the head, and the wait after the log could not be reached.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Shortest wait between two steps for a deadline's sake: one that stays due though it was tried must not spin.
const LEAST_WAIT: Duration = Duration::from_millis(10);
/// A snapshot is kept after so many more events.
const SNAPSHOT_EVERY: u64 = 100_000;

/// What a turn leaves to the next.
struct Turns<'a> {
    lease: Lease<'a>,
    renew_at: Instant,
    /// When to see again whether the log is still the one that was folded.
    look_at: Instant,
    /// The position of the last snapshot.
    kept: u64,
    line: Line,
}

impl Turns<'_> {
    /// Renews the lease, however long a step takes; ends when another holds it.
    async fn keep_lease(&mut self) -> Result<(), StoreError> {
        loop {
            sleep_until(self.renew_at).await;
            if !self.lease.hold().await? {
                return Ok(());
            }
            self.renew_at = Instant::now() + RENEW_EVERY;
        }
    }
}

/// Whether the log was last reached: said once when it no longer is, and once when it is again.
#[derive(Default)]
struct Line {
    down: bool,
}

impl Line {
    /// What came of asking the log; nothing if it cannot be reached now, and the error if asking again is no use.
    fn heard<T>(&mut self, service: &'static str, answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match answer {
            Ok(answer) => {
                if std::mem::take(&mut self.down) {
                    tracing::info!(service, "the log is reached again");
                }
                Ok(Some(answer))
            }
            Err(error @ (StoreError::Database(_) | StoreError::Unavailable(_))) => {
                if !std::mem::replace(&mut self.down, true) {
                    tracing::warn!(service, %error, "the log cannot be reached; tried again and again");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl<C: Core<Event = Event>> Service<C> {
    /// Follows and, as long as it holds the service's lease, reacts, fires deadlines and keeps snapshots, until told to
    /// stop; then keeps a last snapshot and gives the lease back. A log that cannot be reached is waited for; an error is
    /// a damaged one.
    pub async fn lead(&self, stop: CancellationToken) -> Result<(), StoreError> {
        let lease = Lease::new(self.log(), C::NAME)?;
        let now = Instant::now();
        let mut turns = Turns { lease, renew_at: now, look_at: now, kept: self.position(), line: Line::default() };
        while !stop.is_cancelled() {
            let turn = self.turn(&mut turns).await;
            let wait = turns.line.heard(C::NAME, turn)?;
            if wait.is_none() {
                // Another may have taken the lease meanwhile, or the log may come back as another.
                self.set_leads(false).await;
                (turns.renew_at, turns.look_at) = (Instant::now(), Instant::now());
            }
            self.idle(&stop, wait.unwrap_or(LOOK_EVERY)).await;
        }
        if self.leads() {
            let last = async {
                self.snapshot().await?;
                self.lay_down(&turns.lease).await
            };
            turns.line.heard(C::NAME, last.await)?;
        }
        Ok(())
    }

    /// One turn of the holder, or of who would be it; answers how long to wait for the next.
    async fn turn(&self, turns: &mut Turns<'_>) -> Result<Duration, StoreError> {
        if Instant::now() >= turns.look_at {
            self.keep_to_history().await?;
            turns.look_at = Instant::now() + RENEW_EVERY;
        }
        if self.undecidable() > 0 {
            // A program that can read those streams shall lead; this one follows and answers what it can.
            self.lay_down(&turns.lease).await?;
        } else if Instant::now() >= turns.renew_at {
            self.set_leads(turns.lease.hold().await?).await;
            turns.renew_at = Instant::now() + RENEW_EVERY;
        }
        if !self.leads() {
            self.keep_up().await?;
            return Ok(LOOK_EVERY);
        }
        let next = tokio::select! {
            biased;
            lost = turns.keep_lease() => {
                lost?;
                // Whoever took it goes on where this one stopped: what was begun is settled by its request's id.
                self.set_leads(false).await;
                return Ok(LOOK_EVERY);
            }
            next = self.step() => next?,
        };
        if self.position() >= turns.kept + SNAPSHOT_EVERY {
            self.snapshot().await?;
            turns.kept = self.position();
        }
        Ok(next.map_or(LOOK_EVERY, |at| self.clock().wait(at, LOOK_EVERY).max(LEAST_WAIT)))
    }

    /// Gives the lease back, if it is held, so that the next need not wait for its end.
    async fn lay_down(&self, lease: &Lease<'_>) -> Result<(), StoreError> {
        if self.leads() {
            self.set_leads(false).await;
            lease.give_back().await?;
        }
        Ok(())
    }

    /// Follows until told to stop, as a replica that answers queries.
    pub async fn follow(&self, stop: CancellationToken) -> Result<(), StoreError> {
        let mut line = Line::default();
        while !stop.is_cancelled() {
            line.heard(C::NAME, self.keep_up().await)?;
            self.idle(&stop, LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Waits for the head to move, for `wait` to pass, or for the end.
    async fn idle(&self, stop: &CancellationToken, wait: Duration) {
        let position = i64::try_from(self.position()).unwrap_or(i64::MAX);
        let moved = async {
            if self.log().moved(position).await.is_err() {
                // Whoever asks the log next hears it.
                pending::<()>().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = moved => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}
