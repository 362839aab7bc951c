//! What tonic says off the norm, said right: codes and reasons.

use http::HeaderMap;
use tonic::{Code, Status};

use crate::refuse::{self, Refused};

/// The status within headers or trailers, made one of ours: a status without details was not written by a service, and
/// is given its proper code and its reason.
pub(crate) fn mend(headers: &mut HeaderMap) -> Option<Code> {
    let status = Status::from_header_map(headers)?;
    if status.code() == Code::Ok || !status.details().is_empty() {
        return Some(status.code());
    }
    let proper = match status.code() {
        Code::OutOfRange => {
            Refused::new(Code::ResourceExhausted, "MESSAGE_TOO_LARGE", "the message is too large").into_status()
        }
        Code::Unimplemented => {
            let message =
                if status.message().is_empty() { "no service here has this method" } else { status.message() };
            Refused::new(Code::Unimplemented, "METHOD_UNKNOWN", message).into_status()
        }
        // What tonic says where a caller went away before it had said anything: no fault of ours.
        Code::Internal if status.message() == "Missing request message." => {
            Refused::new(Code::Cancelled, "MESSAGE_MISSING", "the call ended before its message").into_status()
        }
        Code::Internal | Code::Unknown => refuse::internal(status.message()),
        other => return Some(other),
    };
    write(&proper, headers)
}

/// Puts `status` in the place of the one in `headers`; answers its code.
pub(crate) fn write(status: &Status, headers: &mut HeaderMap) -> Option<Code> {
    for name in [Status::GRPC_MESSAGE, Status::GRPC_STATUS_DETAILS] {
        headers.remove(name);
    }
    status.add_header(headers).ok().map(|()| status.code())
}

/// The answer to a call whose deadline passed.
pub(crate) fn deadline_exceeded() -> Status {
    Refused::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline passed before the answer was ready").into()
}

/// The answer of a service that has not read the log to its end yet, or cannot reach it now.
pub(crate) fn not_ready() -> Status {
    Refused::new(Code::Unavailable, "NOT_READY", "the service is still reading the log, or cannot reach it")
        .retry_after_secs(1)
        .into()
}

/// The end of a stream that a stopping server cuts.
pub(crate) fn shutting_down() -> Status {
    Refused::new(Code::Unavailable, "SHUTTING_DOWN", "the server is shutting down").retry_after_secs(1).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::StatusExt;

    fn mended(status: Status) -> Status {
        let mut headers = status.into_http::<axum::body::Body>().into_parts().0.headers;
        mend(&mut headers);
        Status::from_header_map(&headers).unwrap()
    }

    #[test]
    fn bare_statuses_get_code_and_reason() {
        for (bare, code, reason) in [
            (Status::out_of_range("decoded message length too large"), Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
            (Status::internal("Missing request message."), Code::Cancelled, "MESSAGE_MISSING"),
            (Status::unimplemented(""), Code::Unimplemented, "METHOD_UNKNOWN"),
            (Status::unknown("secret"), Code::Internal, "INTERNAL"),
            (Status::internal("secret"), Code::Internal, "INTERNAL"),
        ] {
            let status = mended(bare);
            assert_eq!(status.code(), code);
            assert_eq!(status.get_error_details().error_info().unwrap().reason, reason);
            assert!(!status.message().contains("secret"));
        }
    }

    #[test]
    fn a_services_own_status_stays() {
        let own = Refused::new(Code::OutOfRange, "SLOT_OUT_OF_RANGE", "no such slot").into_status();
        let status = mended(own);
        assert_eq!((status.code(), status.message()), (Code::OutOfRange, "no such slot"));
        assert_eq!(status.get_error_details().error_info().unwrap().reason, "SLOT_OUT_OF_RANGE");
    }
}
