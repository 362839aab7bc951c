//! Why notifier may say no.

use ticket::batch::DocumentFault;

/// Why it may be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The tenant has no such reminder, or it is somebody else's.
    #[error("there is no such reminder of yours")]
    ReminderUnknown,
    /// The reminder is over: there is nothing to put off.
    #[error("the reminder is over")]
    ReminderSettled,
    /// What is to lie ahead does not: the field.
    #[error("{0} must lie ahead")]
    NotAhead(&'static str),
    /// What is to end within a bound does not: the field, and the bound in hours.
    #[error("{0} must lie at most {1} hours ahead")]
    TooFar(&'static str, i64),
    /// Documents cannot be put in force: every fault of every one.
    #[error("{} faults in the documents", .0.len())]
    Documents(Vec<DocumentFault>),
}
