//! Major events and rotas on the wire.

use chassis::wire::{micros, timestamp};
use proto::sla_monitor::v1 as pb;
use tonic::Status;

use super::parse::Who;
use super::{Grpc, refuse};
use crate::command::{Command, Refusal};
use crate::major::{Declaration, Major};
use crate::view;

impl Grpc {
    pub(super) async fn declare(
        &self,
        who: &Who,
        asked: pb::DeclareMajorEventRequest,
    ) -> Result<pb::DeclareMajorEventResponse, Status> {
        let ask = who.ask("DeclareMajorEvent", &asked, &asked.request_id)?;
        let pb::DeclareMajorEventRequest { name, reason, scope, policy, .. } = asked;
        let command = Command::Declare(Declaration { name, reason, scope, policy });
        Ok(pb::DeclareMajorEventResponse { log_position: self.done(&ask, &command).await? })
    }

    pub(super) async fn majors(
        &self,
        who: &Who,
        asked: &pb::ListMajorEventsRequest,
    ) -> Result<pb::ListMajorEventsResponse, Status> {
        self.reached(&asked.min_position).await?;
        let major_events = self.monitor.view(|state| view::majors(state, &who.tenant, major));
        Ok(pb::ListMajorEventsResponse { major_events })
    }

    pub(super) async fn on_call(
        &self,
        who: &Who,
        asked: pb::GetOnCallRequest,
    ) -> Result<pb::GetOnCallResponse, Status> {
        let at = micros("time", asked.time)?.unwrap_or_else(|| self.monitor.clock().now());
        self.reached(&asked.min_position).await?;
        let found = self.monitor.view(|state| view::on_call(state, &who.tenant, &asked.rota, at));
        let found = found.ok_or_else(|| refuse::refused(&Refusal::RotaUnknown(asked.rota.clone())))?;
        let (person, shift) = found.unwrap_or_default();
        Ok(pb::GetOnCallResponse { person, shift })
    }
}

fn major(name: &str, major: &Major) -> pb::MajorEvent {
    let (end_time, end_reason) =
        major.ended.clone().map_or((None, String::new()), |(at, how)| (Some(timestamp(at)), how));
    pb::MajorEvent {
        name: name.to_owned(),
        reason: major.reason.clone(),
        scope: major.scope(),
        policy: major.policy.name.clone(),
        policy_version: major.policy.version,
        declare_time: Some(timestamp(major.declared_at)),
        end_time,
        end_reason,
    }
}
