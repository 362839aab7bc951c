//! From messages of the wire to what is asked.

use chassis::refuse::field;
use chassis::wire;
use decider::Micros;
use proto::dispatch::v1 as pb;
use proto::prost_types::Timestamp;
use ticket::dispatch::{OffDuty, Place, StopReason};
use tonic::Status;
use uuid::Uuid;

use super::refuse;
use crate::refusal::Refusal;

/// The ticket a name stands for; if it is none, there is no such ticket.
pub(super) fn ticket_id(tenant: &str, name: &str) -> Result<Uuid, Status> {
    wire::ticket_id(tenant, name).ok_or_else(|| refuse::refused(&Refusal::TicketUnknown).into_status())
}

/// The ticket and the visit a name stands for; if it is none, there is no such visit.
pub(super) fn visit_id(tenant: &str, name: &str) -> Result<(Uuid, Uuid), Status> {
    let found = name.split_once("/visits/").and_then(|(ticket, visit)| {
        let ticket = wire::ticket_id(tenant, ticket)?;
        Some((ticket, visit.parse().ok()?))
    });
    found.ok_or_else(|| refuse::refused(&Refusal::VisitUnknown).into_status())
}

/// The version an etag stands for; unchecked if empty. Text that no etag has is an etag the visit never had.
pub(super) fn etag(text: &str) -> Option<u64> {
    (!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX))
}

/// An instant that must be there.
pub(super) fn instant(name: &str, time: Option<Timestamp>) -> Result<Micros, Status> {
    wire::micros(name, time)?.ok_or_else(|| field(name, "is required").into())
}

pub(super) fn place(place: pb::Place) -> Place {
    Place { lat_udeg: place.lat_udeg, lon_udeg: place.lon_udeg }
}

pub(super) fn stop_reason(reason: pb::StopReason) -> Result<StopReason, Status> {
    match reason {
        pb::StopReason::Unspecified => Err(field("reason", "is required").into()),
        pb::StopReason::Parts => Ok(StopReason::Parts),
        pb::StopReason::CustomerAbsent => Ok(StopReason::CustomerAbsent),
        pb::StopReason::OtherSkills => Ok(StopReason::OtherSkills),
        pb::StopReason::MoreTime => Ok(StopReason::MoreTime),
    }
}

pub(super) fn off_duty(reason: pb::OffDutyReason) -> Result<OffDuty, Status> {
    match reason {
        pb::OffDutyReason::Unspecified => Err(field("reason", "is required").into()),
        pb::OffDutyReason::ShiftOver => Ok(OffDuty::ShiftOver),
        pb::OffDutyReason::Sick => Ok(OffDuty::Sick),
        pb::OffDutyReason::Left => Ok(OffDuty::Left),
    }
}
