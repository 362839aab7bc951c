//! What a batch of appends comes to under the head's lock: pure, so that the rules stand in one place for every store.

use std::collections::HashMap;
use std::ops::Range;

use decider::{Guards, Micros, Stream, Tenant};
use ticket::{stream, upcast};
use uuid::Uuid;

use crate::append::Rejected;
use crate::chain;
use crate::store::{Head, Lookup, Row};

/// An append ready for the head's lock: sealed, hashed, its ids known.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) tenant: Tenant,
    pub(crate) actor: String,
    pub(crate) request: Uuid,
    pub(crate) content: Vec<u8>,
    pub(crate) causation: Option<Uuid>,
    pub(crate) trace: String,
    pub(crate) now: Micros,
    pub(crate) occurred_at: Micros,
    pub(crate) guards: Guards,
    pub(crate) events: Vec<SealedEvent>,
}

/// An event as it will be stored.
#[derive(Debug)]
pub(crate) struct SealedEvent {
    pub(crate) id: Uuid,
    pub(crate) stream: Stream,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

/// What one append of the batch came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// These of the batch's rows are its own.
    Written(Range<usize>),
    /// An earlier append of the batch wrote these for the same request.
    Repeats(Range<usize>),
    /// The same request was written before, from this position on.
    Stored(i64),
    /// Nothing of it is written.
    Rejected(Rejected),
}

/// Each stream the batch asks for, and its place in the [`Lookup`].
type Places = HashMap<(Tenant, Stream), usize>;

/// What to look up for this batch, and where the answers will stand.
pub(crate) fn lookup(batch: &[Prepared]) -> (Lookup, Places) {
    let mut lookup = Lookup::default();
    let mut places = Places::new();
    for append in batch {
        lookup.ids.push(chain::event_id(append.request, 0));
        for stream in append.guards.keys().chain(append.events.iter().map(|event| &event.stream)) {
            places.entry((append.tenant.clone(), stream.clone())).or_insert_with(|| {
                lookup.streams.push((append.tenant.as_str().to_owned(), stream.as_str().to_owned()));
                lookup.streams.len() - 1
            });
        }
    }
    (lookup, places)
}

/// A batch being written: the head and the versions as they will be after it.
pub(crate) struct Batch {
    places: Places,
    versions: Vec<i64>,
    position: i64,
    recorded_us: i64,
    hash: Vec<u8>,
    requests: HashMap<Uuid, (Vec<u8>, Range<usize>)>,
    /// The rows to write.
    pub(crate) rows: Vec<Row>,
}

impl Batch {
    /// A batch that starts at this head.
    pub(crate) fn new(head: &Head, places: Places, versions: Vec<i64>) -> Self {
        Self {
            places,
            versions,
            position: head.position,
            recorded_us: head.recorded_us,
            hash: head.hash.clone(),
            requests: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Takes all appends in, in their order, each with what is stored under its request's first event id.
    pub(crate) fn take_all(&mut self, batch: Vec<Prepared>, requests: &[Option<(i64, Vec<u8>)>]) -> Vec<Outcome> {
        batch.into_iter().zip(requests).map(|(append, stored)| self.take(append, stored.as_ref())).collect()
    }

    /// Takes the next append in: first its request, then its guards.
    fn take(&mut self, append: Prepared, stored: Option<&(i64, Vec<u8>)>) -> Outcome {
        if let Some((position, content)) = stored {
            return if *content == append.content {
                Outcome::Stored(*position)
            } else {
                Outcome::Rejected(Rejected::Reused)
            };
        }
        if let Some((content, rows)) = self.requests.get(&append.request) {
            return if *content == append.content {
                Outcome::Repeats(rows.clone())
            } else {
                Outcome::Rejected(Rejected::Reused)
            };
        }
        if let Err(moved) = self.check(&append) {
            return Outcome::Rejected(moved);
        }
        let start = self.rows.len();
        let (request, content) = (append.request, append.content.clone());
        self.write(append);
        let rows = start..self.rows.len();
        if !rows.is_empty() {
            self.requests.insert(request, (content, rows.clone()));
        }
        Outcome::Written(rows)
    }

    fn check(&self, append: &Prepared) -> Result<(), Rejected> {
        for (stream, expected) in &append.guards {
            let actual = self.versions[self.places[&(append.tenant.clone(), stream.clone())]].unsigned_abs();
            if actual != *expected {
                return Err(Rejected::Moved { stream: stream.clone(), expected: *expected, actual });
            }
        }
        Ok(())
    }

    fn write(&mut self, append: Prepared) {
        if !append.events.is_empty() {
            self.recorded_us = self.recorded_us.max(append.now);
        }
        for event in append.events {
            self.position += 1;
            let correlation = stream::correlation(&event.stream);
            let (tenant, stream) = (append.tenant.as_str().to_owned(), event.stream.as_str().to_owned());
            let mut row = Row {
                position: self.position,
                id: event.id,
                tenant,
                stream,
                version: self.next_version(&(append.tenant.clone(), event.stream)),
                kind: event.kind,
                schema: upcast::SCHEMA.into(),
                occurred_us: append.occurred_at,
                recorded_us: self.recorded_us,
                actor: append.actor.clone(),
                request: append.request,
                content: append.content.clone(),
                causation: append.causation,
                correlation,
                trace: append.trace.clone(),
                body: event.body,
                hash: Vec::new(),
            };
            row.hash = chain::link(&self.hash, &row);
            self.hash.clone_from(&row.hash);
            self.rows.push(row);
        }
    }

    fn next_version(&mut self, stream: &(Tenant, Stream)) -> i64 {
        let version = &mut self.versions[self.places[stream]];
        *version += 1;
        *version
    }
}
