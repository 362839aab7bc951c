//! The stream of tickets as they change.

use chassis::refuse::position;
use eventlog::Row;
use eventlog::position::parse;
use eventlog::store::Select;
use proto::intake::v1::{WatchTicketsRequest, WatchTicketsResponse};
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::call::Who;
use super::history::{self, Upto};
use super::{Grpc, read, refuse, render};
use crate::filter::Filter;
use crate::view;

/// Changes that wait for a slow watcher; the log is read on when there is room again.
const MAX_WAITING: usize = 64;
/// Rows read at once.
const PAGE: i64 = 500;

type Change = Result<WatchTicketsResponse, Status>;

/// What one watcher wants, and how far they have seen.
struct Watcher {
    grpc: Grpc,
    who: Who,
    filter: Filter,
    after: i64,
    changes: Sender<Change>,
}

impl Grpc {
    pub(super) async fn watch(&self, who: Who, asked: WatchTicketsRequest) -> Result<ReceiverStream<Change>, Status> {
        let filter = read::filter(&asked.filter)?;
        let head = self.intake.log().head().await.map_err(refuse::store)?;
        let after = if asked.from_position.is_empty() {
            head.position
        } else {
            let from = parse(&head, &asked.from_position);
            let from = from.map_err(|error| position("from_position", error.reason(), error))?;
            i64::try_from(from).unwrap_or(i64::MAX)
        };
        let (changes, stream) = mpsc::channel(MAX_WAITING);
        let mut watcher = Watcher { grpc: self.clone(), who, filter, after, changes };
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
            let log = self.grpc.intake.log();
            let rows = log.read(&Select::All, Some(&[]), self.after, PAGE).await.map_err(refuse::store)?;
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
    async fn change(&self, row: &Row) -> Result<Option<WatchTicketsResponse>, Status> {
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
        Ok(Some(WatchTicketsResponse { ticket, kind: row.kind.clone(), log_position }))
    }
}
