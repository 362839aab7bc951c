//! The stream of somebody's own reminders as they come and change.

use eventlog::Row;
use eventlog::service::recorded;
use eventlog::store::Select;
use proto::notifier::v1::{WatchInboxRequest, WatchInboxResponse};
use ticket::Event;
use ticket::codec::{Family, KINDS};
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::parse::Who;
use super::{Grpc, refuse, render};
use crate::state::reminder_of;
use crate::view;

/// Changes that wait for a slow watcher; the log is read on when there is room again.
const MAX_WAITING: usize = 64;
/// Rows read at once.
const PAGE: i64 = 500;

type Change = Result<WatchInboxResponse, Status>;

/// What one watcher wants, and how far they have seen.
struct Watcher {
    grpc: Grpc,
    who: Who,
    kinds: Vec<&'static str>,
    after: i64,
    changes: Sender<Change>,
}

impl Grpc {
    pub(super) async fn watch(&self, who: Who, asked: &WatchInboxRequest) -> Result<ReceiverStream<Change>, Status> {
        let head = self.notifier.log().head().await.map_err(refuse::store)?;
        let after = if asked.from_position.is_empty() {
            head.position
        } else {
            let from = eventlog::position::parse(&head, &asked.from_position);
            let from = from.map_err(|error| refuse::unreached_in("from_position", error.into()))?;
            i64::try_from(from).unwrap_or(i64::MAX)
        };
        let own = |(kind, family): (&&'static str, &Family)| (*family == Family::Notifier).then_some(*kind);
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
            let log = self.grpc.notifier.log();
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
    async fn change(&self, row: &Row) -> Result<Option<WatchInboxResponse>, Status> {
        let tenant = &self.who.tenant;
        let Some(ticket) = row.correlation.filter(|_| row.tenant == tenant.as_str() && self.wants(row)) else {
            return Ok(None);
        };
        let Event::Notifier(event) = recorded(row).map_err(refuse::store)?.event else { return Ok(None) };
        let Some(reminder) = reminder_of(&event) else { return Ok(None) };
        let notifier = &self.grpc.notifier;
        let position = row.position.unsigned_abs();
        notifier.reach(position).await.map_err(refuse::store)?;
        let now = notifier.clock().now();
        let found = notifier.view(|state| view::reminder(state, tenant, (ticket, reminder), now));
        let Some(found) = found.filter(|found| found.recipient.as_deref() == Some(self.who.subject())) else {
            return Ok(None);
        };
        let reminder = Some(render::reminder(tenant, found));
        Ok(Some(WatchInboxResponse { reminder, kind: row.kind.clone(), log_position: self.grpc.mark(position).await? }))
    }

    fn wants(&self, row: &Row) -> bool {
        self.kinds.contains(&row.kind.as_str())
    }
}
