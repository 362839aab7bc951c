//! What a batch of appends comes to at a head: pure, so that the rules stand in one place for every store.

use std::collections::HashMap;
use std::ops::Range;

use decider::{Guards, Micros, Stream, Tenant};
use ticket::{stream, upcast};
use uuid::Uuid;

use crate::append::Rejected;
use crate::chain;
use crate::gather::Load;
use crate::store::{Head, Lookup, Row, Supposed};

/// Streams of which the last heard version is kept.
const MAX_HEARSAY: usize = 65_536;

/// An append ready for the head: sealed, hashed, its ids known.
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

impl Prepared {
    /// What it weighs on the writer.
    pub(crate) fn load(&self) -> Load {
        let bytes = self.events.iter().map(|event| event.body.len()).sum();
        Load { appends: 1, events: self.events.len(), bytes }
    }
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

/// What a batch asks of the log: each stream it guards or writes, and each request.
pub(crate) struct Questions {
    pub(crate) lookup: Lookup,
    /// The place of each stream in the lookup.
    places: HashMap<(Tenant, Stream), usize>,
    /// A version for each: that at which the first append to name it guards it, else what was last heard of it.
    pub(crate) supposed: Vec<i64>,
    /// The places of those that are written without having been guarded.
    unguarded: Vec<usize>,
}

/// What was last heard of streams that are written without a guard; nothing rests on it.
#[derive(Debug, Default)]
pub(crate) struct Hearsay(HashMap<(String, String), i64>);

impl Questions {
    /// What to look up for this batch.
    pub(crate) fn of(batch: &[Prepared], hearsay: &Hearsay) -> Self {
        let (lookup, places) = (Lookup::default(), HashMap::new());
        let mut questions = Self { lookup, places, supposed: Vec::new(), unguarded: Vec::new() };
        for append in batch {
            questions.lookup.ids.push(chain::event_id(append.request, 0));
            for (stream, version) in &append.guards {
                if questions.is_new(&append.tenant, stream) {
                    questions.supposed.push(i64::try_from(*version).unwrap_or(i64::MAX));
                }
            }
            for event in &append.events {
                if questions.is_new(&append.tenant, &event.stream) {
                    questions.unguarded.push(questions.supposed.len());
                    let heard = questions.lookup.streams.last().and_then(|stream| hearsay.0.get(stream));
                    questions.supposed.push(heard.copied().unwrap_or(0));
                }
            }
        }
        questions
    }

    /// Whether nobody asked for this stream yet; it is asked for now.
    fn is_new(&mut self, tenant: &Tenant, stream: &Stream) -> bool {
        let next = self.lookup.streams.len();
        let new = *self.places.entry((tenant.clone(), stream.clone())).or_insert(next) == next;
        if new {
            self.lookup.streams.push((tenant.as_str().to_owned(), stream.as_str().to_owned()));
        }
        new
    }
}

/// A batch being written: the head and the versions as they will be after it.
pub(crate) struct Batch<'a> {
    questions: &'a Questions,
    versions: Vec<i64>,
    /// The head after it.
    pub(crate) head: Head,
    requests: HashMap<Uuid, (&'a [u8], Range<usize>)>,
    /// The rows to write.
    pub(crate) rows: Vec<Row>,
}

impl<'a> Batch<'a> {
    /// A batch that starts at this head, with a version for each stream in question.
    pub(crate) fn new(head: &Head, questions: &'a Questions, versions: &[i64]) -> Self {
        Self { questions, versions: versions.to_vec(), head: head.clone(), requests: HashMap::new(), rows: Vec::new() }
    }

    /// Takes all appends in, in their order, each with what is stored under its request's first event id.
    pub(crate) fn take_all(&mut self, batch: &'a [Prepared], requests: &[Option<(i64, Vec<u8>)>]) -> Vec<Outcome> {
        batch.iter().zip(requests).map(|(append, stored)| self.take(append, stored.as_ref())).collect()
    }

    /// Takes the next append in: first its request, then its guards.
    fn take(&mut self, append: &'a Prepared, stored: Option<&(i64, Vec<u8>)>) -> Outcome {
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
        if let Err(moved) = self.check(append) {
            return Outcome::Rejected(moved);
        }
        let start = self.rows.len();
        self.write(append);
        let rows = start..self.rows.len();
        if !rows.is_empty() {
            self.requests.insert(append.request, (&append.content, rows.clone()));
        }
        Outcome::Written(rows)
    }

    /// What the store must find so for the outcomes to hold, apart from what its unique keys find: the versions, and
    /// that no request which writes nothing was written before.
    pub(crate) fn supposed(&self, outcomes: &[Outcome]) -> Supposed {
        let writes = |outcome: &Outcome| matches!(outcome, Outcome::Written(rows) if !rows.is_empty());
        let ids = self.questions.lookup.ids.iter().zip(outcomes);
        Supposed {
            streams: self.questions.lookup.streams.clone(),
            versions: self.questions.supposed.clone(),
            absent: ids.filter(|(_, outcome)| !writes(outcome)).map(|(id, _)| *id).collect(),
        }
    }

    /// Notes the versions of streams that were not guarded, at most [`MAX_HEARSAY`]: at the bound all are forgotten.
    pub(crate) fn tell(&self, hearsay: &mut Hearsay) {
        if hearsay.0.len() + self.questions.unguarded.len() > MAX_HEARSAY {
            hearsay.0.clear();
        }
        let streams = &self.questions.lookup.streams;
        hearsay.0.extend(self.questions.unguarded.iter().map(|place| (streams[*place].clone(), self.versions[*place])));
    }

    fn place(&self, tenant: &Tenant, stream: &Stream) -> usize {
        self.questions.places[&(tenant.clone(), stream.clone())]
    }

    fn check(&self, append: &Prepared) -> Result<(), Rejected> {
        for (stream, expected) in &append.guards {
            let actual = self.versions[self.place(&append.tenant, stream)].unsigned_abs();
            if actual != *expected {
                return Err(Rejected::Moved { stream: stream.clone(), expected: *expected, actual });
            }
        }
        Ok(())
    }

    fn write(&mut self, append: &Prepared) {
        if !append.events.is_empty() {
            self.head.recorded_us = self.head.recorded_us.max(append.now);
        }
        for event in &append.events {
            self.head.position += 1;
            let place = self.place(&append.tenant, &event.stream);
            self.versions[place] += 1;
            let mut row = Row {
                position: self.head.position,
                id: event.id,
                tenant: append.tenant.as_str().to_owned(),
                stream: event.stream.as_str().to_owned(),
                version: self.versions[place],
                kind: event.kind.clone(),
                schema: upcast::SCHEMA.into(),
                occurred_us: append.occurred_at,
                recorded_us: self.head.recorded_us,
                actor: append.actor.clone(),
                request: append.request,
                content: append.content.clone(),
                causation: append.causation,
                correlation: stream::correlation(&event.stream),
                trace: append.trace.clone(),
                body: event.body.clone(),
                hash: Vec::new(),
            };
            row.hash = chain::link(&self.head.hash, &row);
            self.head.hash.clone_from(&row.hash);
            self.rows.push(row);
        }
    }
}
