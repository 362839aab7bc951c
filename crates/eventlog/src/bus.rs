//! The bus: JetStream streams as caches of the log, one message a position, written by relays and followed by tails.

use std::time::Duration;

use async_nats::HeaderMap;

use crate::chain;
use crate::log::Log;
use crate::store::{Row, Select, StoreError};

pub mod connect;
pub mod envelope;
pub mod relay;
mod ring;
pub mod stream;
pub mod tail;

pub use connect::{Address, Bus, Credentials};
pub use envelope::Source;
pub use relay::{Relay, Rendering};
pub use stream::Shape;
pub use tail::Tail;

/// Why the bus could not answer.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// It is out of reach, or did not answer in time; whether it did what was asked is unknown.
    #[error("the bus is not available: {0}")]
    Unavailable(String),
    /// It, or this program's configuration, refused.
    #[error("the bus refused: {0}")]
    Refused(String),
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A message on its way to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where it goes.
    pub subject: String,
    /// Its headers, but for those of JetStream.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// The wait before attempt number `attempts`: from the first of the two, doubled each time, up to the second.
pub(crate) fn doubling((first, longest): (Duration, Duration), attempts: usize) -> Duration {
    let times = u32::try_from(attempts.min(16)).unwrap_or(16);
    first.saturating_mul(1 << times).min(longest)
}

/// The row at this position of the log itself, without its body, whatever a tail has at hand; none past the end.
pub(crate) async fn row_at(log: &Log, position: i64) -> Result<Option<Row>, StoreError> {
    let row = log.store().read(&Select::All, Some(&[]), position - 1, 1).await?.pop();
    Ok(row.filter(|row| row.position == position))
}

/// The hash the row after this position must follow from; none past the end.
pub(crate) async fn hash_at(log: &Log, position: i64) -> Result<Option<Vec<u8>>, StoreError> {
    if position == 0 {
        return Ok(Some(chain::GENESIS.to_vec()));
    }
    Ok(row_at(log, position).await?.map(|row| row.hash))
}
