//! From messages of the wire to what is asked.

use chassis::refuse::field;
use chassis::wire;
use decider::Tenant;
use eventlog::service::Ask;
use proto::prost::Message;
use ticket::sla::BreachCause;
use tonic::{Request, Status};
use uuid::Uuid;

use super::refuse;
use crate::command::Refusal;

/// Who asks.
pub(super) struct Who {
    pub(super) tenant: Tenant,
    wire: wire::Who,
}

impl Who {
    /// Takes a request apart: who asks, and what.
    pub(super) fn of<T>(request: Request<T>) -> Result<(Self, T), Status> {
        let (wire, asked) = wire::Who::of(request)?;
        Ok((Self { tenant: Tenant::new(&wire.caller.tenant), wire }, asked))
    }

    /// The request under which a message is decided.
    pub(super) fn ask(&self, rpc: &str, message: &impl Message, request_id: &str) -> Result<Ask, Status> {
        let wire::Who { caller, trace } = &self.wire;
        let request = self.wire.request(rpc, message, request_id)?;
        Ok(Ask::by_user(&caller.tenant, &caller.subject, request, trace))
    }

    /// Who it is, by token subject.
    pub(super) fn subject(&self) -> &str {
        &self.wire.caller.subject
    }

    /// The id within a ticket's name; if it is none, there is no such ticket.
    pub(super) fn ticket_id(&self, name: &str) -> Result<Uuid, Status> {
        let id = wire::ticket_id(self.tenant.as_str(), name);
        id.ok_or_else(|| refuse::refused(&Refusal::TicketUnknown).into_status())
    }
}

/// Why a clock was late.
pub(super) fn cause(word: &str) -> Result<BreachCause, Status> {
    serde_json::from_value(serde_json::Value::from(word)).map_err(|_| {
        let known = "must be one of: capacity misrouted customer_unreachable parts third_party overlooked system";
        field("cause", known).into()
    })
}
