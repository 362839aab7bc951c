//! A try to bring a reminder to its recipient by one medium, and how that ended.

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::notifier::{Medium, Then};
use uuid::Uuid;

use crate::retry::PACED;

/// A try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Try {
    pub(crate) medium: Medium,
    /// Counts this medium's tries from 1.
    pub(crate) number: u32,
    pub(crate) message_id: String,
    pub(crate) started_at: Micros,
    pub(crate) ended: Option<(Micros, TryEnd)>,
    /// What the other side calls it when it tells later what became of it.
    pub(crate) reference: Option<String>,
    /// When it reached the recipient's device, as far as the other side tells.
    pub(crate) delivered_at: Option<Micros>,
    /// The digest it was told in, whose try it is.
    pub(crate) digest: Option<Uuid>,
}

impl Try {
    /// Whether nothing was sent, since its turn at the receiver was ahead.
    pub(crate) fn was_paced(&self) -> bool {
        matches!(&self.ended, Some((_, TryEnd::Failed(error, _))) if error == PACED)
    }

    /// Whether the other side took it.
    pub(crate) fn arrived(&self) -> bool {
        matches!(&self.ended, Some((_, TryEnd::Arrived(_))))
    }
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TryEnd {
    Arrived(String),
    Failed(String, Then),
}
