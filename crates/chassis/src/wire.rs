//! What every service needs of the wire and no domain: who asks, under which request, names, instants.

use std::hash::{BuildHasher, Hasher, RandomState};

use prost::Message;
use prost_types::Timestamp;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::access;
use crate::refuse::{Refused, field};
use crate::token::Caller;

/// Who asks, and the trace the call belongs to.
#[derive(Clone, Debug)]
pub struct Who {
    /// The verified caller.
    pub caller: Caller,
    /// W3C `traceparent`, or empty.
    pub trace: String,
}

impl Who {
    /// Takes a request apart: who asks, and what.
    ///
    /// Fails with `TOKEN_MISSING` where no token was asked for.
    pub fn of<T>(request: Request<T>) -> Result<(Self, T), Status> {
        let caller = access::caller(&request)?.clone();
        let trace = request.metadata().get("traceparent").and_then(|trace| trace.to_str().ok());
        let trace = trace.unwrap_or_default().to_owned();
        Ok((Self { caller, trace }, request.into_inner()))
    }

    /// A request as the log knows it: its claim, and what it asks as bytes.
    pub fn request(&self, rpc: &str, message: &impl Message, request_id: &str) -> Result<(Uuid, Vec<u8>), Refused> {
        Ok((self.claim(request_id)?, content(rpc, message)))
    }

    /// The claim of a request: `UUIDv5` of tenant, caller and request id; of an id nobody has, if the caller names
    /// none. Refused with `FIELDS_INVALID` if the id is no UUID.
    fn claim(&self, request_id: &str) -> Result<Uuid, Refused> {
        let id = if request_id.is_empty() {
            fresh_id()
        } else {
            request_id.parse().map_err(|_| field("request_id", "must be a UUID"))?
        };
        let name = format!("{}\0{}\0{id}", self.caller.tenant, self.caller.subject);
        Ok(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
    }
}

/// The standard library's keys of hashing are random.
fn fresh_id() -> Uuid {
    let random = || RandomState::new().build_hasher().finish();
    Uuid::from_u64_pair(random(), random())
}

/// What a request asks, as bytes: the same for the same message to the same RPC, and for no other.
fn content(rpc: &str, message: &impl Message) -> Vec<u8> {
    let mut content = rpc.as_bytes().to_vec();
    content.push(0);
    content.extend(message.encode_to_vec());
    content
}

/// The name of a ticket: `tenants/{tenant}/tickets/{uuid}`.
pub fn ticket_name(tenant: &str, ticket: Uuid) -> String {
    format!("tenants/{tenant}/tickets/{ticket}")
}

/// The ticket of this tenant that a name stands for; nothing if it is no such name.
pub fn ticket_id(tenant: &str, name: &str) -> Option<Uuid> {
    name.strip_prefix("tenants/")?.strip_prefix(tenant)?.strip_prefix("/tickets/")?.parse().ok()
}

/// An instant in microseconds since 1970-01-01T00:00:00Z, as the wire has it.
pub fn timestamp(at: i64) -> Timestamp {
    let nanos = i32::try_from(at.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    Timestamp { seconds: at.div_euclid(1_000_000), nanos }
}

/// The instant a field holds, in microseconds since 1970-01-01T00:00:00Z (nanoseconds are cut off); nothing if unset.
///
/// Refused with `FIELDS_INVALID` if it is no instant or lies beyond the years an `i64` can count.
pub fn micros(name: &str, time: Option<Timestamp>) -> Result<Option<i64>, Refused> {
    let micros = |time: Timestamp| {
        let nanos = Some(time.nanos).filter(|nanos| (0..1_000_000_000).contains(nanos))?;
        time.seconds.checked_mul(1_000_000)?.checked_add(i64::from(nanos) / 1_000)
    };
    time.map(|time| micros(time).ok_or_else(|| field(name, "is no instant"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198a1b2-0000-7000-8000-000000000001";

    fn who(tenant: &str, subject: &str) -> Who {
        let caller = Caller { tenant: tenant.into(), subject: subject.into(), roles: Vec::new() };
        Who { caller, trace: String::new() }
    }

    #[test]
    fn a_request_id_is_claimed_by_one_caller_of_one_tenant() {
        let claim = |tenant, subject| who(tenant, subject).claim(ID).unwrap();
        assert_eq!(claim("acme", "ann"), claim("acme", "ann"));
        let all = [claim("acme", "ann"), claim("acme", "bob"), claim("globex", "ann")];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
        assert_eq!(who("acme", "ann").claim(&ID.to_uppercase()).unwrap(), all[0], "an id is no text");
    }

    #[test]
    fn a_request_without_an_id_is_like_no_other() {
        assert_ne!(who("acme", "ann").claim("").unwrap(), who("acme", "ann").claim("").unwrap());
        assert_eq!(who("acme", "ann").claim("7").unwrap_err().fields[0].field, "request_id");
    }

    #[test]
    fn a_ticket_s_name_reads_back_for_its_own_tenant() {
        let id = ID.parse().unwrap();
        let name = ticket_name("acme", id);
        assert_eq!(ticket_id("acme", &name), Some(id));
        for (tenant, name) in
            [("globex", name.as_str()), ("ac", &name), ("acme", ID), ("acme", &name[..name.len() - 1])]
        {
            assert_eq!(ticket_id(tenant, name), None, "{tenant} {name}");
        }
    }

    #[test]
    fn instants_read_back_to_the_microsecond() {
        for at in [0, 1, -1, 1_767_600_000_123_456, -62_135_596_800_000_000] {
            assert_eq!(micros("at", Some(timestamp(at))).unwrap(), Some(at));
        }
        assert_eq!(micros("at", None).unwrap(), None);
        for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (i64::MAX, 0)] {
            assert_eq!(micros("at", Some(Timestamp { seconds, nanos })).unwrap_err().fields[0].field, "at");
        }
    }
}
