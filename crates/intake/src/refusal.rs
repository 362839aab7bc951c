//! Why intake says no. A refusal is an answer, not an incident.

use std::fmt;

use ticket::batch::DocumentFault;

/// A field of a request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// Path of the field in the request, such as `ticket.fields.asset`.
    pub field: String,
    /// What is wrong, for a person.
    pub message: String,
}

impl FieldFault {
    /// A fault of one field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Fields are missing or wrong: all of them.
    #[error("{}", listed(.0))]
    Invalid(Vec<FieldFault>),
    /// Documents cannot be put in force: every fault of every one.
    #[error("{} faults in the documents", .0.len())]
    Documents(Vec<DocumentFault>),
    /// The tenant has no such ticket, or the caller may not know of it.
    #[error("there is no such ticket")]
    NotFound,
    /// The ticket changed since the caller saw it.
    #[error("the ticket changed since: its etag is {current}")]
    EtagMismatch {
        /// The etag it has.
        current: u64,
    },
    /// It was closed or cancelled.
    #[error("the ticket has ended")]
    Ended,
    /// Somebody works on it already.
    #[error("the ticket is past triage")]
    PastTriage,
    /// Nobody has taken it in charge.
    #[error("nobody has taken the ticket in charge")]
    NotInProgress,
    /// It waits for something.
    #[error("the ticket waits; resume it first")]
    Waiting,
    /// It waits for nothing.
    #[error("the ticket waits for nothing")]
    NotWaiting,
    /// The work is done; reject or reopen it.
    #[error("the ticket's work is done; reject it first")]
    WorkDone,
    /// The work is not done.
    #[error("the ticket's work is not done")]
    NotWorkDone,
    /// The customer has not agreed.
    #[error("the customer has not confirmed the ticket")]
    NotConfirmed,
    /// It is not closed.
    #[error("the ticket is not closed")]
    NotClosed,
    /// It was closed too long ago.
    #[error("the grace period for reopening is over; open a new ticket")]
    GraceOver,
    /// The template demands more evidence.
    #[error("the ticket type demands {required} references as evidence")]
    EvidenceMissing {
        /// How many.
        required: usize,
    },
    /// An engineer is on site.
    #[error("an engineer is on site; call the ticket off by force, or call the visit off first")]
    VisitOnSite,
    /// The customer's personal data was erased.
    #[error("the customer's personal data was erased")]
    CustomerErased,
    /// A line of an imported history does not follow the ones before.
    #[error("the imported history has a gap")]
    ImportGap,
}

fn listed(faults: &[FieldFault]) -> impl fmt::Display {
    let each: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
    each.join("; ")
}
