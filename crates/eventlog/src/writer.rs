//! The one task that writes: it takes whatever waits, writes it in one transaction, and meanwhile lets the next batch
//! gather. A lone append never waits.
//!
//! A batch is first written at the head this process knows, on the versions its guards name: one round trip, which the
//! store refutes if anything of it is wrong. What is refuted, or was beaten by other processes, is decided under the
//! head's lock, which alone refuses.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use crate::append::{Committed, MAX_EVENTS, Rejected};
use crate::batch::{Batch, Hearsay, Outcome, Prepared, Questions};
use crate::gather::{Gather, MAX_WAITING};
use crate::store::{Head, Row, Select, Store, StoreError, Wrote};

/// Rows read to find all of one request's: [`MAX_EVENTS`].
const REQUEST_PAGE: i64 = 64;
const _: () = assert!(REQUEST_PAGE.unsigned_abs() == MAX_EVENTS as u64);
/// How often a batch may be beaten by another process before it takes the head's lock.
const MAX_RACES: u32 = 2;

/// How often those who were answered are given a turn before the next batch is taken.
const MAX_TURNS: u32 = 64;

/// An append on its way to the writer. Whether anybody still waits for the answer does not matter to the others.
#[derive(Debug)]
struct Waiting {
    append: Prepared,
    answer: Answer,
}

/// What waits for the writer; nothing once it was closed.
#[derive(Debug)]
struct Queue {
    gather: Mutex<Option<Gather<Waiting>>>,
    filled: Notify,
}

impl Queue {
    fn gather(&self) -> MutexGuard<'_, Option<Gather<Waiting>>> {
        self.gather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait; none when nothing comes any more.
    fn waiting(&self) -> Option<usize> {
        self.gather().as_ref().map(Gather::waiting)
    }

    /// The next batch, once there is one; none when nothing comes any more. Those who were answered by the last one are
    /// given a turn to come along with whoever came first: else the crowds would take turns for ever, one of them often a
    /// single caller, each waiting for the other's commit. After one caller nobody is waited for.
    async fn next(&self, answered: usize) -> Option<Vec<Waiting>> {
        let crowd = self.waiting()? + answered;
        while self.waiting()? == 0 {
            self.filled.notified().await;
        }
        for _ in 0..MAX_TURNS {
            if self.waiting()? >= crowd {
                break;
            }
            tokio::task::yield_now().await;
        }
        self.gather().as_mut().map(Gather::take_batch)
    }
}

type Answer = oneshot::Sender<Result<Committed, Rejected>>;

/// One end of the queue: when either is dropped, whatever waits is turned away.
#[derive(Debug)]
struct End(Arc<Queue>);

impl Drop for End {
    fn drop(&mut self) {
        *self.0.gather() = None;
        self.0.filled.notify_one();
    }
}

/// The way to the task that writes, which ends with it.
#[derive(Debug)]
pub(crate) struct Writer(End);

impl Writer {
    /// Starts the task. Must be called inside a tokio runtime.
    pub(crate) fn start(store: &Arc<dyn Store>) -> Self {
        let queue = Arc::new(Queue { gather: Mutex::new(Some(Gather::new(MAX_WAITING))), filled: Notify::new() });
        tokio::spawn(run(Arc::downgrade(store), End(Arc::clone(&queue))));
        Self(End(queue))
    }

    /// Has the append written, or turned away at once where too much waits.
    pub(crate) async fn write(&self, append: Prepared) -> Result<Committed, Rejected> {
        let (answer, answered) = oneshot::channel();
        let (tenant, load) = (append.tenant.clone(), append.load());
        let waiting = Waiting { append, answer };
        let Self(End(queue)) = self;
        match queue.gather().as_mut().map(|gather| gather.push(&tenant, load, waiting)) {
            Some(true) => queue.filled.notify_one(),
            Some(false) => return Err(Rejected::Busy),
            None => return Err(closed().into()),
        }
        answered.await.map_err(|_| closed())?
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the log was closed".into())
}

async fn run(store: Weak<dyn Store>, end: End) {
    let mut known = Known::default();
    let mut answered = 0;
    while let Some(waiting) = end.0.next(answered).await {
        answered = waiting.len();
        // A handle waits for each answer, so the store is still there unless all of them were dropped.
        let Some(store) = store.upgrade() else { return };
        let (appends, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|waiting| (waiting.append, waiting.answer)).unzip();
        match known.commit(store.as_ref(), &appends).await {
            Ok(decided) => decided.tell(store.as_ref(), &appends, answers).await,
            Err(error) => {
                let why = error.to_string();
                for answer in answers {
                    let _unheard = answer.send(Err(StoreError::Unavailable(why.clone()).into()));
                }
            }
        }
    }
}

/// A batch whose outcome is certain.
struct Decided {
    rows: Vec<Row>,
    outcomes: Vec<Outcome>,
    /// What a try that was broken off may have written.
    unknown: Vec<Row>,
}

/// What this process knows of the log without asking.
#[derive(Default)]
struct Known {
    /// Where its own last write left it.
    head: Option<Head>,
    hearsay: Hearsay,
}

impl Known {
    /// Writes a batch. Where the store breaks off, so that nobody knows whether it was written, it is tried once more,
    /// under the lock: then the requests' ids tell.
    async fn commit(&mut self, store: &dyn Store, appends: &[Prepared]) -> Result<Decided, StoreError> {
        let questions = Questions::of(appends, &self.hearsay);
        let (mut rows, mut unknown) = (Vec::new(), Vec::new());
        let mut outcomes = match self.at_once(store, appends, &questions, &mut rows).await {
            Ok(None) => self.locked(store, appends, &questions, &mut rows).await,
            decided => decided.map(Option::unwrap_or_default),
        };
        if let Err(error @ (StoreError::Database(_) | StoreError::Unavailable(_))) = &outcomes {
            tracing::warn!(%error, "whether a batch was written is unknown; trying it once more");
            unknown = std::mem::take(&mut rows);
            outcomes = self.locked(store, appends, &questions, &mut rows).await;
        }
        Ok(Decided { outcomes: outcomes?, rows, unknown })
    }

    /// Writes a batch on what is supposed; none if the lock must decide. `rows` are what was tried last.
    async fn at_once(
        &mut self,
        store: &dyn Store,
        appends: &[Prepared],
        questions: &Questions,
        rows: &mut Vec<Row>,
    ) -> Result<Option<Vec<Outcome>>, StoreError> {
        let last = |head: &Head| (head.epoch, head.position);
        let mut at = match self.head.take().into_iter().chain(store.heard()).max_by_key(last) {
            Some(head) => head,
            None => store.head().await?,
        };
        let new = vec![None; appends.len()];
        for _ in 0..MAX_RACES {
            let mut batch = Batch::new(&at, questions, &questions.supposed);
            let outcomes = batch.take_all(appends, &new);
            *rows = std::mem::take(&mut batch.rows);
            match store.write_at(&at, &batch.supposed(&outcomes), rows).await? {
                Wrote::Done => {
                    batch.tell(&mut self.hearsay);
                    self.head = Some(batch.head);
                    return Ok(Some(outcomes));
                }
                Wrote::Moved(head) => at = head,
                Wrote::Refuted => break,
            }
        }
        rows.clear();
        self.head = Some(at);
        Ok(None)
    }

    /// Writes a batch under the head's lock. `rows` are what was tried.
    async fn locked(
        &mut self,
        store: &dyn Store,
        appends: &[Prepared],
        questions: &Questions,
        rows: &mut Vec<Row>,
    ) -> Result<Vec<Outcome>, StoreError> {
        self.head = None;
        let mut transaction = store.begin().await?;
        let found = transaction.lookup(&questions.lookup).await?;
        let mut batch = Batch::new(transaction.head(), questions, &found.versions);
        let outcomes = batch.take_all(appends, &found.requests);
        *rows = std::mem::take(&mut batch.rows);
        if !rows.is_empty() {
            transaction.commit(rows).await?;
        }
        batch.tell(&mut self.hearsay);
        self.head = Some(batch.head);
        Ok(outcomes)
    }
}

impl Decided {
    /// Tells everybody what became of theirs, the last first; nobody listens to a caller that was cancelled.
    async fn tell(mut self, store: &dyn Store, appends: &[Prepared], answers: Vec<Answer>) {
        for ((answer, outcome), append) in answers.into_iter().zip(self.outcomes).zip(appends).rev() {
            let settled = match outcome {
                Outcome::Written(own) => Ok(Committed::Written(self.rows.split_off(own.start))),
                Outcome::Repeats(own) => Ok(Committed::Repeated(self.rows[own].to_vec())),
                Outcome::Stored(first) => stored(store, append.request, first, &mut self.unknown).await,
                Outcome::Rejected(rejected) => Err(rejected),
            };
            let _unheard = answer.send(settled);
        }
    }
}

/// What the request wrote before. If that was in a try that was broken off, one caller, and no other, is told that it
/// wrote it.
async fn stored(store: &dyn Store, request: Uuid, first: i64, unknown: &mut Vec<Row>) -> Result<Committed, Rejected> {
    let rows = rows_of(store, request, first).await?;
    let tried = unknown.len();
    unknown.retain(|row| rows.iter().all(|stored| stored.hash != row.hash));
    Ok(if unknown.len() < tried { Committed::Written(rows) } else { Committed::Repeated(rows) })
}

/// A request's rows lie together, from the position of its first.
pub(crate) async fn rows_of(store: &dyn Store, request: Uuid, first: i64) -> Result<Vec<Row>, StoreError> {
    let mut rows = store.read(&Select::All, None, first - 1, REQUEST_PAGE).await?;
    rows.truncate(rows.iter().take_while(|row| row.request == request).count());
    Ok(rows)
}
