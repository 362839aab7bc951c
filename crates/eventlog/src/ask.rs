//! A command as it comes to a service, and what becomes of it.

use decider::{At, Guards, Micros, Reaction, Stream, Tenant};
use ticket::Recorded;
use uuid::Uuid;

use crate::append::{Append, NewEvent, Rejected};
use crate::store::StoreError;

/// Who asks, under which request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Whose data.
    pub tenant: Tenant,
    /// `user/<subject>` or `service/<name>`.
    pub actor: String,
    /// The claim, unique per tenant and caller.
    pub request: Uuid,
    /// What was asked, as bytes.
    pub content: Vec<u8>,
    /// When it happened; now, if not said.
    pub occurred_at: Option<Micros>,
    /// The event that caused it.
    pub causation: Option<Uuid>,
    /// W3C `traceparent`, or empty.
    pub trace: String,
}

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Done {
    /// The request's events; none if its goal held already.
    pub events: Vec<Recorded>,
    /// Whether this very call wrote them: where an effect follows, it is this caller's to carry out and nobody else's.
    pub written: bool,
    /// A position from which on the outcome is visible.
    pub position: u64,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure<R> {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(R),
    /// What it depends on kept moving.
    #[error("what the command depends on moved again and again while it was decided")]
    Aborted,
    /// A stream holds a kind of event this program does not know.
    #[error("stream {0} holds events of a newer program")]
    Undecidable(Stream),
    /// The log did not take it.
    #[error(transparent)]
    Rejected(Rejected),
}

impl<R> From<StoreError> for Failure<R> {
    fn from(error: StoreError) -> Self {
        Self::Rejected(Rejected::Store(error))
    }
}

impl<R> Failure<R> {
    /// How a caller is told: a reason of the contract and a sentence that gives nothing internal away. Nothing for a
    /// refusal, which has a reason of its own; for erased data, of which only the rules know what it means; and for what
    /// is a fault of ours: a damaged log, a stream that is another service's.
    pub fn told(&self) -> Option<(&'static str, String)> {
        use StoreError::{Damaged, Foreign};
        let (reason, message) = match self {
            Self::Refused(_) | Self::Rejected(Rejected::Erased(_) | Rejected::Store(Damaged(_) | Foreign(..))) => {
                return None;
            }
            Self::Aborted | Self::Rejected(Rejected::Moved { .. } | Rejected::Overtaken { .. }) => {
                ("CONTENTION", "what the command depends on kept moving")
            }
            Self::Undecidable(_) => ("NEWER_FORMAT", "what is asked for holds events of a newer program"),
            Self::Rejected(Rejected::Reused) => {
                ("REQUEST_ID_REUSED", "the request id was used before with other content")
            }
            Self::Rejected(Rejected::TooLarge(message)) => ("REQUEST_TOO_LARGE", message.as_str()),
            Self::Rejected(Rejected::Busy) => ("LOG_BUSY", "too much waits to be written"),
            Self::Rejected(Rejected::Store(_)) => ("LOG_UNAVAILABLE", "the log cannot be reached"),
        };
        Some((reason, message.to_owned()))
    }
}

impl Ask {
    /// What a user asks now: the request's claim, and what is asked as bytes.
    pub fn by_user(tenant: &str, subject: &str, (request, content): (Uuid, Vec<u8>), trace: &str) -> Self {
        Self {
            tenant: Tenant::new(tenant),
            actor: format!("user/{subject}"),
            request,
            content,
            occurred_at: None,
            causation: None,
            trace: trace.to_owned(),
        }
    }

    /// What a service asks now of its own accord: the claim, which says all there is to say of what is asked.
    pub fn by_itself(service: &str, tenant: Tenant, claim: Uuid) -> Self {
        Self {
            tenant,
            actor: format!("service/{service}"),
            request: claim,
            content: claim.as_bytes().to_vec(),
            occurred_at: None,
            causation: None,
            trace: String::new(),
        }
    }

    /// What a service asks because of a cause: the reaction's claim.
    pub(crate) fn by_service<C>(service: &str, reaction: &Reaction<C>) -> Self {
        let (occurred_at, causation) = (Some(reaction.occurred_at), reaction.causation);
        let itself = Self::by_itself(service, reaction.tenant.clone(), reaction.claim(service));
        Self { occurred_at, causation, ..itself }
    }

    /// The append of what was decided, which holds until this instant; without events, a check that the guards still hold.
    pub(crate) fn append(&self, at: At, holds_until: Micros, guards: Guards, events: Vec<NewEvent>) -> Append {
        Append {
            tenant: at.tenant,
            actor: at.actor,
            request: self.request,
            content: self.content.clone(),
            causation: self.causation,
            trace: self.trace.clone(),
            now: at.now,
            occurred_at: at.occurred_at,
            holds_until: Some(holds_until),
            guards,
            events,
        }
    }
}
