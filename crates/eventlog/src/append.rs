//! What is asked of the log, and what it answers.

use decider::{Guards, Micros, Stream, Tenant};
use ticket::{Event, codec, stream};
use uuid::Uuid;

use crate::store::{Row, StoreError};

/// Most events one append may hold.
pub const MAX_EVENTS: usize = 64;
/// Most bytes a stored event's body may have.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// An event to be written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The stream it belongs to.
    pub stream: Stream,
    /// Its kind.
    pub kind: String,
    /// Its fields as JSON, personal data still plain.
    pub body: Vec<u8>,
}

impl NewEvent {
    /// An event of a service, which writes into its own streams alone.
    pub(crate) fn of(service: &'static str, stream: Stream, event: &Event) -> Result<Self, StoreError> {
        if stream::owner(&stream) != Some(service) {
            return Err(StoreError::Foreign(service, stream));
        }
        let (kind, body) = codec::encode(event).map_err(|error| StoreError::Damaged(error.to_string()))?;
        Ok(Self { stream, kind, body })
    }
}

/// A request to write events, or (with none) to check that the guards still hold at the head.
#[derive(Clone, Debug)]
pub struct Append {
    /// Whose data this is.
    pub tenant: Tenant,
    /// Who did it.
    pub actor: String,
    /// The claim: unique per tenant and caller, the namespace of the event ids.
    pub request: Uuid,
    /// What was asked, as bytes; stored as a keyed hash, so that the same id with other content is refused.
    pub content: Vec<u8>,
    /// The event that caused it.
    pub causation: Option<Uuid>,
    /// W3C `traceparent`, or empty.
    pub trace: String,
    /// The business clock now; recorded as the later of this and the head's.
    pub now: Micros,
    /// When it happened.
    pub occurred_at: Micros,
    /// Refused as overtaken where the log has recorded something after this: what was decided promises what may be past by
    /// now. Nothing where it holds whenever it is written.
    pub holds_until: Option<Micros>,
    /// Streams that must still be at these versions.
    pub guards: Guards,
    /// What happened.
    pub events: Vec<NewEvent>,
}

/// What an append came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The rows it wrote, sealed; empty for a check of guards.
    Written(Vec<Row>),
    /// The rows the same request wrote before: it is answered the same again.
    Repeated(Vec<Row>),
}

impl Committed {
    /// The request's rows, whenever they were written.
    pub fn rows(&self) -> &[Row] {
        match self {
            Self::Written(rows) | Self::Repeated(rows) => rows,
        }
    }
}

/// Why an append was not carried out; nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// A guarded stream moved: catch up and decide again.
    #[error("stream {stream} moved from version {expected} to {actual}")]
    Moved {
        /// Which.
        stream: Stream,
        /// What the decision saw.
        expected: u64,
        /// What is.
        actual: u64,
    },
    /// It was written too late for what was decided then: catch up and decide again.
    #[error("decided for {holds_until} at the latest, and the log is at {recorded}")]
    Overtaken {
        /// Until when it held, business time.
        holds_until: Micros,
        /// What the log recorded meanwhile, business time.
        recorded: Micros,
    },
    /// The request id was used for something else.
    #[error("the request id was used before with other content")]
    Reused,
    /// Too many events, or too large a one.
    #[error("{0}")]
    TooLarge(String),
    /// Personal data of a subject whose keys were destroyed.
    #[error("the personal data of subject {0} was erased")]
    Erased(Uuid),
    /// Too much waits to be written, of this tenant or altogether: nothing of it is written, try again in a second.
    #[error("too much waits to be written")]
    Busy,
    /// The store failed; whether it was written is unknown: repeat with the same request id.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
