//! Every refusal and failure as a gRPC status, in one place.

use chassis::refuse::{PreconditionFault, Reasons, Refused, failed, listed, position};
use eventlog::position::Unreached;
use eventlog::service::Failure;
use eventlog::{Rejected, StoreError};
use tonic::{Code, Status};

use crate::refusal::Refusal;

/// Every reason of notifier's own.
pub const REASONS: Reasons = &[
    (
        "RECIPIENT_ERASED",
        Code::FailedPrecondition,
        "the recipient's personal data was erased; no address is kept again",
    ),
    ("RECIPIENT_NOT_FOUND", Code::NotFound, "the caller may not know of such a recipient"),
    ("REMINDER_NOT_FOUND", Code::NotFound, "the caller has no such reminder"),
    ("REMINDER_SETTLED", Code::FailedPrecondition, "the reminder is over: answered, taken back, or passed on"),
    ("REPLAY_BUSY", Code::ResourceExhausted, "another replay is under way; try again when it is done"),
    (
        "REPLAY_TOO_LONG",
        Code::FailedPrecondition,
        "the log has too many events to be replayed for an answer: use the command",
    ),
    ("TICKET_NOT_FOUND", Code::NotFound, "the tenant has no such ticket, or the caller may not know of it"),
];

/// The reason a refusal is known by.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::ReminderUnknown => "REMINDER_NOT_FOUND",
        Refusal::ReminderSettled => "REMINDER_SETTLED",
        Refusal::NotAhead(_) | Refusal::TooFar(..) => "FIELDS_INVALID",
        Refusal::Documents(_) => "DOCUMENTS_INVALID",
    }
}

/// A refusal of the rules.
pub(super) fn refused(refusal: &Refusal) -> Refused {
    let refused = listed(REASONS, reason(refusal), refusal.to_string());
    match refusal {
        Refusal::NotAhead(field) | Refusal::TooFar(field, _) => refused.field(*field, refusal.to_string()),
        Refusal::ReminderSettled => {
            let (kind, message) = ("REMINDER_SETTLED".to_owned(), refusal.to_string());
            refused.precondition(PreconditionFault { kind, subject: "reminder".into(), message })
        }
        Refusal::ReminderUnknown | Refusal::Documents(_) => refused,
    }
}

/// What a caller may not know of, what is not there, or cannot be done now.
pub(super) fn unknown(reason: &'static str) -> Status {
    let meaning = REASONS.iter().find(|(known, ..)| *known == reason).map_or("", |(_, _, meaning)| meaning);
    listed(REASONS, reason, meaning).into_status()
}

/// A command that was not carried out, as it goes on the wire.
pub(super) fn status(failure: &Failure<Refusal>) -> Status {
    let refused = match failure {
        Failure::Refused(refusal) => Ok(refused(refusal)),
        Failure::Rejected(Rejected::Erased(_)) => return unknown("RECIPIENT_ERASED"),
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
    unreached_in("min_position", error)
}

/// As [`unreached`], of this field.
pub(super) fn unreached_in(field: &str, error: Unreached) -> Status {
    match error {
        Unreached::Position(error) => position(field, error.reason(), error).into(),
        Unreached::Store(error) => store(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_in_the_table() {
        let all = [
            Refusal::ReminderUnknown,
            Refusal::ReminderSettled,
            Refusal::NotAhead("until_time"),
            Refusal::TooFar("until_time", 24),
            Refusal::Documents(Vec::new()),
        ];
        for refusal in all {
            assert_ne!(refused(&refusal).code, Code::Internal, "{refusal:?}");
        }
        for reason in ["RECIPIENT_ERASED", "RECIPIENT_NOT_FOUND", "REPLAY_BUSY", "REPLAY_TOO_LONG", "TICKET_NOT_FOUND"]
        {
            assert_ne!(unknown(reason).code(), Code::Internal, "{reason}");
        }
        assert!(REASONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
