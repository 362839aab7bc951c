//! The log as services use it: appends gathered into batches, personal data sealed and opened, everything else read
//! through.

use std::sync::Arc;

use decider::Tenant;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ticket::Personal;
use uuid::Uuid;

use crate::append::{Append, Committed, MAX_BODY_BYTES, MAX_EVENTS, Rejected};
use crate::batch::{Prepared, SealedEvent};
use crate::bus::Tail;
use crate::chain;
use crate::keys::Keys;
use crate::lease::Claim;
use crate::release::Holds;
use crate::scan::Scan;
use crate::seal;
use crate::store::{Head, Row, Select, SnapshotRow, Store, StoreError};
use crate::together::Together;
use crate::writer::{Writer, rows_of};

/// Most rows read at once; a larger limit is lowered to it.
pub const MAX_PAGE: i64 = 1_000;
/// Why effects are held from every start until stream and log were compared once: no alarm.
pub const NOT_COMPARED: &str = "stream and log were not compared yet";

/// One log: a store, the keys of its personal data, and the one task that writes.
#[derive(Debug)]
pub struct Log {
    store: Arc<dyn Store>,
    keys: Arc<Keys>,
    writer: Writer,
    holds: Holds,
    tail: Option<Arc<Tail>>,
    released: Together<bool>,
}

impl Log {
    /// Opens the log and starts its writer, which ends with the last handle. Must be called inside a tokio runtime.
    pub fn open(store: Arc<dyn Store>, keys: Keys) -> Arc<Self> {
        Self::begin(store, keys, None)
    }

    /// Opens the log as [`Log::open`] does, and reads its newest rows where a tail has them at hand. Effects are held
    /// until the tail, which must be followed, has compared stream and log.
    pub fn open_with_tail(store: Arc<dyn Store>, keys: Keys, tail: Arc<Tail>) -> Arc<Self> {
        Self::begin(store, keys, Some(tail))
    }

    fn begin(store: Arc<dyn Store>, keys: Keys, tail: Option<Arc<Tail>>) -> Arc<Self> {
        let writer = Writer::start(&store);
        let log = Arc::new(Self {
            store,
            keys: Arc::new(keys),
            writer,
            holds: Holds::default(),
            tail,
            released: Together::default(),
        });
        if let Some(tail) = &log.tail {
            tail.hold_first(log.hold(NOT_COMPARED));
        }
        log
    }

    /// Writes the events if the request is new and no guard moved; with no events it only checks that.
    ///
    /// Where too much waits to be written it is refused at once, the tenant with the most waiting first.
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
        self.writer.write(prepared).await
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
        let at_hand = if *select == Select::All { self.at_hand(wanted, after, limit) } else { None };
        match at_hand {
            Some(rows) => Ok(rows),
            None => self.store.read(select, wanted, after, limit.clamp(1, MAX_PAGE)).await,
        }
    }

    /// Rows after `position` as [`Log::read`] gives them, where the store need not be asked for them; not always up to
    /// the head.
    pub(crate) fn at_hand(&self, wanted: Option<&[&str]>, after: i64, limit: i64) -> Option<Vec<Row>> {
        self.tail.as_ref()?.page(wanted, after, limit.clamp(1, MAX_PAGE))
    }

    /// All rows after `after` up to and with `to`, page by page, read ahead in bounded memory; bodies as for
    /// [`Log::read`]. For whoever is far behind.
    pub fn scan<'a>(&'a self, after: i64, to: i64, wanted: Option<&'a [&'a str]>) -> Scan<'a> {
        self.store.scan(after, to, wanted)
    }

    /// Where the log ends now.
    pub async fn head(&self) -> Result<Head, StoreError> {
        self.store.head().await
    }

    /// Where the log ended when this process was last told, or else ends now.
    pub async fn last_heard(&self) -> Result<Head, StoreError> {
        match self.store.heard() {
            Some(head) => Ok(head),
            None => self.head().await,
        }
    }

    /// Resolves when the head may have moved past `position`, at the latest after a quarter of a second. Where a tail
    /// keeps up it is given a moment, so that not every reader of every process asks the store for what is on its way
    /// to all of them.
    pub async fn moved(&self, position: i64) -> Result<(), StoreError> {
        let Some(tail) = &self.tail else { return self.store.moved(position).await };
        let told = async {
            self.store.moved(position).await?;
            tail.given_a_moment().await;
            Ok(())
        };
        tokio::select! {
            told = told => told,
            () = tail.moved(position) => Ok(()),
        }
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

    /// The names of all snapshots.
    pub async fn snapshots(&self) -> Result<Vec<String>, StoreError> {
        self.store.snapshots().await
    }

    /// Throws the snapshot of this name away.
    pub async fn forget(&self, name: &str) -> Result<(), StoreError> {
        self.store.forget(name).await
    }

    /// Takes or renews a lease; false if another holder's has not ended.
    pub async fn lease(&self, claim: &Claim) -> Result<bool, StoreError> {
        self.store.lease(claim).await
    }

    /// The store beneath, for copying.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Everything that holds effects in this process.
    pub(crate) fn holds(&self) -> &Holds {
        &self.holds
    }

    /// Whether effects are released, asked for by all who ask at once.
    pub(crate) fn asked_for_release(&self) -> &Together<bool> {
        &self.released
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
            holds_until: append.holds_until,
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
