//! Reading many rows: page by page, ahead of whoever takes them, in bounded memory.

use std::fmt;
use std::future::Future;

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::store::{Row, StoreError};

/// Most rows of a page: whoever folds one holds others up no longer than that takes.
pub(crate) const PAGE_ROWS: usize = 1_000;
/// Bytes of bodies after which a page is full.
const PAGE_BYTES: usize = 1024 * 1024;
/// Pages that wait for a slow taker; then reading waits.
const MAX_WAITING: usize = 4;

/// The rows of a range, in order, page by page.
pub struct Scan<'a>(Source<'a>);

enum Source<'a> {
    Ahead { pages: mpsc::Receiver<Result<Vec<Row>, StoreError>>, _reader: AbortOnDropHandle<()> },
    AtHand(Box<dyn FnMut() -> Vec<Row> + Send + 'a>),
}

impl fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scan")
    }
}

impl<'a> Scan<'a> {
    /// What `read` fills pages with, in a task of its own that ends with the scan.
    pub(crate) fn ahead<F>(read: impl FnOnce(Pages) -> F) -> Self
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let (to, pages) = mpsc::channel(MAX_WAITING);
        let reading = read(Pages { to: to.clone(), rows: Vec::new(), bytes: 0 });
        let reader = tokio::spawn(async move {
            if let Err(error) = reading.await {
                // Who dropped the scan does not hear why it ended.
                let _unheard = to.send(Err(error)).await;
            }
        });
        Self(Source::Ahead { pages, _reader: AbortOnDropHandle::new(reader) })
    }

    /// Pages that need not be waited for; an empty one is the end.
    pub(crate) fn at_hand(next: impl FnMut() -> Vec<Row> + Send + 'a) -> Self {
        Self(Source::AtHand(Box::new(next)))
    }

    /// The next page; empty at the end, which whoever counts on a row must check to be where it should.
    pub async fn next(&mut self) -> Result<Vec<Row>, StoreError> {
        match &mut self.0 {
            Source::Ahead { pages, .. } => pages.recv().await.unwrap_or_else(|| Ok(Vec::new())),
            Source::AtHand(next) => Ok(next()),
        }
    }
}

fn full(rows: usize, bytes: usize) -> bool {
    rows >= PAGE_ROWS || bytes >= PAGE_BYTES
}

/// As many of the first rows as make a page.
pub(crate) fn page(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    for row in rows {
        bytes += row.body.len();
        page.push(row);
        if full(page.len(), bytes) {
            break;
        }
    }
    page
}

/// Where rows that were read ahead gather.
pub(crate) struct Pages {
    to: mpsc::Sender<Result<Vec<Row>, StoreError>>,
    rows: Vec<Row>,
    bytes: usize,
}

impl Pages {
    /// Adds the next row, and hands the page over once it is full; waits as long as too many do.
    pub(crate) async fn push(&mut self, row: Row) {
        self.bytes += row.body.len();
        self.rows.push(row);
        if full(self.rows.len(), self.bytes) {
            self.hand_over().await;
        }
    }

    /// Hands the last page over.
    pub(crate) async fn finish(mut self) {
        if !self.rows.is_empty() {
            self.hand_over().await;
        }
    }

    async fn hand_over(&mut self) {
        self.bytes = 0;
        let page = std::mem::replace(&mut self.rows, Vec::with_capacity(PAGE_ROWS));
        // Nobody takes it: the scan was dropped, and with it this task.
        let _dropped = self.to.send(Ok(page)).await;
    }
}
