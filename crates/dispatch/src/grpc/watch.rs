//! The stream of one's own visits as they change.

use chassis::refuse::position;
use eventlog::Row;
use eventlog::position::parse;
use eventlog::service::recorded;
use eventlog::store::Select;
use proto::dispatch::v1::{WatchMyWorkRequest, WatchMyWorkResponse};
use ticket::Event;
use ticket::codec::{Family, KINDS};
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::call::Who;
use super::read::Upto;
use super::{Grpc, refuse, render};
use crate::view::{concerned, named};
use crate::work::visit_of;

/// Changes that wait for a slow watcher; the log is read on when there is room again.
const MAX_WAITING: usize = 64;
/// Rows read at once.
const PAGE: i64 = 500;

type Change = Result<WatchMyWorkResponse, Status>;

/// Who watches, and how far they have seen.
struct Watcher {
    grpc: Grpc,
    who: Who,
    kinds: Vec<&'static str>,
    after: i64,
    changes: Sender<Change>,
}

impl Grpc {
    pub(super) async fn watch(&self, who: Who, asked: WatchMyWorkRequest) -> Result<ReceiverStream<Change>, Status> {
        let head = self.dispatch.log().head().await.map_err(refuse::store)?;
        let after = if asked.from_position.is_empty() {
            head.position
        } else {
            let from = parse(&head, &asked.from_position);
            let from = from.map_err(|error| position("from_position", error.reason(), error))?;
            i64::try_from(from).unwrap_or(i64::MAX)
        };
        let own = |(kind, family): (&&'static str, &Family)| (*family == Family::Dispatch).then_some(*kind);
        let kinds = KINDS.iter().filter_map(own).collect();
        let (changes, stream) = mpsc::channel(MAX_WAITING);
        let mut watcher = Watcher { grpc: self.clone(), who, kinds, after, changes };
        tokio::spawn(async move {
            if let Err(status) = watcher.follow().await {
                // A watcher who has gone does not hear why.
                let _gone = watcher.changes.send(Err(status)).await;
            }
        });
        Ok(ReceiverStream::new(stream))
    }
}

impl Watcher {
    /// Follows the log until the watcher has gone.
    async fn follow(&mut self) -> Result<(), Status> {
        loop {
            let log = self.grpc.dispatch.log();
            let rows = log.read(&Select::All, Some(&self.kinds), self.after, PAGE).await.map_err(refuse::store)?;
            if rows.is_empty() {
                tokio::select! {
                    () = self.changes.closed() => return Ok(()),
                    moved = log.moved(self.after) => moved.map_err(refuse::store)?,
                }
            }
            for row in rows {
                self.after = row.position;
                if let Some(change) = self.change(&row).await?
                    && self.changes.send(Ok(change)).await.is_err()
                {
                    return Ok(());
                }
            }
        }
    }

    /// What a row means to this watcher, if anything.
    async fn change(&self, row: &Row) -> Result<Option<WatchMyWorkResponse>, Status> {
        let tenant = &self.who.tenant;
        let ours = row.tenant == tenant.as_str() && row.stream.starts_with("work/");
        let Some(ticket) = row.correlation.filter(|_| ours) else { return Ok(None) };
        let Event::Dispatch(event) = recorded(row).map_err(refuse::store)?.event else { return Ok(None) };
        let me = self.who.caller().subject.as_str();
        // Most of what happens is others': seen without reading the ticket's field work.
        if !named(&event, me) {
            return Ok(None);
        }
        let version = row.version.unsigned_abs();
        let dossier = self.grpc.dossier(tenant, ticket, Upto::Version(version)).await.map_err(refuse::store)?;
        let Some(event) = dossier.last else { return Ok(None) };
        let Some(visit) = visit_of(&event).and_then(|id| dossier.work.visit(id)) else { return Ok(None) };
        if !concerned(&event, visit, me) {
            return Ok(None);
        }
        let shown = self.grpc.visit(tenant, (ticket, visit.id), Upto::Version(version)).await?.0;
        let log_position = self.grpc.mark(row.position.unsigned_abs()).await?;
        let visit = Some(render::visit(tenant, &shown));
        Ok(Some(WatchMyWorkResponse { visit, kind: row.kind.clone(), log_position }))
    }
}
