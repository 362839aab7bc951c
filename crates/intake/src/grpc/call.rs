//! One call carried through: who asks and under which request, the command decided, the ticket as that request left it.

use chassis::token::Caller;
use chassis::wire;
use decider::{Micros, Tenant};
use eventlog::service::{Ask, Done};
use proto::prost::Message;
use proto::prost_types::Timestamp;
use tonic::{Request, Status};
use uuid::Uuid;

use super::history::{self, Upto};
use super::{Grpc, parse, refuse, render};
use crate::Command;
use crate::command::{Move, Reach, Verb};
use crate::refusal::Refusal;
use crate::view;

/// Who asks.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) tenant: Tenant,
    pub(crate) actor: String,
    pub(crate) reach: Reach,
    wire: wire::Who,
}

impl Who {
    /// Takes a request apart: who asks, and what.
    pub(crate) fn of<T>(request: Request<T>) -> Result<(Self, T), Status> {
        let (wire, asked) = wire::Who::of(request)?;
        let who = Self {
            tenant: Tenant::new(&wire.caller.tenant),
            actor: format!("user/{}", wire.caller.subject),
            reach: parse::reach(&wire.caller),
            wire,
        };
        Ok((who, asked))
    }

    /// The verified caller.
    pub(crate) fn caller(&self) -> &Caller {
        &self.wire.caller
    }

    /// The request under which a message is decided.
    pub(crate) fn ask(&self, rpc: &str, message: &impl Message, request_id: &str) -> Result<Ask, Status> {
        let wire::Who { caller, trace } = &self.wire;
        let request = self.wire.request(rpc, message, request_id)?;
        Ok(Ask::by_user(&caller.tenant, &caller.subject, request, trace))
    }
}

/// What every mutation of a ticket names.
pub(crate) struct Target<'a> {
    pub(crate) name: &'a str,
    pub(crate) etag: &'a str,
    pub(crate) occur_time: Option<Timestamp>,
}

impl Grpc {
    /// Carries a verb out on a ticket; answers the ticket and the log's position.
    pub(crate) async fn carry(
        &self,
        who: &Who,
        mut ask: Ask,
        target: Target<'_>,
        verb: Verb,
    ) -> Result<(proto::intake::v1::Ticket, String), Status> {
        let ticket = parse::ticket_id(who.tenant.as_str(), target.name)?;
        ask.occurred_at = wire::micros("occur_time", target.occur_time)?;
        let etag = parse::etag(target.etag);
        let command = Command::Move(Move { ticket, etag, reach: who.reach, verb });
        let done = self.intake.ask(&ask, &command).await.map_err(|failure| refuse::status(&failure))?;
        self.outcome(&who.tenant, ticket, &done).await
    }

    /// A ticket as a request left it.
    pub(crate) async fn outcome(
        &self,
        tenant: &Tenant,
        ticket: Uuid,
        done: &Done,
    ) -> Result<(proto::intake::v1::Ticket, String), Status> {
        let upto = done.events.last().map_or(Upto::Last, |last| Upto::Version(last.version));
        let ticket = self.ticket(tenant, ticket, upto).await?;
        Ok((ticket, self.mark(done.position).await?))
    }

    /// A ticket as its stream tells it.
    pub(crate) async fn ticket(
        &self,
        tenant: &Tenant,
        id: Uuid,
        upto: Upto,
    ) -> Result<proto::intake::v1::Ticket, Status> {
        let found = history::entities(self.intake.log(), tenant, &[id], upto).await.map_err(refuse::store)?;
        let entity = found.first().ok_or_else(|| refuse::refused(&Refusal::NotFound).into_status())?;
        Ok(render::ticket(tenant, entity))
    }

    /// The id a name stands for, if the caller may know of that ticket.
    pub(crate) fn known(&self, who: &Who, name: &str) -> Result<Uuid, Status> {
        let id = parse::ticket_id(who.tenant.as_str(), name)?;
        let visible = self.intake.view(|state| {
            let house = state.house(&who.tenant)?;
            Some(view::visible(house.tickets.get(&id)?, &house.names, who.reach, &who.actor))
        });
        if visible == Some(true) { Ok(id) } else { Err(refuse::refused(&Refusal::NotFound).into_status()) }
    }

    /// The opaque text of a position.
    pub(crate) async fn mark(&self, position: u64) -> Result<String, Status> {
        self.intake.mark_at(position).await.map_err(refuse::store)
    }

    /// Waits until what the caller has seen is folded; answers the opaque text of what is.
    pub(crate) async fn reached(&self, min_position: &str) -> Result<String, Status> {
        self.intake.reach_mark(min_position).await.map_err(refuse::unreached)
    }

    /// Until when an answer is asked for.
    pub(crate) fn upto(as_of: Option<Timestamp>) -> Result<(Upto, Micros), Status> {
        let as_of = wire::micros("as_of_time", as_of)?;
        Ok((as_of.map_or(Upto::Last, Upto::Recorded), as_of.unwrap_or(Micros::MAX)))
    }
}
