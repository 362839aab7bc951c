//! A store with faults: appends that fail before or after they were written, reads that lag, come in pieces or fail.
//!
//! A lagging read never shows less than an earlier one did, and the head's lock always tells the truth: so does a
//! database behind a slow network.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use eventlog::Memory;
use eventlog::lease::Claim;
use eventlog::scan::Scan;
use eventlog::store::{Found, Head, Later, Lookup, Row, Select, SnapshotRow, Store, StoreError, Transaction};
use uuid::Uuid;

use super::dice::Dice;

/// Reads of at most so many rows look something up; larger ones that want events follow the log, and those may lag.
const LOOKUP_ROWS: i64 = 64;
const LONGEST_LAG_READS: i64 = 12;
const LONGEST_LAG_ROWS: i64 = 6;

/// A memory store behind a bad line.
#[derive(Debug)]
pub(crate) struct Faulty {
    memory: Arc<Memory>,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    dice: Dice,
    calm: bool,
    forgetful: bool,
    loses_appends: bool,
    /// The last position followers have seen, and for how many reads they see no more.
    seen: i64,
    lag_reads: i64,
}

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Written,
    WrittenUnanswered,
    Failed,
    Lost,
}

impl Faulty {
    /// A line over this store; one that `loses_appends` is what must never be, and must be found out.
    pub(crate) fn new(memory: Arc<Memory>, seed: u64, loses_appends: bool) -> Self {
        let dice = Dice::new(seed);
        let line = Line { dice, calm: true, forgetful: false, loses_appends, seen: 0, lag_reads: 0 };
        Self { memory, line: Mutex::new(line) }
    }

    /// Whether the line works as it should.
    pub(crate) fn set_calm(&self, calm: bool) {
        self.line().calm = calm;
    }

    /// Whether snapshots are kept from those who start.
    pub(crate) fn set_forgetful(&self, forgetful: bool) {
        self.line().forgetful = forgetful;
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets others go first a few times, then perhaps fails.
    async fn travel(&self, fails_percent: u32) -> Result<(), StoreError> {
        let (mut pauses, fails) = self.line().journey(fails_percent);
        poll_fn(|context| {
            if pauses == 0 {
                return Poll::Ready(());
            }
            pauses -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        if fails { Err(StoreError::Unavailable("the line is down".into())) } else { Ok(()) }
    }
}

impl Line {
    fn journey(&mut self, fails_percent: u32) -> (usize, bool) {
        if self.calm { (0, false) } else { (self.dice.below(3), self.dice.chance(fails_percent)) }
    }

    fn fate(&mut self) -> Fate {
        if self.calm {
            return Fate::Written;
        }
        match self.dice.below(100) {
            0..3 => Fate::WrittenUnanswered,
            3..5 => Fate::Failed,
            5..7 if self.loses_appends => Fate::Lost,
            _ => Fate::Written,
        }
    }

    /// The last position that followers may see, and how many rows a read may give.
    fn window(&mut self, head: i64, limit: i64) -> (i64, i64) {
        if self.calm {
            (self.seen, self.lag_reads) = (head, 0);
            return (head, limit);
        }
        if self.lag_reads > 0 {
            self.lag_reads -= 1;
        } else if self.dice.chance(10) {
            self.lag_reads = self.dice.between(1, LONGEST_LAG_READS);
            self.seen = self.seen.max(head - self.dice.between(1, LONGEST_LAG_ROWS));
        } else {
            self.seen = head;
        }
        let limit = if self.dice.chance(20) { self.dice.between(1, 7).min(limit) } else { limit };
        (self.seen, limit)
    }
}

impl Store for Faulty {
    fn begin(&self) -> Later<'_, Box<dyn Transaction + '_>> {
        Box::pin(async {
            self.travel(1).await?;
            let inner = self.memory.begin().await?;
            Ok(Box::new(Writing { inner, line: self }) as Box<dyn Transaction>)
        })
    }

    fn head(&self) -> Later<'_, Head> {
        Box::pin(async {
            self.travel(1).await?;
            self.memory.head().await
        })
    }

    fn read<'a>(
        &'a self,
        select: &'a Select,
        wanted: Option<&'a [&'a str]>,
        after: i64,
        limit: i64,
    ) -> Later<'a, Vec<Row>> {
        Box::pin(async move {
            self.travel(1).await?;
            if *select != Select::All || limit <= LOOKUP_ROWS || wanted.is_some_and(<[_]>::is_empty) {
                return self.memory.read(select, wanted, after, limit).await;
            }
            let head = self.memory.head().await?.position;
            let (seen, limit) = self.line().window(head, limit);
            let mut rows = self.memory.read(select, wanted, after, limit).await?;
            rows.retain(|row| row.position <= seen);
            Ok(rows)
        })
    }

    fn scan<'a>(&'a self, after: i64, to: i64, wanted: Option<&'a [&'a str]>) -> Scan<'a> {
        self.memory.scan(after, to, wanted)
    }

    fn find(&self, id: Uuid) -> Later<'_, Option<Row>> {
        Box::pin(async move {
            self.travel(1).await?;
            self.memory.find(id).await
        })
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
        Box::pin(async move {
            self.travel(5).await?;
            self.memory.keep(snapshot).await
        })
    }

    fn snapshot<'a>(&'a self, name: &'a str) -> Later<'a, Option<SnapshotRow>> {
        Box::pin(async move {
            self.travel(5).await?;
            if self.line().forgetful { Ok(None) } else { self.memory.snapshot(name).await }
        })
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

    fn moved(&self, _: i64) -> Later<'_, ()> {
        Box::pin(self.travel(0))
    }
}

struct Writing<'a> {
    inner: Box<dyn Transaction + 'a>,
    line: &'a Faulty,
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
            let fate = self.line.line().fate();
            if matches!(fate, Fate::Written | Fate::WrittenUnanswered) {
                self.inner.commit(rows).await?;
            }
            self.line.travel(0).await?;
            match fate {
                Fate::Written | Fate::Lost => Ok(()),
                Fate::WrittenUnanswered | Fate::Failed => Err(StoreError::Unavailable("the line broke".into())),
            }
        })
    }
}
