//! The one task that writes: it takes whatever waits, writes it in one transaction, and meanwhile lets the next batch
//! gather. A lone append never waits.
//!
//! A batch is first written at the head this process knows, on the versions its guards name: one round trip, which the
//! store refutes if anything of it is wrong. What is refuted, or was beaten by other processes, is decided under the
//! head's lock, which alone refuses.

mod queue;

use std::sync::{Arc, Weak};

use uuid::Uuid;

use crate::append::{Committed, MAX_EVENTS, Rejected};
use crate::batch::{Batch, Outcome, Prepared, Questions, Versions};
use crate::store::{Head, Row, Select, Store, StoreError, Supposed, Wrote};
use queue::{Crowd, End};

/// Rows read to find all of one request's: [`MAX_EVENTS`].
const REQUEST_PAGE: i64 = 64;
const _: () = assert!(REQUEST_PAGE.unsigned_abs() == MAX_EVENTS as u64);
/// How often a batch may be beaten by another process before it takes the head's lock.
const MAX_RACES: u32 = 2;

/// The way to the task that writes, which ends with it.
#[derive(Debug)]
pub(crate) struct Writer(End);

impl Writer {
    /// Starts the task. Must be called inside a tokio runtime.
    pub(crate) fn start(store: &Arc<dyn Store>) -> Self {
        let (ours, its) = queue::new();
        tokio::spawn(run(Arc::downgrade(store), its));
        Self(ours)
    }

    /// Has the append written, or turned away at once where too much waits.
    pub(crate) async fn write(&self, append: Prepared) -> Result<Committed, Rejected> {
        let answered = self.0.push(append)?;
        answered.await.map_err(|_| closed())?
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the log was closed".into())
}

async fn run(store: Weak<dyn Store>, end: End) {
    let mut known = Known::default();
    let Some(mut crowd) = end.next(0).await else { return };
    let mut draft = None;
    loop {
        // A handle waits for each answer, so the store is still there unless all of them were dropped.
        let Some(store) = store.upgrade() else { return };
        let (decided, ahead) = known.write(store.as_ref(), &crowd, draft.take(), &end).await;
        let answered = crowd.appends.len();
        match decided {
            Ok(decided) => decided.tell(store.as_ref(), crowd).await,
            Err(error) => {
                let why = error.to_string();
                for answer in crowd.answers {
                    let _unheard = answer.send(Err(StoreError::Unavailable(why.clone()).into()));
                }
            }
        }
        drop(store);
        crowd = match ahead {
            Some((next, drafted)) => {
                draft = drafted;
                next
            }
            None => match end.next(answered).await {
                Some(next) => next,
                None => return,
            },
        };
    }
}

/// A batch whose outcome is certain.
struct Decided {
    rows: Vec<Row>,
    outcomes: Vec<Outcome>,
    /// What a try that was broken off may have written.
    unknown: Vec<Row>,
}

/// A batch as it is if the log ends at a head and all that is supposed holds.
struct Draft {
    at: Head,
    supposed: Supposed,
    rows: Vec<Row>,
    outcomes: Vec<Outcome>,
    /// Whether the log was left there by this process: others may not be writing at all.
    alone: bool,
}

/// What this process knows of the log without asking.
#[derive(Default)]
struct Known {
    /// Where its own last write leaves it.
    head: Option<Head>,
    versions: Versions,
}

impl Known {
    /// What the batch comes to at this head. What is known afterwards is what is known once it is written.
    fn draft(&mut self, at: Head, appends: &[Prepared]) -> Draft {
        let questions = Questions::of(appends, &self.versions);
        let mut batch = Batch::new(&at, &questions, &questions.supposed);
        let outcomes = batch.take_all(appends, &vec![None; appends.len()]);
        let supposed = batch.supposed(&at, &self.versions, &outcomes);
        let rows = std::mem::take(&mut batch.rows);
        let alone = self.versions.note(&at, &batch);
        self.head = Some(batch.head);
        Draft { at, supposed, rows, outcomes, alone }
    }

    /// Writes a crowd's batch. Meanwhile the next one gathers, and is drafted behind it: what comes of that only holds if
    /// this one was written as it was drafted.
    async fn write(
        &mut self,
        store: &dyn Store,
        crowd: &Crowd,
        draft: Option<Draft>,
        queue: &End,
    ) -> (Result<Decided, StoreError>, Option<(Crowd, Option<Draft>)>) {
        let ends = store.heard().map_or(i64::MIN, |head| head.position);
        let draft = match draft.filter(|draft| draft.at.position >= ends) {
            Some(draft) => draft,
            None => match self.last(store).await {
                Ok(head) => self.draft(head, &crowd.appends),
                Err(error) => return (self.settle(store, &crowd.appends, Err(error), Vec::new()).await, None),
            },
        };
        let (wrote, ahead) = {
            let mut writing = store.write_at(&draft.at, &draft.supposed, &draft.rows);
            tokio::select! {
                biased;
                wrote = &mut writing => (wrote, None),
                Some(next) = queue.ahead(crowd), if draft.alone => {
                    let drafted = self.head.take().map(|head| self.draft(head, &next.appends));
                    (writing.await, Some((next, drafted)))
                }
            }
        };
        if matches!(wrote, Ok(Wrote::Done)) {
            let Draft { rows, outcomes, .. } = draft;
            return (Ok(Decided { rows, outcomes, unknown: Vec::new() }), ahead);
        }
        self.head = None;
        let decided = self.settle(store, &crowd.appends, wrote, draft.rows).await;
        (decided, ahead.map(|(next, _)| (next, None)))
    }

    /// Where the log ends, as far as this process knows, or else by asking.
    async fn last(&mut self, store: &dyn Store) -> Result<Head, StoreError> {
        let last = |head: &Head| (head.epoch, head.position);
        match self.head.take().into_iter().chain(store.heard()).max_by_key(last) {
            Some(head) => Ok(head),
            None => store.head().await,
        }
    }

    /// Decides a batch that was not written as it was drafted. Where the log went on meanwhile it is drafted again, a few
    /// times; then the head's lock decides. Where the store broke off, so that nobody knows whether the rows that were
    /// `tried` are written, it is tried once more, under the lock: then the requests' ids tell.
    async fn settle(
        &mut self,
        store: &dyn Store,
        appends: &[Prepared],
        mut wrote: Result<Wrote, StoreError>,
        mut tried: Vec<Row>,
    ) -> Result<Decided, StoreError> {
        for _ in 1..MAX_RACES {
            let Ok(Wrote::Moved(head)) = wrote else { break };
            let Draft { at, supposed, rows, outcomes, .. } = self.draft(head, appends);
            wrote = store.write_at(&at, &supposed, &rows).await;
            if matches!(wrote, Ok(Wrote::Done)) {
                return Ok(Decided { rows, outcomes, unknown: Vec::new() });
            }
            tried = rows;
        }
        let mut unknown = Vec::new();
        let mut outcomes = match wrote {
            Ok(_) => self.locked(store, appends, &mut tried).await,
            Err(error) => Err(error),
        };
        if let Err(error @ (StoreError::Database(_) | StoreError::Unavailable(_))) = &outcomes {
            tracing::warn!(%error, "whether a batch was written is unknown; trying it once more");
            unknown = std::mem::take(&mut tried);
            outcomes = self.locked(store, appends, &mut tried).await;
        }
        Ok(Decided { outcomes: outcomes?, rows: tried, unknown })
    }

    /// Writes a batch under the head's lock. `rows` are what was tried.
    async fn locked(
        &mut self,
        store: &dyn Store,
        appends: &[Prepared],
        rows: &mut Vec<Row>,
    ) -> Result<Vec<Outcome>, StoreError> {
        self.head = None;
        rows.clear();
        let questions = Questions::of(appends, &self.versions);
        let mut transaction = store.begin().await?;
        let found = transaction.lookup(&questions.lookup()).await?;
        let began = transaction.head().clone();
        let mut batch = Batch::new(&began, &questions, &found.versions);
        let outcomes = batch.take_all(appends, &found.requests);
        *rows = std::mem::take(&mut batch.rows);
        if !rows.is_empty() {
            transaction.commit(rows).await?;
        }
        self.versions.note(&began, &batch);
        self.head = Some(batch.head);
        Ok(outcomes)
    }
}

impl Decided {
    /// Tells everybody what became of theirs, in the order of the log, so that whoever folds its own rows finds that
    /// those before them are folded already; nobody listens to a caller that was cancelled.
    async fn tell(mut self, store: &dyn Store, crowd: Crowd) {
        let mut settled = Vec::with_capacity(crowd.answers.len());
        for (outcome, append) in self.outcomes.into_iter().zip(&crowd.appends).rev() {
            settled.push(match outcome {
                Outcome::Written(own) => Ok(Committed::Written(self.rows.split_off(own.start))),
                Outcome::Repeats(own) => Ok(Committed::Repeated(self.rows[own].to_vec())),
                Outcome::Stored(first) => stored(store, append.request, first, &mut self.unknown).await,
                Outcome::Rejected(rejected) => Err(rejected),
            });
        }
        for (answer, settled) in crowd.answers.into_iter().zip(settled.into_iter().rev()) {
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
