//! The tail: the newest rows of the log as the stream tells them, at hand for readers; everything else comes from the log.
//!
//! The log is the truth and the tail only spares reading it: a row is taken in if it follows the last one by position and
//! by hash, and a stream that knows more than the log is not believed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use async_nats::HeaderMap;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::envelope::{self, Source};
use super::ring::{Offered, Ring};
use crate::release::Hold;
use crate::store::Row;

mod following;

/// How long the stream may take to tell what the log holds before a reader asks the log.
const MOMENT: Duration = Duration::from_millis(20);
/// A stream that told nothing for so long is not waited for: either nothing happens, or it is late.
const LATELY: Duration = Duration::from_secs(1);

/// How a tail is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The last position it knows: behind it the stream is taken in.
    pub position: i64,
    /// How often its consumer was made.
    pub consumers: u64,
    /// How often rows were missing before one, and the log filled the gap.
    pub gaps: u64,
    /// How many messages were no rows of this log, or did not fit into it.
    pub unreadable: u64,
    /// Why the stream is not believed, if it is not.
    pub distrusted: Option<String>,
}

/// The newest rows of one log, at hand for all its readers in this process.
#[derive(Debug, Default)]
pub struct Tail {
    ring: RwLock<Ring>,
    moved: watch::Sender<i64>,
    report: watch::Sender<Report>,
    /// When the last row was taken in.
    heard: Mutex<Option<Instant>>,
    /// Holds effects until stream and log were compared: a log that was restored behind its stream must not send first.
    first: Mutex<Option<Hold>>,
}

impl Tail {
    /// A tail with nothing at hand, to be given to [`crate::Log::open_with_tail`] and then to [`Tail::follow`].
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How it is doing, from now on.
    pub fn report(&self) -> watch::Receiver<Report> {
        self.report.subscribe()
    }

    /// Keeps effects held until the first comparison.
    pub(crate) fn hold_first(&self, hold: Hold) {
        *self.first() = Some(hold);
    }

    fn first(&self) -> MutexGuard<'_, Option<Hold>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At most `limit` rows after `position`, if the first of them is at hand.
    pub(crate) fn page(&self, wanted: Option<&[&str]>, position: i64, limit: i64) -> Option<Vec<Row>> {
        self.ring().page(wanted, position, usize::try_from(limit).unwrap_or(0))
    }

    /// Waits for as long as a row takes that the log told of, if the stream was heard lately.
    pub(crate) async fn given_a_moment(&self) {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_some_and(|heard| heard.elapsed() < LATELY) {
            sleep(MOMENT).await;
        }
    }

    /// Resolves once a row after `position` was at hand.
    pub(crate) async fn moved(&self, position: i64) {
        let mut moved = self.moved.subscribe();
        // The sender is this tail's own.
        let _never_closed = moved.wait_for(|last| *last > position).await;
    }

    /// Takes in the message at this sequence of the stream; an error says why it is no row that fits.
    fn take(&self, source: &Source, sequence: u64, message: (&HeaderMap, &[u8])) -> Result<Offered, String> {
        let row = envelope::row(source, message.0, message.1).map_err(|why| why.to_string())?;
        if u64::try_from(row.position) != Ok(sequence) {
            return Err(format!("it says it is position {}", row.position));
        }
        Ok(self.offer(row))
    }

    fn offer(&self, row: Row) -> Offered {
        let position = row.position;
        let offered = self.ring_mut().offer(row);
        if offered == Offered::Taken {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            self.moved.send_replace(position);
            self.report.send_modify(|report| report.position = position);
        }
        offered
    }

    /// Goes on behind the row with this position and hash.
    fn begin(&self, position: i64, hash: Vec<u8>) {
        self.ring_mut().begin(position, hash);
        self.report.send_modify(|report| report.position = position);
    }

    /// Forgets everything: the log alone is read until more is taken in.
    fn cut(&self) {
        self.ring_mut().cut();
        self.moved.send_replace(0);
    }

    fn ring(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring_mut(&self) -> RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_stream_that_keeps_up_is_waited_for() {
        let (tail, waited) = (Tail::new(), async |tail: &Tail| {
            let began = Instant::now();
            tail.given_a_moment().await;
            began.elapsed()
        });
        assert_eq!(waited(&tail).await, Duration::ZERO, "it never told anything");
        *tail.heard.lock().unwrap() = Some(Instant::now());
        assert_eq!(waited(&tail).await, MOMENT);
        tokio::time::advance(LATELY).await;
        assert_eq!(waited(&tail).await, Duration::ZERO, "it is late, or nothing happens");
    }
}
