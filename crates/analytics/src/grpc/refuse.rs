//! Every refusal and failure as a gRPC status, in one place.

use chassis::refuse::{Reasons, Refused, failed, listed, position};
use eventlog::StoreError;
use eventlog::position::Unreached;
use eventlog::service::Failure;
use tonic::{Code, Status};

use crate::command::Refusal;

/// Every reason of analytics' own.
pub const REASONS: Reasons = &[(
    "REPORT_NOT_FOUND",
    Code::NotFound,
    "the tenant has no such Report, or a calendar it names is no longer in force",
)];

/// A refusal of the rules.
fn refused(refusal: &Refusal) -> Refused {
    match refusal {
        Refusal::Documents(_) => listed(REASONS, "DOCUMENTS_INVALID", refusal.to_string()),
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

/// A report that cannot be computed.
pub(super) fn no_report(name: &str) -> Status {
    listed(REASONS, "REPORT_NOT_FOUND", format!("no report {name}")).with("report", name).into_status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_in_a_table() {
        assert_eq!(refused(&Refusal::Documents(Vec::new())).code, Code::InvalidArgument);
        assert_eq!(no_report("x").code(), Code::NotFound);
    }
}
