//! The no-drop proof on the wire.

use chassis::refuse::field;
use chassis::wire::{ticket_name, timestamp};
use decider::Tenant;
use proto::sla_monitor::v1 as pb;
use ticket::batch::{Draft, MAX_BATCH};
use tonic::Status;

use super::Grpc;
use super::parse::Who;
use crate::nminus::{Hole, Proving};

/// Open tickets gone through before the state may move on.
const STRETCH: usize = 500;

impl Grpc {
    pub(super) async fn proof(
        &self,
        who: &Who,
        asked: pb::ProveNoDropRequest,
    ) -> Result<pb::ProveNoDropResponse, Status> {
        if asked.documents.len() > MAX_BATCH {
            return Err(field("documents", &format!("must be at most {MAX_BATCH}")).into());
        }
        let drafts = asked.documents.into_iter().enumerate().map(|(n, one)| {
            let spec = serde_json::from_str(&one.spec_json)
                .map_err(|error| field(&format!("documents[{n}].spec_json"), &format!("is no JSON: {error}")))?;
            Ok(Draft { kind: one.kind, name: one.name, spec, reason: None })
        });
        let drafts = drafts.collect::<Result<Vec<_>, Status>>()?;
        let log_position = self.reached(&asked.min_position).await?;
        let now = self.monitor.clock().now();
        let mut proving = Proving::new(who.tenant.clone(), now, drafts);
        self.monitor.view_by_parts(|state| proving.go_on(state, STRETCH)).await;
        let proof = proving.proof();
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(pb::ProveNoDropResponse {
            holes: proof.holes.into_iter().map(|one| hole(&who.tenant, one)).collect(),
            left_out: count(proof.left_out),
            open_tickets: count(proof.tickets),
            failures: count(proof.failures),
            log_position,
        })
    }
}

fn hole(tenant: &Tenant, hole: Hole) -> pb::NoDropHole {
    pb::NoDropHole {
        failure: hole.failure.to_string(),
        tickets: i64::try_from(hole.tickets).unwrap_or(i64::MAX),
        sample: hole.sample.into_iter().map(|id| ticket_name(tenant.as_str(), id)).collect(),
        time: Some(timestamp(hole.at)),
        last_link: hole.last,
        remedy: hole.remedy,
    }
}
