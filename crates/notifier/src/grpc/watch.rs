//! The stream of somebody's own reminders as they come and change.

use eventlog::service::recorded;
use eventlog::watch::{self, begin};
use eventlog::{Row, StoreError};
use proto::notifier::v1::{WatchInboxRequest, WatchInboxResponse};
use ticket::Event;
use ticket::codec::{Family, kinds};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::parse::Who;
use super::{Grpc, refuse, render};
use crate::view;

/// What one watcher wants.
struct Watcher {
    grpc: Grpc,
    who: Who,
}

impl Grpc {
    pub(super) async fn watch(
        &self,
        who: Who,
        asked: &WatchInboxRequest,
    ) -> Result<ReceiverStream<Result<WatchInboxResponse, Status>>, Status> {
        let head = self.notifier.log().head().await.map_err(refuse::store)?;
        let after = begin(&head, &asked.from_position);
        let after = after.map_err(|error| refuse::unreached_in("from_position", error.into()))?;
        let watcher = Watcher { grpc: self.clone(), who };
        Ok(ReceiverStream::new(watch::watch(self.notifier.log().clone(), kinds(Family::Notifier), after, watcher)))
    }
}

impl watch::Watcher for Watcher {
    type Change = WatchInboxResponse;
    type Error = Status;

    fn failed(error: StoreError) -> Status {
        refuse::store(error)
    }

    async fn change(&self, row: Row) -> Result<Option<WatchInboxResponse>, Status> {
        let tenant = &self.who.tenant;
        let Some(ticket) =
            row.correlation.filter(|_| row.tenant == tenant.as_str() && row.stream.starts_with("reminder/"))
        else {
            return Ok(None);
        };
        let Event::Notifier(event) = recorded(&row).map_err(refuse::store)?.event else { return Ok(None) };
        let Some(reminder) = event.reminder() else { return Ok(None) };
        let notifier = &self.grpc.notifier;
        let position = row.position.unsigned_abs();
        notifier.reach(position).await.map_err(refuse::store)?;
        let now = notifier.clock().now();
        let whose = (tenant, self.who.subject());
        let found = notifier.view(|state| view::in_inbox(state, whose, (ticket, reminder), now));
        let Some(found) = found else { return Ok(None) };
        let reminder = Some(render::reminder(tenant, found));
        Ok(Some(WatchInboxResponse { reminder, kind: row.kind, log_position: self.grpc.mark(position).await? }))
    }
}
