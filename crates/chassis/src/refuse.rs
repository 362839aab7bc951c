//! Refusals on the wire: every error leaves as a gRPC status with one `ErrorInfo` and the details that fit (AIP-193).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The `domain` of every `ErrorInfo` the cluster answers with.
pub const DOMAIN: &str = "docket";

/// A table of reasons: the reason, its code, what it means to the caller.
pub type Reasons = &'static [(&'static str, Code, &'static str)];

/// Every reason any service may answer with; those of its own a service lists itself.
pub const REASONS: Reasons = &[
    ("CONTENTION", Code::Aborted, "what the command depends on kept moving; retry with the same request id"),
    ("DEADLINE_EXCEEDED", Code::DeadlineExceeded, "the call's deadline passed before its answer was ready"),
    ("DOCUMENTS_INVALID", Code::InvalidArgument, "documents cannot be put in force; the answer lists every fault"),
    ("FIELDS_INVALID", Code::InvalidArgument, "fields are missing or wrong; every one of them is listed"),
    ("INTERNAL", Code::Internal, "a fault of the server; what happened is in its log"),
    ("LOG_BUSY", Code::Unavailable, "too much waits to be written, most of all of this tenant; retry after the delay"),
    ("LOG_UNAVAILABLE", Code::Unavailable, "the log cannot be reached; retry with the same request id"),
    ("MESSAGE_MISSING", Code::Cancelled, "the call ended before its message"),
    ("MESSAGE_TOO_LARGE", Code::ResourceExhausted, "a message is larger than the server takes"),
    ("METHOD_UNKNOWN", Code::Unimplemented, "no service here has this method"),
    ("NEWER_FORMAT", Code::Unavailable, "what is asked for holds events of a newer program; retry on another replica"),
    ("NOT_READY", Code::Unavailable, "the service is still reading the log, or cannot reach it; retry after the delay"),
    ("OVERLOADED", Code::Unavailable, "the server has as many calls in hand as it takes; retry after the delay"),
    ("PAGE_SIZE_INVALID", Code::InvalidArgument, "a page size is negative"),
    ("PAGE_TOKEN_INVALID", Code::InvalidArgument, "a page token is damaged, or belongs to another filter or tenant"),
    ("POSITION_FOREIGN", Code::FailedPrecondition, "the position is of another log, or of this one before a restore"),
    ("POSITION_INVALID", Code::InvalidArgument, "the text is no log position"),
    ("REQUEST_ID_REUSED", Code::InvalidArgument, "the request id was used before with other content"),
    ("REQUEST_TOO_LARGE", Code::InvalidArgument, "what would be recorded is larger than an event may be"),
    ("ROLE_REQUIRED", Code::PermissionDenied, "the caller has none of the roles that may call this method"),
    ("SHUTTING_DOWN", Code::Unavailable, "the server ends this stream to stop; resume it elsewhere"),
    ("TOKEN_INVALID", Code::Unauthenticated, "the bearer token is damaged, expired, or not signed by a trusted key"),
    ("TOKEN_MISSING", Code::Unauthenticated, "the call carries no bearer token"),
];

/// A request field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// Path of the field in the request, as `ticket.contact.phone`.
    pub field: String,
    /// What is wrong, for a person.
    pub message: String,
}

/// A condition that must hold first and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreconditionFault {
    /// The kind of condition, `UPPER_SNAKE`.
    pub kind: String,
    /// The resource it is about.
    pub subject: String,
    /// What would make it hold, for a person.
    pub message: String,
}

/// An answer of "no": what a caller needs to understand it, act on it, or retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The gRPC code.
    pub code: Code,
    /// The machine-readable reason, `UPPER_SNAKE`, listed in a table of reasons.
    pub reason: &'static str,
    /// One sentence for a person.
    pub message: String,
    /// Names and values a machine may act on.
    pub metadata: BTreeMap<String, String>,
    /// Every faulty field, not only the first.
    pub fields: Vec<FieldFault>,
    /// Every condition that does not hold.
    pub preconditions: Vec<PreconditionFault>,
    /// How long to wait before trying again, if trying again can help.
    pub retry_after_secs: Option<u16>,
}

impl Refused {
    /// A refusal without further details.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        let (metadata, fields, preconditions) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { code, reason, message: message.into(), metadata, fields, preconditions, retry_after_secs: None }
    }

    /// Adds one entry of metadata.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Adds one faulty field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push(FieldFault { field: field.into(), message: message.into() });
        self
    }

    /// Adds one condition that does not hold.
    #[must_use]
    pub fn precondition(mut self, fault: PreconditionFault) -> Self {
        self.preconditions.push(fault);
        self
    }

    /// Says when trying again may help.
    #[must_use]
    pub fn retry_after_secs(mut self, delay_secs: u16) -> Self {
        self.retry_after_secs = Some(delay_secs);
        self
    }

    /// The status as it goes on the wire.
    pub fn into_status(self) -> Status {
        let metadata: HashMap<_, _> = self.metadata.into_iter().collect();
        let mut details = ErrorDetails::with_error_info(self.reason, DOMAIN, metadata);
        for fault in self.fields {
            details.add_bad_request_violation(fault.field, fault.message);
        }
        for fault in self.preconditions {
            details.add_precondition_failure_violation(fault.kind, fault.subject, fault.message);
        }
        if let Some(delay_secs) = self.retry_after_secs {
            details.set_retry_info(Some(Duration::from_secs(delay_secs.into())));
        }
        Status::with_error_details(self.code, self.message, details)
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        refused.into_status()
    }
}

/// A refusal with a reason of a service's own table or of [`REASONS`], and the code that belongs to it.
pub fn listed(own: Reasons, reason: &'static str, message: impl Into<String>) -> Refused {
    let mut rows = own.iter().chain(REASONS);
    let code = rows.find(|(known, ..)| *known == reason).map_or(Code::Internal, |(_, code, _)| *code);
    Refused::new(code, reason, message)
}

/// A request with one faulty field.
pub fn field(field: &str, message: &str) -> Refused {
    listed(&[], "FIELDS_INVALID", format!("{field} {message}")).field(field, message)
}

/// A field that holds no position of this log.
pub fn position(field: &str, reason: &'static str, error: impl Display) -> Refused {
    listed(&[], reason, error.to_string()).field(field, "take it from an answer of this cluster")
}

/// What could not be carried out although no rule refused it: told by a reason of [`REASONS`] and a sentence, and when
/// to try again, if that can help; without a reason it is a fault of ours.
pub fn failed(told: Option<(&'static str, String)>, error: impl Display) -> Result<Refused, Status> {
    let (reason, message) = told.ok_or_else(|| internal(&error))?;
    let refused = listed(&[], reason, message);
    Ok(match (refused.code, reason) {
        (Code::Unavailable, _) => {
            tracing::warn!(%error, reason, "a call cannot be served here");
            refused.retry_after_secs(1)
        }
        (Code::Aborted, _) => refused.retry_after_secs(1),
        (_, "REQUEST_ID_REUSED") => refused.field("request_id", "make a new one for a new request"),
        _ => refused,
    })
}

/// A fault of ours: its text goes to the log, never on the wire.
pub fn internal(fault: impl Display) -> Status {
    tracing::error!(error = %fault, "internal error");
    Refused::new(Code::Internal, "INTERNAL", "internal error").into_status()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves part of: X5
    #[test]
    fn every_detail_reaches_the_wire() {
        let status = Refused::new(Code::InvalidArgument, "FIELDS_INVALID", "two fields are wrong")
            .with("type", "repair")
            .field("subject", "is required")
            .field("contact.phone", "is no phone number")
            .precondition(PreconditionFault {
                kind: "OPEN".into(),
                subject: "tickets/1".into(),
                message: "reopen it".into(),
            })
            .retry_after_secs(3)
            .into_status();
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "two fields are wrong"));
        let details = status.get_error_details();
        let info = details.error_info().expect("an ErrorInfo");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("FIELDS_INVALID", "docket"));
        assert_eq!(info.metadata["type"], "repair");
        let fields: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["subject", "contact.phone"]);
        assert_eq!(details.precondition_failure().unwrap().violations[0].subject, "tickets/1");
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_plain_refusal_carries_no_empty_details() {
        let details = Refused::new(Code::NotFound, "TICKET_NOT_FOUND", "").into_status().get_error_details();
        assert!(details.bad_request().is_none() && details.retry_info().is_none());
        assert!(details.precondition_failure().is_none());
    }

    #[test]
    fn an_internal_error_hides_its_text() {
        let status = internal("password of the database is wrong");
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
        assert!(!format!("{status:?}").contains("password"));
    }

    #[test]
    fn reasons_are_sorted_and_unique() {
        assert!(REASONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
