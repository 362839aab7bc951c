//! A position as outsiders see it: opaque text that names the log and its epoch, so that a restored or copied log is
//! noticed instead of misread.

use decider::Core;
use ticket::Event;
use uuid::Uuid;

use crate::service::Service;
use crate::store::{Head, StoreError};

/// Why a text is no position in this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// It is not of the form `{log}.{epoch}.{position}`.
    #[error("it is not a log position")]
    Malformed,
    /// It belongs to another log, or to this one before it was restored.
    #[error("it belongs to another log, or to this one before a restore")]
    Foreign,
}

impl PositionError {
    /// The reason of the contract by which a caller is told.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "POSITION_INVALID",
            Self::Foreign => "POSITION_FOREIGN",
        }
    }
}

/// Why what a caller has seen could not be waited for.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// The text is no position of this log.
    #[error(transparent)]
    Position(#[from] PositionError),
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The text for `position` in the log that ends at `head`.
pub fn encode(head: &Head, position: u64) -> String {
    format!("{}.{}.{position}", head.log, head.epoch)
}

/// The position a text stands for in the log that ends at `head`; it may lie past the head.
pub fn parse(head: &Head, text: &str) -> Result<u64, PositionError> {
    let mut parts = text.splitn(3, '.');
    let mut part = || parts.next().ok_or(PositionError::Malformed);
    let log: Uuid = part()?.parse().map_err(|_| PositionError::Malformed)?;
    let epoch: i64 = part()?.parse().map_err(|_| PositionError::Malformed)?;
    let position: u64 = part()?.parse().map_err(|_| PositionError::Malformed)?;
    if (log, epoch) == (head.log, head.epoch) { Ok(position) } else { Err(PositionError::Foreign) }
}

impl<C: Core<Event = Event>> Service<C> {
    /// The text for a position.
    pub async fn mark_at(&self, position: u64) -> Result<String, StoreError> {
        Ok(encode(&self.log().last_heard().await?, position))
    }

    /// Waits until everything up to the position this text stands for is folded, not at all for an empty one; answers
    /// the text for what is folded then.
    pub async fn reach_mark(&self, text: &str) -> Result<String, Unreached> {
        let mut head = self.log().last_heard().await?;
        if !text.is_empty() {
            let mut position = parse(&head, text);
            if position == Err(PositionError::Foreign) {
                // The log may have begun a new epoch since it was last heard of.
                head = self.log().head().await?;
                position = parse(&head, text);
            }
            self.reach(position?).await?;
        }
        Ok(encode(&head, self.position()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(epoch: i64) -> Head {
        Head { log: Uuid::from_u128(7), epoch, position: 9, hash: vec![0; 32], recorded_us: 0 }
    }

    #[test]
    fn a_position_reads_back_in_its_own_log_only() {
        let text = encode(&head(2), 5);
        assert_eq!(parse(&head(2), &text), Ok(5));
        assert_eq!(parse(&head(3), &text), Err(PositionError::Foreign));
        let other = Head { log: Uuid::from_u128(8), ..head(2) };
        assert_eq!(parse(&other, &text), Err(PositionError::Foreign));
    }

    #[test]
    fn anything_else_is_malformed() {
        let good = encode(&head(2), 5);
        for bad in ["", "5", "a.b.c", &good[1..], &format!("{good}.1"), &good[..good.len() - 1]] {
            assert_eq!(parse(&head(2), bad), Err(PositionError::Malformed), "{bad}");
        }
    }
}
