//! Every refusal and failure as a gRPC status, in one place.

use chassis::refuse::{PreconditionFault, Reasons, Refused, failed, listed, position};
use eventlog::position::Unreached;
use eventlog::service::Failure;
use eventlog::{Rejected, StoreError};
use tonic::{Code, Status};

use crate::refusal::{Refusal, rule_name};

/// Every reason of dispatch's own.
pub const REASONS: Reasons = &[
    (
        "CUSTOMER_ERASED",
        Code::FailedPrecondition,
        "the customer's personal data was erased; nothing more is taken down",
    ),
    ("ENGINEER_NOT_FOUND", Code::NotFound, "nobody of that name is on the roster, or their shifts are not known"),
    ("ENGINEER_OVERLAP", Code::FailedPrecondition, "the engineer has another visit then; nobody may override that"),
    ("ETAG_MISMATCH", Code::Aborted, "the field work changed since the caller saw it; read it again"),
    ("EVIDENCE_MISSING", Code::FailedPrecondition, "the job type demands more references as evidence"),
    ("HARD_RULE", Code::FailedPrecondition, "hard rules stand against it, every one named; override with a reason"),
    ("NOT_YOURS", Code::PermissionDenied, "the visit, or the time, is somebody else's"),
    ("OFFER_OVER", Code::FailedPrecondition, "the time to answer is over; the offer goes to the next"),
    ("OUT_OF_ORDER", Code::FailedPrecondition, "a step is missing before this one; the message names it"),
    ("TICKET_ENDED", Code::FailedPrecondition, "the ticket's work is done, or it was closed or cancelled"),
    ("TICKET_NOT_FOUND", Code::NotFound, "the tenant has no such ticket, or the caller may not know of it"),
    ("VISIT_BEGUN", Code::FailedPrecondition, "the engineer has set out; the visit stays theirs"),
    ("VISIT_ENDED", Code::FailedPrecondition, "the visit is over"),
    ("VISIT_NOT_FOUND", Code::NotFound, "the ticket has no such visit"),
];

/// The reason a refusal is known by.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid(_) => "FIELDS_INVALID",
        Refusal::Documents(_) => "DOCUMENTS_INVALID",
        Refusal::TicketUnknown => "TICKET_NOT_FOUND",
        Refusal::VisitUnknown => "VISIT_NOT_FOUND",
        Refusal::EngineerUnknown(_) => "ENGINEER_NOT_FOUND",
        Refusal::EtagMismatch { .. } => "ETAG_MISMATCH",
        Refusal::TicketEnded => "TICKET_ENDED",
        Refusal::VisitEnded(_) => "VISIT_ENDED",
        Refusal::NotYours => "NOT_YOURS",
        Refusal::OutOfOrder { .. } => "OUT_OF_ORDER",
        Refusal::OfferOver => "OFFER_OVER",
        Refusal::VisitBegun(_) => "VISIT_BEGUN",
        Refusal::HardRule(_) => "HARD_RULE",
        Refusal::Overlap(_) => "ENGINEER_OVERLAP",
        Refusal::EvidenceMissing { .. } => "EVIDENCE_MISSING",
    }
}

/// A refusal of the rules.
pub(super) fn refused(refusal: &Refusal) -> Refused {
    let reason = reason(refusal);
    let mut refused = listed(REASONS, reason, refusal.to_string());
    match refusal {
        Refusal::Invalid(faults) => {
            for fault in faults {
                refused = refused.field(&fault.field, &fault.message);
            }
        }
        Refusal::EtagMismatch { current } => refused = refused.with("etag", current.to_string()),
        Refusal::EvidenceMissing { required } => refused = refused.with("required", required.to_string()),
        Refusal::OutOfOrder { state, next } => refused = refused.with("state", state.name()).with("next", *next),
        Refusal::VisitEnded(state) | Refusal::VisitBegun(state) => refused = refused.with("state", state.name()),
        Refusal::HardRule(rules) => {
            let names: Vec<_> = rules.iter().map(|(rule, _)| rule_name(*rule)).collect();
            refused = refused.with("rules", names.join(","));
        }
        Refusal::EngineerUnknown(_)
        | Refusal::Overlap(_)
        | Refusal::Documents(_)
        | Refusal::TicketUnknown
        | Refusal::VisitUnknown
        | Refusal::TicketEnded
        | Refusal::NotYours
        | Refusal::OfferOver => {}
    }
    if refused.code == Code::FailedPrecondition {
        let message = refused.message.clone();
        refused = refused.precondition(PreconditionFault { kind: reason.into(), subject: "visit".into(), message });
    }
    refused
}

/// A command that was not carried out, as it goes on the wire.
pub(super) fn status(failure: &Failure<Refusal>) -> Status {
    let refused = match failure {
        Failure::Refused(refusal) => Ok(refused(refusal)),
        Failure::Rejected(Rejected::Erased(_)) => {
            Ok(listed(REASONS, "CUSTOMER_ERASED", "the customer's personal data was erased"))
        }
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
    use crate::work::VisitState;

    #[test]
    fn every_refusal_is_in_the_table() {
        let (state, name) = (VisitState::Offered, || "ann".to_owned());
        let all = [
            Refusal::Invalid(Vec::new()),
            Refusal::Documents(Vec::new()),
            Refusal::TicketUnknown,
            Refusal::VisitUnknown,
            Refusal::EngineerUnknown(name()),
            Refusal::EtagMismatch { current: 1 },
            Refusal::TicketEnded,
            Refusal::VisitEnded(state),
            Refusal::NotYours,
            Refusal::OutOfOrder { state, next: "AcceptOffer" },
            Refusal::OfferOver,
            Refusal::VisitBegun(state),
            Refusal::HardRule(Vec::new()),
            Refusal::Overlap(name()),
            Refusal::EvidenceMissing { required: 1 },
        ];
        for refusal in all {
            assert_ne!(refused(&refusal).code, Code::Internal, "{refusal:?}");
        }
        assert!(REASONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
