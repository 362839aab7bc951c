//! Every refusal and failure as a gRPC status, in one place.

use chassis::refuse::{PreconditionFault, Reasons, Refused};
use eventlog::position::Unreached;
use eventlog::service::Failure;
use eventlog::{Rejected, StoreError};
use tonic::{Code, Status};

use crate::refusal::Refusal;

/// Every reason of intake's own.
pub const REASONS: Reasons = &[
    (
        "CUSTOMER_ERASED",
        Code::FailedPrecondition,
        "the customer's personal data was erased; nothing more is taken down",
    ),
    ("ETAG_MISMATCH", Code::Aborted, "the ticket changed since the caller saw it; read it again"),
    ("EVIDENCE_MISSING", Code::FailedPrecondition, "the ticket type demands more references as evidence"),
    ("FILTER_INVALID", Code::InvalidArgument, "the filter cannot be read; the character is named"),
    ("GRACE_OVER", Code::FailedPrecondition, "the ticket was closed too long ago; open a new one"),
    ("IMPORT_GAP", Code::FailedPrecondition, "a line of an imported history does not follow the ones before"),
    ("NOT_CLOSED", Code::FailedPrecondition, "only a closed ticket is reopened"),
    ("NOT_CONFIRMED", Code::FailedPrecondition, "only a confirmed ticket is closed"),
    ("NOT_IN_PROGRESS", Code::FailedPrecondition, "nobody has taken the ticket in charge"),
    ("NOT_WAITING", Code::FailedPrecondition, "the ticket waits for nothing"),
    ("NOT_WORK_DONE", Code::FailedPrecondition, "the ticket's work is not done"),
    ("PAST_TRIAGE", Code::FailedPrecondition, "somebody works on the ticket; transfer it or set its priority instead"),
    ("TICKET_ENDED", Code::FailedPrecondition, "the ticket was closed or cancelled"),
    ("TICKET_NOT_FOUND", Code::NotFound, "the tenant has no such ticket, or the caller may not know of it"),
    ("TICKET_WAITING", Code::FailedPrecondition, "the ticket waits; resume it first"),
    ("VISIT_ON_SITE", Code::FailedPrecondition, "an engineer is on site; only `force` calls the ticket off"),
    ("WORK_DONE", Code::FailedPrecondition, "the ticket's work is done; reject it first"),
];

/// The reason a refusal is known by.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid(_) => "FIELDS_INVALID",
        Refusal::Documents(_) => "DOCUMENTS_INVALID",
        Refusal::NotFound => "TICKET_NOT_FOUND",
        Refusal::EtagMismatch { .. } => "ETAG_MISMATCH",
        Refusal::Ended => "TICKET_ENDED",
        Refusal::PastTriage => "PAST_TRIAGE",
        Refusal::NotInProgress => "NOT_IN_PROGRESS",
        Refusal::Waiting => "TICKET_WAITING",
        Refusal::NotWaiting => "NOT_WAITING",
        Refusal::WorkDone => "WORK_DONE",
        Refusal::NotWorkDone => "NOT_WORK_DONE",
        Refusal::NotConfirmed => "NOT_CONFIRMED",
        Refusal::NotClosed => "NOT_CLOSED",
        Refusal::GraceOver => "GRACE_OVER",
        Refusal::EvidenceMissing { .. } => "EVIDENCE_MISSING",
        Refusal::VisitOnSite => "VISIT_ON_SITE",
        Refusal::CustomerErased => "CUSTOMER_ERASED",
        Refusal::ImportGap => "IMPORT_GAP",
    }
}

/// A refusal with a reason of this table or of every service's.
pub(crate) fn listed(reason: &'static str, message: impl Into<String>) -> Refused {
    chassis::refuse::listed(REASONS, reason, message)
}

/// A refusal of the rules.
pub(crate) fn refused(refusal: &Refusal) -> Refused {
    let reason = reason(refusal);
    let mut refused = listed(reason, refusal.to_string());
    match refusal {
        Refusal::Invalid(faults) => {
            for fault in faults {
                refused = refused.field(&fault.field, &fault.message);
            }
        }
        Refusal::EtagMismatch { current } => refused = refused.with("etag", current.to_string()),
        Refusal::EvidenceMissing { required } => refused = refused.with("required", required.to_string()),
        _ => {}
    }
    if refused.code == Code::FailedPrecondition {
        let message = refused.message.clone();
        refused = refused.precondition(PreconditionFault { kind: reason.into(), subject: "ticket".into(), message });
    }
    refused
}

/// A command that was not carried out.
pub(crate) fn failed(failure: &Failure<Refusal>) -> Result<Refused, Status> {
    match failure {
        Failure::Refused(refusal) => Ok(refused(refusal)),
        Failure::Rejected(Rejected::Erased(_)) => Ok(refused(&Refusal::CustomerErased)),
        other => chassis::refuse::failed(other.told(), other),
    }
}

/// A command that was not carried out, as it goes on the wire.
pub(crate) fn status(failure: &Failure<Refusal>) -> Status {
    failed(failure).map_or_else(|status| status, Refused::into_status)
}

/// A read that failed.
pub(crate) fn store(error: StoreError) -> Status {
    status(&Failure::from(error))
}

/// What a caller has seen and this service cannot wait for.
pub(crate) fn unreached(error: Unreached) -> Status {
    match error {
        Unreached::Position(error) => chassis::refuse::position("min_position", error.reason(), error).into(),
        Unreached::Store(error) => store(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each variant; the match fails to compile when a variant is added, so that it is added here too.
    fn every_refusal() -> Vec<Refusal> {
        let all = vec![
            Refusal::Invalid(Vec::new()),
            Refusal::Documents(Vec::new()),
            Refusal::NotFound,
            Refusal::EtagMismatch { current: 1 },
            Refusal::Ended,
            Refusal::PastTriage,
            Refusal::NotInProgress,
            Refusal::Waiting,
            Refusal::NotWaiting,
            Refusal::WorkDone,
            Refusal::NotWorkDone,
            Refusal::NotConfirmed,
            Refusal::NotClosed,
            Refusal::GraceOver,
            Refusal::EvidenceMissing { required: 1 },
            Refusal::VisitOnSite,
            Refusal::CustomerErased,
            Refusal::ImportGap,
        ];
        let reasons: std::collections::BTreeSet<_> = all.iter().map(reason).collect();
        assert_eq!(reasons.len(), all.len(), "one reason each");
        all
    }

    #[test]
    fn every_refusal_is_in_the_table() {
        for refusal in every_refusal() {
            assert_ne!(refused(&refusal).code, Code::Internal, "{refusal:?}");
        }
    }

    /// Proves part of: X5
    #[test]
    fn every_failure_has_its_code_and_tells_nothing_internal() {
        let secret = || "the database's password".to_owned();
        let failures = [
            (Failure::Aborted, Code::Aborted),
            (Failure::Undecidable(decider::Stream::new("ticket", "1")), Code::Unavailable),
            (Failure::Rejected(Rejected::Reused), Code::InvalidArgument),
            (Failure::Rejected(Rejected::TooLarge("70 events".into())), Code::InvalidArgument),
            (Failure::Rejected(Rejected::Erased(uuid::Uuid::nil())), Code::FailedPrecondition),
            (StoreError::Unavailable(secret()).into(), Code::Unavailable),
            (StoreError::Damaged(secret()).into(), Code::Internal),
        ];
        for (failure, code) in failures {
            let status = status(&failure);
            assert_eq!(status.code(), code, "{failure:?}");
            assert!(!format!("{status:?}").contains("password"), "{status:?}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_has_no_reason_twice() {
        assert!(REASONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
