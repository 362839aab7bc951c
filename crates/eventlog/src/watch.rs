//! The rows of a log as they come, turned into what somebody wants to see of them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::log::Log;
use crate::position::{PositionError, parse};
use crate::store::{Head, Row, Select, StoreError};

/// Changes that wait for a slow watcher; the log is read on when there is room again.
const MAX_WAITING: usize = 64;
/// Rows read at once.
const PAGE: i64 = 500;

/// What somebody who watches a log wants of it.
pub trait Watcher: Send + Sync + 'static {
    /// What they are shown.
    type Change: Send + 'static;
    /// Why they are shown no more.
    type Error: Send + 'static;

    /// What a row means to them, if anything.
    fn change(&self, row: Row) -> impl Future<Output = Result<Option<Self::Change>, Self::Error>> + Send;
    /// The log failed.
    fn failed(error: StoreError) -> Self::Error;
}

/// Where somebody begins who has seen everything up to this text's position, or wants only what is new if it is empty.
pub fn begin(head: &Head, seen: &str) -> Result<i64, PositionError> {
    if seen.is_empty() { Ok(head.position) } else { Ok(i64::try_from(parse(head, seen)?).unwrap_or(i64::MAX)) }
}

/// Shows a watcher what comes after a position, until they have gone or the log fails. Rows of other than the `wanted` kinds
/// come without their content.
pub fn watch<W: Watcher>(
    log: Arc<Log>,
    wanted: Vec<&'static str>,
    after: i64,
    watcher: W,
) -> Receiver<Result<W::Change, W::Error>> {
    let (changes, stream) = mpsc::channel(MAX_WAITING);
    let mut rows = Rows { log, wanted, after, read: VecDeque::new() };
    tokio::spawn(async move {
        if let Err(error) = show(&mut rows, &watcher, &changes).await {
            // A watcher who has gone does not hear why.
            let _gone = changes.send(Err(error)).await;
        }
    });
    stream
}

type Changes<W> = Sender<Result<<W as Watcher>::Change, <W as Watcher>::Error>>;

async fn show<W: Watcher>(rows: &mut Rows, watcher: &W, changes: &Changes<W>) -> Result<(), W::Error> {
    loop {
        let row = tokio::select! {
            () = changes.closed() => return Ok(()),
            row = rows.next() => row.map_err(W::failed)?,
        };
        if let Some(change) = watcher.change(row).await?
            && changes.send(Ok(change)).await.is_err()
        {
            return Ok(());
        }
    }
}

/// The rows after a position, one by one.
struct Rows {
    log: Arc<Log>,
    wanted: Vec<&'static str>,
    after: i64,
    read: VecDeque<Row>,
}

impl Rows {
    /// The next row, once there is one; dropped while it waits, it has lost none.
    async fn next(&mut self) -> Result<Row, StoreError> {
        loop {
            if let Some(row) = self.read.pop_front() {
                self.after = row.position;
                return Ok(row);
            }
            let read = self.log.read(&Select::All, Some(&self.wanted), self.after, PAGE).await?;
            if read.is_empty() {
                self.log.moved(self.after).await?;
            }
            self.read = read.into();
        }
    }
}
