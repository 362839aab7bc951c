//! Every refusal and failure as a gRPC status, in one place.

use chassis::refuse::{PreconditionFault, Reasons, Refused, failed, listed, position};
use eventlog::StoreError;
use eventlog::position::Unreached;
use eventlog::service::Failure;
use tonic::{Code, Status};

use crate::command::Refusal;

/// Every reason of sla-monitor's own.
pub const REASONS: Reasons = &[
    ("CLOCK_NOT_FOUND", Code::NotFound, "the ticket has no such clock"),
    ("MAJOR_EVENT_NOT_FOUND", Code::NotFound, "the tenant never had such a major event"),
    ("MAJOR_EVENT_ONGOING", Code::FailedPrecondition, "a major event of this name goes on, and was declared otherwise"),
    ("NOT_BREACHED", Code::FailedPrecondition, "the clock was not late, or a late fact took its breach back"),
    ("NOT_ESCALATED", Code::FailedPrecondition, "nobody is called for the clock"),
    ("ROTA_NOT_FOUND", Code::NotFound, "the tenant has no such rota"),
    ("SHADOW_NOT_FOUND", Code::NotFound, "the tenant never had such a ShadowPolicy"),
    ("TICKET_NOT_FOUND", Code::NotFound, "the tenant has no such ticket, or the caller may not know of it"),
];

/// The reason a refusal is known by.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::TicketUnknown => "TICKET_NOT_FOUND",
        Refusal::ClockUnknown(_) => "CLOCK_NOT_FOUND",
        Refusal::NotBreached(_) => "NOT_BREACHED",
        Refusal::RotaUnknown(_) => "ROTA_NOT_FOUND",
        Refusal::NotEscalated(_) => "NOT_ESCALATED",
        Refusal::MajorUnknown(_) => "MAJOR_EVENT_NOT_FOUND",
        Refusal::MajorOngoing(_) => "MAJOR_EVENT_ONGOING",
        Refusal::ShadowUnknown(_) => "SHADOW_NOT_FOUND",
        Refusal::NoteTooLong | Refusal::Fields(_) => "FIELDS_INVALID",
        Refusal::Documents(_) => "DOCUMENTS_INVALID",
    }
}

/// A refusal of the rules.
pub(super) fn refused(refusal: &Refusal) -> Refused {
    let refused = listed(REASONS, reason(refusal), refusal.to_string());
    match refusal {
        Refusal::NoteTooLong => refused.field("note", refusal.to_string()),
        Refusal::Fields(faults) => {
            faults.iter().fold(refused, |refused, fault| refused.field(&fault.path, fault.message.clone()))
        }
        Refusal::NotBreached(subject) | Refusal::NotEscalated(subject) | Refusal::MajorOngoing(subject) => {
            let (kind, message) = (reason(refusal).to_owned(), refusal.to_string());
            refused.precondition(PreconditionFault { kind, subject: subject.clone(), message })
        }
        Refusal::TicketUnknown
        | Refusal::ClockUnknown(_)
        | Refusal::RotaUnknown(_)
        | Refusal::MajorUnknown(_)
        | Refusal::ShadowUnknown(_)
        | Refusal::Documents(_) => refused,
    }
}

/// A command that was not carried out, as it goes on the wire.
pub(super) fn status(failure: &Failure<Refusal>) -> Status {
    let refused = match failure {
        Failure::Refused(refusal) => Ok(refused(refusal)),
        other => failed(other.told(), other),
    };
    refused.map_or_else(|status| status, Refused::into_status)
}

/// A read that failed.
pub(super) fn store(error: StoreError) -> Status {
    status(&Failure::from(error))
}

/// What a caller has seen and this service cannot wait for.
pub(super) fn unreached(error: Unreached) -> Status {
    match error {
        Unreached::Position(error) => position("min_position", error.reason(), error).into(),
        Unreached::Store(error) => store(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_in_the_table() {
        let clock = || "work".to_owned();
        let all = [
            Refusal::TicketUnknown,
            Refusal::ClockUnknown(clock()),
            Refusal::NotBreached(clock()),
            Refusal::RotaUnknown(clock()),
            Refusal::NotEscalated(clock()),
            Refusal::MajorUnknown(clock()),
            Refusal::MajorOngoing(clock()),
            Refusal::ShadowUnknown(clock()),
            Refusal::Fields(Vec::new()),
            Refusal::NoteTooLong,
            Refusal::Documents(Vec::new()),
        ];
        for refusal in all {
            assert_ne!(refused(&refusal).code, Code::Internal, "{refusal:?}");
        }
        assert!(REASONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
