//! The log as services use it: appends gathered into batches, personal data sealed and opened, everything else read
//! through.

use std::sync::{Arc, Weak};

use decider::Tenant;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ticket::Personal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use uuid::Uuid;

use crate::append::{Append, Committed, MAX_BODY_BYTES, MAX_EVENTS, Rejected};
use crate::batch::{self, Batch, Outcome, Prepared, SealedEvent};
use crate::chain;
use crate::keys::Keys;
use crate::lease::Claim;
use crate::seal;
use crate::store::{Head, Row, Select, SnapshotRow, Store, StoreError};

/// Most rows read at once; a larger limit is lowered to it.
pub const MAX_PAGE: i64 = 1_000;
/// Rows read to find all of one request's: [`MAX_EVENTS`].
const REQUEST_PAGE: i64 = 64;
const _: () = assert!(REQUEST_PAGE.unsigned_abs() == MAX_EVENTS as u64);
/// Most appends written in one transaction.
const MAX_BATCH_APPENDS: usize = 256;
/// Most events written in one transaction.
const MAX_BATCH_EVENTS: usize = 2_048;
/// Appends that may wait for the writer; further ones wait before they are taken in.
const MAX_QUEUE_APPENDS: usize = 1_024;
/// Bytes of events that may wait for the writer; further appends wait before they are taken in.
const MAX_QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// One log: a store, the keys of its personal data, and the one task that writes.
#[derive(Debug)]
pub struct Log {
    store: Arc<dyn Store>,
    keys: Arc<Keys>,
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// An append on its way to the writer. Whether anybody still waits for the answer does not matter to the others.
#[derive(Debug)]
struct Waiting {
    append: Prepared,
    answer: oneshot::Sender<Result<Committed, Rejected>>,
    room: OwnedSemaphorePermit,
}

impl Log {
    /// Opens the log and starts its writer, which ends with the last handle. Must be called inside a tokio runtime.
    pub fn open(store: Arc<dyn Store>, keys: Keys) -> Arc<Self> {
        let (queue, waiting) = mpsc::channel(MAX_QUEUE_APPENDS);
        tokio::spawn(write(Arc::downgrade(&store), waiting));
        let room = Arc::new(Semaphore::new(MAX_QUEUE_BYTES));
        Arc::new(Self { store, keys: Arc::new(keys), queue, room })
    }

    /// Writes the events if the request is new and no guard moved; with no events it only checks that.
    ///
    /// Dropping the future leaves open whether the append is written; the request id answers that.
    pub async fn append(&self, append: Append) -> Result<Committed, Rejected> {
        let (request, content) = (append.request, self.keys.content(&append.content));
        let prepared = match self.prepare(append, content.clone()).await {
            // What was written before the erasure is still answered by it.
            Err(Rejected::Erased(subject)) => {
                let before = self.written(request, &content).await?;
                return before.map(Committed::Repeated).ok_or(Rejected::Erased(subject));
            }
            prepared => prepared?,
        };
        let bytes = prepared.events.iter().map(|event| event.body.len()).sum::<usize>();
        let bytes = u32::try_from(bytes.min(MAX_QUEUE_BYTES)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| closed())?;
        let (answer, answered) = oneshot::channel();
        self.queue.send(Waiting { append: prepared, answer, room }).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// What this request wrote before, if it did; refused if it came with other content.
    pub async fn request(&self, request: Uuid, content: &[u8]) -> Result<Option<Vec<Row>>, Rejected> {
        // Nearly every request is new: its content is hashed once, by the append.
        match self.store.find(chain::event_id(request, 0)).await? {
            None => Ok(None),
            Some(_) => self.written(request, &self.keys.content(content)).await,
        }
    }

    /// At most `limit` rows after `position`, in order, and never more than [`MAX_PAGE`]: the end is an empty page.
    ///
    /// With `wanted` kinds named, the bodies of other kinds are left empty.
    pub async fn read(
        &self,
        select: &Select,
        wanted: Option<&[&str]>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Row>, StoreError> {
        self.store.read(select, wanted, after, limit.clamp(1, MAX_PAGE)).await
    }

    /// Where the log ends now.
    pub async fn head(&self) -> Result<Head, StoreError> {
        self.store.head().await
    }

    /// Resolves when the head may have moved past `position`, at the latest after a quarter of a second.
    pub async fn moved(&self, position: i64) -> Result<(), StoreError> {
        self.store.moved(position).await
    }

    /// The event with this id.
    pub async fn find(&self, id: Uuid) -> Result<Option<Row>, StoreError> {
        self.store.find(id).await
    }

    /// Keeps a snapshot, replacing those of its name that are not of a later position or epoch.
    pub async fn keep(&self, snapshot: SnapshotRow) -> Result<(), StoreError> {
        self.store.keep(snapshot).await
    }

    /// The latest snapshot of this name, whatever history it is of.
    pub async fn snapshot(&self, name: &str) -> Result<Option<SnapshotRow>, StoreError> {
        self.store.snapshot(name).await
    }

    /// Takes or renews a lease; false if another holder's has not ended.
    pub async fn lease(&self, claim: &Claim) -> Result<bool, StoreError> {
        self.store.lease(claim).await
    }

    /// The store beneath, for copying.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The keys, for copying.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A name nobody can trace back without the log's secret: `UUIDv8` of a keyed hash of tenant, kind and value.
    pub fn pseudonym(&self, tenant: &Tenant, kind: &str, value: &str) -> Uuid {
        self.keys.pseudonym(tenant, kind, value)
    }

    /// Opens every `{"sealed":{subject,data}}` of this tenant inside `body`, in place: `{"personal":{subject,value}}`,
    /// or `{"erased":{subject}}` where the key is gone. A page of bodies in one array costs one look at the keys.
    pub async fn reveal(&self, tenant: &Tenant, body: &mut Value) -> Result<(), StoreError> {
        seal::open(&self.keys, tenant, body).await
    }

    /// Opens one value; `None` if its key is gone.
    pub async fn reveal_text<T>(&self, tenant: &Tenant, value: &Personal<T>) -> Result<Option<T>, StoreError>
    where
        T: DeserializeOwned + Clone,
    {
        let (subject, data) = match value {
            Personal::Plain { value, .. } => return Ok(Some(value.clone())),
            Personal::Sealed { subject, data } => (*subject, data),
        };
        let ring = self.keys.for_opening(tenant, &[subject].into()).await?;
        let text = seal::open_one(&ring, tenant, subject, data)?;
        text.map(|text| seal::parse(subject, &text)).transpose()
    }

    /// Destroys the key of a subject: whatever was sealed under it is erased in every copy of the log, and nothing is
    /// sealed for this subject again. Repeating it is nothing.
    pub async fn erase(&self, tenant: &Tenant, subject: Uuid) -> Result<(), StoreError> {
        self.keys.destroy(tenant, subject).await
    }

    async fn prepare(&self, append: Append, content: Vec<u8>) -> Result<Prepared, Rejected> {
        within_bounds(append.events.iter().map(|event| event.body.len()))?;
        let mut events: Vec<_> = (0u32..)
            .zip(append.events)
            .map(|(index, event)| SealedEvent {
                id: chain::event_id(append.request, index),
                stream: event.stream,
                kind: event.kind,
                body: event.body,
            })
            .collect();
        let mut bodies: Vec<_> = events.iter_mut().map(|event| (event.id, &mut event.body)).collect();
        seal::seal(&self.keys, &append.tenant, &mut bodies).await?;
        within_bounds(events.iter().map(|event| event.body.len()))?;
        Ok(Prepared {
            tenant: append.tenant,
            actor: append.actor,
            request: append.request,
            content,
            causation: append.causation,
            trace: append.trace,
            now: append.now,
            occurred_at: append.occurred_at,
            guards: append.guards,
            events,
        })
    }

    async fn written(&self, request: Uuid, content: &[u8]) -> Result<Option<Vec<Row>>, Rejected> {
        match self.store.find(chain::event_id(request, 0)).await? {
            None => Ok(None),
            Some(row) if row.content != content => Err(Rejected::Reused),
            Some(row) => Ok(Some(rows_of(self.store.as_ref(), request, row.position).await?)),
        }
    }
}

/// Checks the number of events and the size of each stored body.
fn within_bounds(mut bodies: impl ExactSizeIterator<Item = usize>) -> Result<(), Rejected> {
    if bodies.len() > MAX_EVENTS {
        return Err(Rejected::TooLarge(format!("{} events in one append, at most {MAX_EVENTS}", bodies.len())));
    }
    match bodies.find(|bytes| *bytes > MAX_BODY_BYTES) {
        Some(bytes) => Err(Rejected::TooLarge(format!("an event of {bytes} bytes, at most {MAX_BODY_BYTES}"))),
        None => Ok(()),
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the log was closed".into())
}

/// A request's rows lie together, from the position of its first.
async fn rows_of(store: &dyn Store, request: Uuid, first: i64) -> Result<Vec<Row>, StoreError> {
    let mut rows = store.read(&Select::All, None, first - 1, REQUEST_PAGE).await?;
    rows.truncate(rows.iter().take_while(|row| row.request == request).count());
    Ok(rows)
}

/// The writer: takes whatever waits, writes it in one transaction, and meanwhile lets the next batch gather.
async fn write(store: Weak<dyn Store>, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::new();
    loop {
        let room = MAX_BATCH_APPENDS - waiting.len();
        if waiting.is_empty() && queue.recv_many(&mut waiting, room).await == 0 {
            return;
        }
        while waiting.len() < MAX_BATCH_APPENDS
            && let Ok(next) = queue.try_recv()
        {
            waiting.push(next);
        }
        // A handle waits for each answer, so the store is still there unless all of them were dropped.
        let Some(store) = store.upgrade() else { return };
        let rest = waiting.split_off(fitting(&waiting));
        write_batch(store.as_ref(), std::mem::replace(&mut waiting, rest)).await;
    }
}

/// How many of the first appends fit into one transaction; at least one.
fn fitting(waiting: &[Waiting]) -> usize {
    let mut events = 0;
    let fits = |next: &&Waiting| {
        events += next.append.events.len();
        events <= MAX_BATCH_EVENTS
    };
    waiting.iter().take_while(fits).count().max(1)
}

async fn write_batch(store: &dyn Store, waiting: Vec<Waiting>) {
    let (answers, (appends, rooms)): (Vec<_>, (Vec<_>, Vec<_>)) =
        waiting.into_iter().map(|waiting| (waiting.answer, (waiting.append, waiting.room))).unzip();
    let requests: Vec<_> = appends.iter().map(|append| append.request).collect();
    match commit(store, appends).await {
        Ok((rows, outcomes)) => {
            for ((answer, outcome), request) in answers.into_iter().zip(outcomes).zip(requests) {
                // Nobody listens to a caller that was cancelled.
                let _unheard = answer.send(settle(store, &rows, outcome, request).await);
            }
        }
        Err(error) => {
            let why = error.to_string();
            for answer in answers {
                let _unheard = answer.send(Err(StoreError::Unavailable(why.clone()).into()));
            }
        }
    }
    drop(rooms);
}

async fn commit(store: &dyn Store, appends: Vec<Prepared>) -> Result<(Vec<Row>, Vec<Outcome>), StoreError> {
    let (lookup, places) = batch::lookup(&appends);
    let mut transaction = store.begin().await?;
    let found = transaction.lookup(&lookup).await?;
    let mut batch = Batch::new(transaction.head(), places, found.versions);
    let outcomes = batch.take_all(appends, &found.requests);
    if !batch.rows.is_empty() {
        transaction.commit(&batch.rows).await?;
    }
    Ok((batch.rows, outcomes))
}

async fn settle(store: &dyn Store, rows: &[Row], outcome: Outcome, request: Uuid) -> Result<Committed, Rejected> {
    match outcome {
        Outcome::Written(own) => Ok(Committed::Written(rows[own].to_vec())),
        Outcome::Repeats(own) => Ok(Committed::Repeated(rows[own].to_vec())),
        Outcome::Stored(first) => Ok(Committed::Repeated(rows_of(store, request, first).await?)),
        Outcome::Rejected(rejected) => Err(rejected),
    }
}
