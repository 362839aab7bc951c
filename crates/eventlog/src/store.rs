//! What a back end must do; everything else (guards, batching, hashing, sealing, following) is written once above it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use decider::Stream;
use uuid::Uuid;

use crate::lease::Claim;
use crate::scan::Scan;

/// Where a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which log.
    pub log: Uuid,
    /// Raised by every restore: positions of another epoch mean nothing here.
    pub epoch: i64,
    /// The last position, 0 for an empty log.
    pub position: i64,
    /// The last event's hash; 32 zero bytes for an empty log.
    pub hash: Vec<u8>,
    /// The last event's `recorded_at`, microseconds since the epoch.
    pub recorded_us: i64,
}

/// A stored event: only integers, text and bytes, so that one form serves every back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Place in the log, dense from 1.
    pub position: i64,
    /// `UUIDv5(request, index)`, unique.
    pub id: Uuid,
    /// Whose data this is.
    pub tenant: String,
    /// The stream.
    pub stream: String,
    /// Place in the stream, dense from 1, unique with it.
    pub version: i64,
    /// The event's kind.
    pub kind: String,
    /// The version of the kind's form.
    pub schema: i64,
    /// When it happened, microseconds.
    pub occurred_us: i64,
    /// When it was recorded, microseconds; never decreases.
    pub recorded_us: i64,
    /// Who did it.
    pub actor: String,
    /// The claim of the request that made it.
    pub request: Uuid,
    /// Keyed hash of that request's content.
    pub content: Vec<u8>,
    /// The event that caused it.
    pub causation: Option<Uuid>,
    /// The ticket it belongs to.
    pub correlation: Option<Uuid>,
    /// W3C `traceparent`, or empty.
    pub trace: String,
    /// The event's fields as JSON, personal data sealed.
    pub body: Vec<u8>,
    /// Hash over the predecessor's hash and everything above.
    pub hash: Vec<u8>,
}

impl Row {
    /// The row as a reader of all that come after a position gets it.
    pub(crate) fn next_to(&self, position: i64, wanted: Option<&[&str]>) -> Self {
        self.as_wanted(wanted.filter(|_| self.position != position + 1))
    }

    /// The row as a reader gets it: the body only if its kind is wanted.
    pub(crate) fn as_wanted(&self, wanted: Option<&[&str]>) -> Self {
        let unwanted = wanted.is_some_and(|kinds| !kinds.contains(&self.kind.as_str()));
        let body = if unwanted { Vec::new() } else { self.body.clone() };
        Self {
            body,
            tenant: self.tenant.clone(),
            stream: self.stream.clone(),
            kind: self.kind.clone(),
            actor: self.actor.clone(),
            content: self.content.clone(),
            trace: self.trace.clone(),
            hash: self.hash.clone(),
            ..*self
        }
    }
}

/// What an append must know before it may write, read under the head lock.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// The streams whose versions are asked for: (tenant, stream).
    pub streams: Vec<(String, String)>,
    /// The event ids whose rows are asked for: the first of each request.
    pub ids: Vec<Uuid>,
}

/// The answer to a [`Lookup`], in the order of the question.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// A version for each stream, 0 where absent.
    pub versions: Vec<i64>,
    /// Position and content hash of each id, where present.
    pub requests: Vec<Option<(i64, Vec<u8>)>>,
}

/// What a writer supposes of the log without having asked.
#[derive(Clone, Debug, Default)]
pub struct Supposed {
    /// Streams (tenant, stream) that are named.
    pub streams: Vec<(String, String)>,
    /// The last version of each, 0 where absent.
    pub versions: Vec<i64>,
    /// Event ids that are not stored, besides those of the rows to be written.
    pub absent: Vec<Uuid>,
}

/// What became of [`Store::write_at`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// The rows are written, or there were none; all that was supposed held.
    Done,
    /// Nothing is written: the log ends here.
    Moved(Head),
    /// Nothing is written: something that was supposed does not hold.
    Refuted,
}

/// Which rows to read, in order of position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// All of them.
    All,
    /// One stream's.
    Stream {
        /// Whose.
        tenant: String,
        /// Which.
        stream: String,
    },
    /// One ticket's, over all streams.
    Correlation {
        /// Whose.
        tenant: String,
        /// The ticket.
        ticket: Uuid,
    },
}

/// A snapshot of a fold; disposable, never trusted over the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Which service's, and which version of its fold.
    pub name: String,
    /// The position it was taken at.
    pub position: i64,
    /// The log's epoch and the hash of the event at `position`: a snapshot of another history is not used.
    pub epoch: i64,
    /// See `epoch`.
    pub hash: Vec<u8>,
    /// The folded state.
    pub bytes: Vec<u8>,
}

impl SnapshotRow {
    /// The snapshot, if its chunks make up the stated length; another process may have replaced it meanwhile.
    pub(crate) fn whole(self, length: i64) -> Option<Self> {
        (i64::try_from(self.bytes.len()) == Ok(length)).then_some(self)
    }
}

/// What [`Store::adopt`] answers when this many empty heads took the other identity.
pub(crate) fn adopted(heads: u64) -> Result<(), StoreError> {
    if heads == 1 { Ok(()) } else { Err(StoreError::Unavailable("it holds events already".into())) }
}

/// Why a back end could not answer. Whether an append that failed so was written is unknown: ask again by request id.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did.
    #[error("the log's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The log is not what it must be.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// A service wanted to write where another one writes alone: a fault of ours.
    #[error("{0} decided an event for {1}, which is another service's")]
    Foreign(&'static str, Stream),
    /// The version of a stream or the id of an event that is to be written is stored already.
    #[error("an event with this id, or at this version of its stream, is stored already")]
    Taken,
    /// Another process owns the file, or the log was closed.
    #[error("the log is not available: {0}")]
    Unavailable(String),
}

/// An answer that comes later; boxed, so that a store can be chosen at run time.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A place to keep one log. `begin` takes the head's lock: one writer at a time, over all processes.
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// Takes the head's lock. Dropped without [`Transaction::commit`], nothing was written.
    fn begin(&self) -> Later<'_, Box<dyn Transaction + '_>>;
    /// Writes the rows after this head if it still is the head and all that is supposed holds.
    fn write_at<'a>(&'a self, at: &'a Head, supposed: &'a Supposed, rows: &'a [Row]) -> Later<'a, Wrote> {
        Box::pin(async move {
            let mut transaction = self.begin().await?;
            if transaction.head() != at {
                return Ok(Wrote::Moved(transaction.head().clone()));
            }
            if !(supposed.streams.is_empty() && supposed.absent.is_empty()) {
                let lookup = Lookup { streams: supposed.streams.clone(), ids: supposed.absent.clone() };
                let found = transaction.lookup(&lookup).await?;
                if found.versions != supposed.versions || found.requests.iter().any(Option::is_some) {
                    return Ok(Wrote::Refuted);
                }
            }
            match transaction.commit(rows).await {
                Err(StoreError::Taken) => Ok(Wrote::Refuted),
                done => done.map(|()| Wrote::Done),
            }
        })
    }
    /// Reads the head without a lock.
    fn head(&self) -> Later<'_, Head>;
    /// At most `limit` rows after `position`, in order. With `wanted` kinds named, the bodies of other kinds are left
    /// empty: a fold that wants few kinds need not carry the others. Of all rows the one next to `position` has its body all
    /// the same, so that whoever follows can see whether it follows.
    fn read<'a>(
        &'a self,
        select: &'a Select,
        wanted: Option<&'a [&'a str]>,
        after: i64,
        limit: i64,
    ) -> Later<'a, Vec<Row>>;
    /// All rows after `after` up to and with `to`, as [`Store::read`] would give them, for whoever wants many.
    fn scan<'a>(&'a self, after: i64, to: i64, wanted: Option<&'a [&'a str]>) -> Scan<'a>;
    /// The row with this event id.
    fn find(&self, id: Uuid) -> Later<'_, Option<Row>>;
    /// Takes over the identity of a log that is to be copied here; refused unless this one is empty.
    fn adopt(&self, log: Uuid, epoch: i64) -> Later<'_, ()>;
    /// Whether effects are released for the log and epoch of the head.
    fn released(&self) -> Later<'_, bool>;
    /// Releases effects for the log and epoch of the head.
    fn release(&self) -> Later<'_, ()>;
    /// Raises the epoch, for which effects are not released, and answers it.
    fn raise_epoch(&self) -> Later<'_, i64>;
    /// Keeps a snapshot, replacing those of its name that are not of a later position or epoch.
    fn keep(&self, snapshot: SnapshotRow) -> Later<'_, ()>;
    /// The latest snapshot of this name.
    fn snapshot<'a>(&'a self, name: &'a str) -> Later<'a, Option<SnapshotRow>>;
    /// The names of all snapshots: a few for each service.
    fn snapshots(&self) -> Later<'_, Vec<String>>;
    /// Throws the snapshot of this name away.
    fn forget<'a>(&'a self, name: &'a str) -> Later<'a, ()>;
    /// Takes or renews a lease by the database's clock; false if another holder's has not ended.
    fn lease<'a>(&'a self, claim: &'a Claim) -> Later<'a, bool>;
    /// Resolves when the head may have moved past `position`, at the latest after a bounded wait (a quarter second).
    fn moved(&self, position: i64) -> Later<'_, ()>;
    /// Where the log ended when this process was last told, if it is told: worth a try, and nothing more.
    fn heard(&self) -> Option<Head> {
        None
    }
}

/// An append in progress, under the head's lock.
pub trait Transaction: Send {
    /// The head, which stands still until the end.
    fn head(&self) -> &Head;
    /// Versions and requests as of the head.
    fn lookup<'a>(&'a mut self, lookup: &'a Lookup) -> Later<'a, Found>;
    /// Writes the rows, moves the head to the last of them and makes it durable; [`StoreError::Taken`] where a unique key
    /// forbids it, and then nothing is written.
    fn commit<'a>(self: Box<Self>, rows: &'a [Row]) -> Later<'a, ()>
    where
        Self: 'a;
}
