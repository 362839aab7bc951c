//! The stream of one's own visits as they change.

use chassis::refuse::position;
use eventlog::service::recorded;
use eventlog::watch::{self, begin};
use eventlog::{Row, StoreError};
use proto::dispatch::v1::{WatchMyWorkRequest, WatchMyWorkResponse};
use ticket::Event;
use ticket::codec::{Family, kinds};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::call::Who;
use super::read::Upto;
use super::{Grpc, refuse, render};
use crate::view::{concerned, named};
use crate::work::visit_of;

/// What one watcher wants.
struct Watcher {
    grpc: Grpc,
    who: Who,
}

impl Grpc {
    pub(super) async fn watch(
        &self,
        who: Who,
        asked: WatchMyWorkRequest,
    ) -> Result<ReceiverStream<Result<WatchMyWorkResponse, Status>>, Status> {
        let head = self.dispatch.log().head().await.map_err(refuse::store)?;
        let after = begin(&head, &asked.from_position);
        let after = after.map_err(|error| position("from_position", error.reason(), error))?;
        let watcher = Watcher { grpc: self.clone(), who };
        Ok(ReceiverStream::new(watch::watch(self.dispatch.log().clone(), kinds(Family::Dispatch), after, watcher)))
    }
}

impl watch::Watcher for Watcher {
    type Change = WatchMyWorkResponse;
    type Error = Status;

    fn failed(error: StoreError) -> Status {
        refuse::store(error)
    }

    async fn change(&self, row: Row) -> Result<Option<WatchMyWorkResponse>, Status> {
        let tenant = &self.who.tenant;
        let ours = row.tenant == tenant.as_str() && row.stream.starts_with("work/");
        let Some(ticket) = row.correlation.filter(|_| ours) else { return Ok(None) };
        let Event::Dispatch(event) = recorded(&row).map_err(refuse::store)?.event else { return Ok(None) };
        let me = self.who.caller().subject.as_str();
        // Most of what happens is others': seen without reading the ticket's field work.
        if !named(&event, me) {
            return Ok(None);
        }
        let version = row.version.unsigned_abs();
        let dossier = self.grpc.dossier(tenant, ticket, Upto::Version(version)).await.map_err(refuse::store)?;
        let Some(visit) = visit_of(&event).and_then(|id| dossier.work.visit(id)) else { return Ok(None) };
        if !concerned(&event, visit, me) {
            return Ok(None);
        }
        let shown = self.grpc.shown(tenant, ticket, (visit.clone(), version));
        let log_position = self.grpc.mark(row.position.unsigned_abs()).await?;
        let visit = Some(render::visit(tenant, &shown));
        Ok(Some(WatchMyWorkResponse { visit, kind: row.kind, log_position }))
    }
}
