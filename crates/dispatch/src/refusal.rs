//! Why dispatch says no. A refusal is an answer, not an incident.

use std::fmt;

use ticket::batch::DocumentFault;
use ticket::dispatch::HardRule;

use crate::work::VisitState;

/// Most characters of a report or a note.
pub const BODY_MAX_CHARS: usize = 20_000;
/// Most characters of a reason.
pub const REASON_MAX_CHARS: usize = 2_000;
/// Most characters of a reference or a name.
pub const NAME_MAX_CHARS: usize = 256;

/// A field of a request and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The field in the request.
    pub field: String,
    /// What is wrong, for a person.
    pub message: String,
}

impl FieldFault {
    /// A fault of one field.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
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
    /// The tenant has no such ticket.
    #[error("there is no such ticket")]
    TicketUnknown,
    /// The ticket has no such visit.
    #[error("there is no such visit")]
    VisitUnknown,
    /// Nobody of that name is on the roster, or their shifts are not known.
    #[error("{0} is not on the roster")]
    EngineerUnknown(String),
    /// The field work changed since the caller saw it.
    #[error("the visit changed since: its etag is {current}")]
    EtagMismatch {
        /// The etag it has.
        current: u64,
    },
    /// The ticket's work is done, or it was closed or cancelled.
    #[error("the ticket's work is done or it has ended")]
    TicketEnded,
    /// The visit is over.
    #[error("the visit is over: it is {}", .0.name())]
    VisitEnded(VisitState),
    /// Somebody else has the visit.
    #[error("the visit is not yours")]
    NotYours,
    /// A step is missing before this one.
    #[error("the visit is {}; {next} comes first", .state.name())]
    OutOfOrder {
        /// Where it stands.
        state: VisitState,
        /// The RPC that comes first.
        next: &'static str,
    },
    /// The time to answer is over.
    #[error("the time to answer is over; the offer goes to the next")]
    OfferOver,
    /// The engineer set out already.
    #[error("the engineer has set out; the visit is {}", .0.name())]
    VisitBegun(VisitState),
    /// Hard rules stand against it, every one named with what it found.
    #[error("against the rules: {}", broken(.0))]
    HardRule(Vec<(HardRule, String)>),
    /// The engineer has another visit then; nobody may override that.
    #[error("{0} has another visit then")]
    Overlap(String),
    /// The job type demands more evidence.
    #[error("the job type demands {required} references as evidence")]
    EvidenceMissing {
        /// How many.
        required: u32,
    },
}

/// The name of a hard rule on the wire.
pub fn rule_name(rule: HardRule) -> &'static str {
    match rule {
        HardRule::Skill => "skill",
        HardRule::SkillExpired => "skill_expired",
        HardRule::Region => "region",
        HardRule::Team => "team",
        HardRule::Person => "person",
        HardRule::OffDuty => "off_duty",
        HardRule::NoSlot => "no_slot",
        HardRule::Capacity => "capacity",
        HardRule::Declined => "declined",
        HardRule::Distance => "distance",
    }
}

/// The fault of a text that must be there.
pub(crate) fn required(field: &str, text: &str, max_chars: usize) -> Option<FieldFault> {
    if text.trim().is_empty() { Some(FieldFault::new(field, "is required")) } else { bounded(field, text, max_chars) }
}

/// The fault of a text that may be empty.
pub(crate) fn bounded(field: &str, text: &str, max_chars: usize) -> Option<FieldFault> {
    (text.chars().count() > max_chars).then(|| FieldFault::new(field, format!("has more than {max_chars} characters")))
}

/// Refuses with every fault found.
pub(crate) fn check(found: impl IntoIterator<Item = Option<FieldFault>>) -> Result<(), Refusal> {
    let faults: Vec<_> = found.into_iter().flatten().collect();
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}

fn listed(faults: &[FieldFault]) -> impl fmt::Display {
    let each: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
    each.join("; ")
}

fn broken(rules: &[(HardRule, String)]) -> impl fmt::Display {
    let each: Vec<_> = rules.iter().map(|(rule, found)| format!("{} ({found})", rule_name(*rule))).collect();
    each.join(", ")
}
