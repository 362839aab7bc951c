//! One call carried through: who asks and under which request, the command decided, what it came to.

use chassis::token::{Caller, Role};
use chassis::wire;
use decider::Tenant;
use eventlog::service::Ask;
use proto::dispatch::v1 as pb;
use proto::prost::Message;
use proto::prost_types::Timestamp;
use tonic::{Request, Status};

use super::read::Upto;
use super::{Grpc, parse, refuse, render};
use crate::command::{By, Command, Move, Verb};
use crate::{duty, view};

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

    /// The verified caller.
    pub(super) fn caller(&self) -> &Caller {
        &self.wire.caller
    }

    fn by(&self) -> By {
        let decides = |role: &Role| matches!(role, Role::Dispatcher | Role::Supervisor | Role::Admin);
        By { subject: self.caller().subject.clone(), dispatcher: self.caller().roles.iter().any(decides) }
    }
}

/// What every verb for a visit names.
pub(super) struct Target<'a> {
    pub(super) name: &'a str,
    pub(super) etag: &'a str,
    pub(super) occur_time: Option<Timestamp>,
}

impl Grpc {
    /// Carries a verb out on a visit; answers the visit as that request left it, and the log's position.
    pub(super) async fn carry(
        &self,
        who: &Who,
        mut ask: Ask,
        target: Target<'_>,
        verb: Verb,
    ) -> Result<(pb::Visit, String), Status> {
        let (ticket, visit) = parse::visit_id(who.tenant.as_str(), target.name)?;
        ask.occurred_at = wire::micros("occur_time", target.occur_time)?;
        let asked = Move { ticket, visit, etag: parse::etag(target.etag), by: who.by(), verb };
        let done = self.dispatch.ask(&ask, &Command::Move(Box::new(asked))).await;
        let done = done.map_err(|failure| refuse::status(&failure))?;
        let own = done.events.iter().rfind(|event| event.stream.family() == "work");
        let upto = own.map_or(Upto::Last, |event| Upto::Version(event.version));
        let shown = self.visit(&who.tenant, (ticket, visit), upto).await?.0;
        Ok((render::visit(&who.tenant, &shown), self.mark(done.position).await?))
    }

    /// Says something about somebody's time; answers them as they stand now, if they are on the roster.
    pub(super) async fn say(
        &self,
        who: &Who,
        ask: Ask,
        engineer: &str,
        verb: duty::Verb,
    ) -> Result<(Option<pb::Engineer>, String), Status> {
        let by = who.by();
        let subject = if engineer.is_empty() { by.subject.clone() } else { engineer.to_owned() };
        let command = Command::Duty { subject: subject.clone(), by, verb };
        let done = self.dispatch.ask(&ask, &command).await.map_err(|failure| refuse::status(&failure))?;
        let now = self.dispatch.clock().now();
        let shown = |state: &crate::State| view::engineer(state.board(&who.tenant)?, &subject, now);
        let shown = self.dispatch.view(shown).map(render::engineer);
        Ok((shown, self.mark(done.position).await?))
    }
}
