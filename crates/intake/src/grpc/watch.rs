//! The stream of tickets as they change.

use chassis::refuse::position;
use eventlog::watch::{self, begin};
use eventlog::{Row, StoreError};
use proto::intake::v1::{WatchTicketsRequest, WatchTicketsResponse};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::call::Who;
use super::history::{self, Upto};
use super::{Grpc, read, refuse, render};
use crate::filter::Filter;
use crate::view;

/// What one watcher wants.
struct Watcher {
    grpc: Grpc,
    who: Who,
    filter: Filter,
}

impl Grpc {
    pub(super) async fn watch(
        &self,
        who: Who,
        asked: WatchTicketsRequest,
    ) -> Result<ReceiverStream<Result<WatchTicketsResponse, Status>>, Status> {
        let filter = read::filter(&asked.filter)?;
        let head = self.intake.log().head().await.map_err(refuse::store)?;
        let after = begin(&head, &asked.from_position);
        let after = after.map_err(|error| position("from_position", error.reason(), error))?;
        let watcher = Watcher { grpc: self.clone(), who, filter };
        Ok(ReceiverStream::new(watch::watch(self.intake.log().clone(), Vec::new(), after, watcher)))
    }
}

impl watch::Watcher for Watcher {
    type Change = WatchTicketsResponse;
    type Error = Status;

    fn failed(error: StoreError) -> Status {
        refuse::store(error)
    }

    async fn change(&self, row: Row) -> Result<Option<WatchTicketsResponse>, Status> {
        let tenant = &self.who.tenant;
        let Some(id) = row.correlation.filter(|_| row.tenant == tenant.as_str() && row.stream.starts_with("ticket/"))
        else {
            return Ok(None);
        };
        let log = self.grpc.intake.log();
        let upto = Upto::Version(row.version.unsigned_abs());
        let found = history::entities(log, tenant, &[id], upto).await.map_err(refuse::store)?;
        let passes = |entity: &&view::Entity| {
            view::visible(&entity.ticket, &entity.names, self.who.reach, &self.who.actor)
                && self.filter.matches(&entity.facets())
        };
        let Some(entity) = found.first().filter(passes) else { return Ok(None) };
        let log_position = self.grpc.mark(row.position.unsigned_abs()).await?;
        let ticket = Some(render::ticket(tenant, entity));
        Ok(Some(WatchTicketsResponse { ticket, kind: row.kind, log_position }))
    }
}
