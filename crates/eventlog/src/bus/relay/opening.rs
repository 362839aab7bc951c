//! Opening a stream: where to go on, after its last message was held against the log's row at that position.

use async_nats::jetstream::message::StreamMessage;

use super::{Relay, Rendering};
use crate::bus::envelope::Source;
use crate::bus::stream::{self, Found, Verdict};
use crate::bus::{BusError, hash_at, row_at};
use crate::chain;
use crate::clock::machine_now;
use crate::log::Log;
use crate::store::{Head, Row, StoreError};

/// What came of opening the stream.
pub(super) enum Opening {
    /// Publishing goes on from here.
    At(Opened),
    /// A human has to look first.
    Halted(String),
}

/// Where the stream stands: everything up to this row is in it.
pub(super) struct Opened {
    pub(super) source: Source,
    pub(super) position: i64,
    pub(super) hash: Vec<u8>,
}

impl<R: Rendering> Relay<R> {
    /// Looks at the stream, makes it if need be, and says where to go on.
    pub(super) async fn open(&self) -> Result<Opening, BusError> {
        let found = stream::look(&self.bus, &self.shape).await?;
        // The head is read after the stream: whatever that holds was committed before.
        let head = self.log.head().await?;
        let source = Source::of(&head);
        let released = self.log.released().await?;
        if Source::of(&self.log.head().await?) != source {
            return Err(BusError::Refused("the log's epoch is being raised".into()));
        }
        let kept = oldest_kept(&self.log, &head, self.shape.max_age.as_micros()).await?;
        let Some(found) = found else {
            return self.unless_unreleased(released, self.fill(&source, kept)).await;
        };
        match self.judge(&found, &head, kept).await? {
            Verdict::Halt(reason) => Ok(Opening::Halted(reason)),
            Verdict::GoOn => self.unless_unreleased(released, self.go_on(&source, &found)).await,
            Verdict::Refill(reason) => {
                let refill = async {
                    tracing::warn!(stream = self.shape.name, reason, "the stream is made anew from the log");
                    stream::discard(&self.bus, &self.shape).await?;
                    self.fill(&source, kept).await
                };
                self.unless_unreleased(released, refill).await
            }
        }
    }

    /// Only a released history is told to anybody.
    async fn unless_unreleased(
        &self,
        released: bool,
        open: impl Future<Output = Result<Opened, BusError>>,
    ) -> Result<Opening, BusError> {
        if released {
            open.await.map(Opening::At)
        } else {
            Ok(Opening::Halted("effects are not released for this log and epoch".into()))
        }
    }

    /// Judges the stream, holding its last message against the log, and the first of those this relay sent without
    /// hearing that they were taken: there a stranger's may stand, and the rest of the window behind it.
    async fn judge(&self, found: &Found, head: &Head, kept: i64) -> Result<Verdict, BusError> {
        let verdict = found.judge(head, kept, machine_now(), &self.shape);
        if verdict != Verdict::GoOn || found.messages == 0 {
            return Ok(verdict);
        }
        let unheard = self.report.borrow().position + 1;
        for position in [unheard, found.last] {
            if (found.first..=found.last).contains(&position) {
                let verdict = self.judge_message(position).await?;
                if verdict != Verdict::GoOn {
                    return Ok(verdict);
                }
            }
        }
        Ok(Verdict::GoOn)
    }

    async fn judge_message(&self, position: i64) -> Result<Verdict, BusError> {
        let message = stream::at(&self.bus, &self.shape, position).await?;
        let row = row_at(&self.log, position).await?.ok_or_else(|| missing(position))?;
        let made_from = |message: &StreamMessage| self.rendering.made_from(&message.headers, &row);
        Ok(match message.as_ref().map(made_from) {
            Some(Some(true)) => Verdict::GoOn,
            Some(Some(false)) => Verdict::Halt(format!(
                "position {position} of stream {} is not what the log has there: another history of this log",
                self.shape.name
            )),
            Some(None) => Verdict::Refill(format!("message {position} is none of ours")),
            None => Verdict::Refill(format!("message {position} is missing")),
        })
    }

    async fn go_on(&self, source: &Source, found: &Found) -> Result<Opened, BusError> {
        stream::mend(&self.bus, &self.shape, found).await?;
        self.opened(source, found.last).await
    }

    /// Makes the stream, to be filled from the oldest position that is kept.
    async fn fill(&self, source: &Source, kept: i64) -> Result<Opened, BusError> {
        stream::make(&self.bus, &self.shape, source, kept).await?;
        tracing::info!(stream = self.shape.name, first = kept, "the stream was made");
        self.report.send_modify(|report| report.fillings += 1);
        self.opened(source, kept - 1).await
    }

    async fn opened(&self, source: &Source, position: i64) -> Result<Opened, BusError> {
        let hash = hash_at(&self.log, position).await?.ok_or_else(|| missing(position))?;
        Ok(Opened { source: *source, position, hash })
    }
}

/// Refuses a row that is not the successor of the one before.
pub(super) fn follows(position: i64, hash: &[u8], row: &Row) -> Result<(), StoreError> {
    if row.position == position + 1 && row.hash == chain::link(hash, row) {
        return Ok(());
    }
    Err(StoreError::Damaged(format!("position {} does not follow {position} as it was read before", row.position)))
}

/// The first position recorded at most so many microseconds before the last one; 1 for an empty log.
async fn oldest_kept(log: &Log, head: &Head, max_age_us: u128) -> Result<i64, StoreError> {
    let max_age_us = i64::try_from(max_age_us).unwrap_or(i64::MAX);
    let since_us = head.recorded_us.saturating_sub(max_age_us);
    // Times never decrease: everything before `low` is too old, nothing from `high` on.
    let (mut low, mut high) = (1, head.position.max(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let row = row_at(log, middle).await?.ok_or_else(|| missing(middle))?;
        if row.recorded_us < since_us { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

fn missing(position: i64) -> StoreError {
    StoreError::Damaged(format!("position {position} is missing"))
}
