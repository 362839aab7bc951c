//! A memory store behind a line that breaks off, before or after what was written, or stands still.

use std::sync::Mutex;

use eventlog::Memory;
use eventlog::lease::Claim;
use eventlog::scan::Scan;
use eventlog::store::{Found, Head, Later, Lookup, Row, Select, SnapshotRow, Store, StoreError, Transaction};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breaks {
    /// It is written, and nobody hears of it.
    After,
    /// It is not written.
    Before,
    /// It is not written, but another process writes the same just then.
    ByAnother,
}

#[derive(Debug)]
pub(crate) struct Line {
    memory: Memory,
    /// What becomes of the next commits, the last first; then all is well.
    breaks: Mutex<Vec<Breaks>>,
    /// As many appends begin as there are permits.
    open: Semaphore,
    began: Mutex<usize>,
}

impl Line {
    pub(crate) fn new() -> Self {
        let (breaks, began) = (Mutex::default(), Mutex::default());
        Self { memory: Memory::new(), breaks, open: Semaphore::new(Semaphore::MAX_PERMITS), began }
    }

    /// Nothing is written until it is opened.
    pub(crate) fn still() -> Self {
        Self { open: Semaphore::new(0), ..Self::new() }
    }

    /// Lets so many appends through.
    pub(crate) fn open(&self, appends: usize) {
        self.open.add_permits(appends);
    }

    /// Breaks the next commits off so, the first of them first.
    pub(crate) fn break_off(&self, breaks: &[Breaks]) {
        *self.breaks.lock().unwrap() = breaks.iter().rev().copied().collect();
    }

    /// How often the lock was taken.
    pub(crate) fn began(&self) -> usize {
        *self.began.lock().unwrap()
    }
}

impl Store for Line {
    fn begin(&self) -> Later<'_, Box<dyn Transaction + '_>> {
        Box::pin(async {
            *self.began.lock().unwrap() += 1;
            self.open.acquire().await.unwrap().forget();
            Ok(Box::new(Writing { inner: self.memory.begin().await?, line: self }) as Box<dyn Transaction>)
        })
    }

    fn head(&self) -> Later<'_, Head> {
        self.memory.head()
    }

    fn read<'a>(
        &'a self,
        select: &'a Select,
        wanted: Option<&'a [&'a str]>,
        after: i64,
        limit: i64,
    ) -> Later<'a, Vec<Row>> {
        self.memory.read(select, wanted, after, limit)
    }

    fn scan<'a>(&'a self, after: i64, to: i64, wanted: Option<&'a [&'a str]>) -> Scan<'a> {
        self.memory.scan(after, to, wanted)
    }

    fn find(&self, id: Uuid) -> Later<'_, Option<Row>> {
        self.memory.find(id)
    }

    fn adopt(&self, log: Uuid, epoch: i64) -> Later<'_, ()> {
        self.memory.adopt(log, epoch)
    }

    fn released(&self) -> Later<'_, bool> {
        self.memory.released()
    }

    fn release(&self) -> Later<'_, ()> {
        self.memory.release()
    }

    fn raise_epoch(&self) -> Later<'_, i64> {
        self.memory.raise_epoch()
    }

    fn keep(&self, snapshot: SnapshotRow) -> Later<'_, ()> {
        self.memory.keep(snapshot)
    }

    fn snapshot<'a>(&'a self, name: &'a str) -> Later<'a, Option<SnapshotRow>> {
        self.memory.snapshot(name)
    }

    fn snapshots(&self) -> Later<'_, Vec<String>> {
        self.memory.snapshots()
    }

    fn forget<'a>(&'a self, name: &'a str) -> Later<'a, ()> {
        self.memory.forget(name)
    }

    fn lease<'a>(&'a self, claim: &'a Claim) -> Later<'a, bool> {
        self.memory.lease(claim)
    }

    fn moved(&self, position: i64) -> Later<'_, ()> {
        self.memory.moved(position)
    }
}

/// The same rows as another process would write them.
fn anothers(head: &Head, rows: &[Row]) -> Vec<Row> {
    let mut hash = head.hash.clone();
    let of_another = |row: &Row| {
        let mut row = Row { trace: "another's".into(), ..row.clone() };
        row.hash = eventlog::chain::link(&hash, &row);
        hash.clone_from(&row.hash);
        row
    };
    rows.iter().map(of_another).collect()
}

struct Writing<'a> {
    inner: Box<dyn Transaction + 'a>,
    line: &'a Line,
}

impl Transaction for Writing<'_> {
    fn head(&self) -> &Head {
        self.inner.head()
    }

    fn lookup<'a>(&'a mut self, lookup: &'a Lookup) -> Later<'a, Found> {
        self.inner.lookup(lookup)
    }

    fn commit<'a>(self: Box<Self>, rows: &'a [Row]) -> Later<'a, ()>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let breaks = self.line.breaks.lock().unwrap().pop();
            match breaks {
                None | Some(Breaks::After) => self.inner.commit(rows).await?,
                Some(Breaks::ByAnother) => {
                    let others = anothers(self.inner.head(), rows);
                    self.inner.commit(&others).await?;
                }
                Some(Breaks::Before) => {}
            }
            match breaks {
                None => Ok(()),
                Some(_) => Err(StoreError::Unavailable("the line broke".into())),
            }
        })
    }
}
