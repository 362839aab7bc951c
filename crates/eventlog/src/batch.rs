//! What a batch of appends comes to at a head: pure, so that the rules stand in one place for every store.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use decider::{Guards, Micros, Stream, Tenant};
use ticket::{stream, upcast};
use uuid::Uuid;

use crate::append::Rejected;
use crate::chain;
use crate::gather::Load;
use crate::store::{Head, Lookup, Row, Supposed};

/// Streams of which the last version is kept.
const MAX_KNOWN: usize = 65_536;

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
    pub(crate) holds_until: Option<Micros>,
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
    pub(crate) streams: Vec<(Tenant, Stream)>,
    /// The first event's id of each request.
    pub(crate) ids: Vec<Uuid>,
    /// The place of each stream among them.
    places: HashMap<(Tenant, Stream), usize>,
    /// A version for each: that at which the first append to name it guards it, else the last this process knew.
    pub(crate) supposed: Vec<i64>,
}

/// The versions at which this process last left streams, at most [`MAX_KNOWN`]. They hold for certain as long as nobody
/// else wrote since, which the head tells; afterwards they are worth a try, and nothing more.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// Each with the run of own batches in which it was last seen.
    of: HashMap<(Tenant, Stream), (i64, u64)>,
    /// Own batches with nobody else's between are one run.
    run: u64,
    /// The head after the last of them.
    left: Option<Head>,
}

impl Versions {
    fn last(&self, stream: &(Tenant, Stream)) -> i64 {
        self.of.get(stream).map_or(0, |(version, _)| *version)
    }

    /// Whether a stream is at this version for certain if the log ends at `head`.
    fn prove(&self, head: &Head, stream: &(Tenant, Stream), version: i64) -> bool {
        self.left.as_ref() == Some(head) && self.of.get(stream) == Some(&(version, self.run))
    }

    /// Takes in what a batch that was written from `began` on left behind; whether nobody else wrote since the one before.
    /// At the bound all is forgotten.
    pub(crate) fn note(&mut self, began: &Head, batch: &Batch<'_>) -> bool {
        let streams = &batch.questions.streams;
        let alone = self.left.as_ref() == Some(began);
        if !alone {
            self.run += 1;
        }
        if self.of.len() + streams.len() > MAX_KNOWN {
            self.of.clear();
        }
        let left = batch.versions.iter().map(|version| (*version, self.run));
        self.of.extend(streams.iter().cloned().zip(left));
        self.left = Some(batch.head.clone());
        alone
    }
}

impl Questions {
    /// What this batch asks.
    pub(crate) fn of(batch: &[Prepared], versions: &Versions) -> Self {
        let mut questions = Self { streams: Vec::new(), ids: Vec::new(), places: HashMap::new(), supposed: Vec::new() };
        for append in batch {
            questions.ids.push(chain::event_id(append.request, 0));
            for (stream, version) in &append.guards {
                let guarded = i64::try_from(*version).unwrap_or(i64::MAX);
                questions.name(&append.tenant, stream, |_| guarded);
            }
            for event in &append.events {
                questions.name(&append.tenant, &event.stream, |stream| versions.last(stream));
            }
        }
        questions
    }

    /// Asks for a stream, if nobody did yet.
    fn name(&mut self, tenant: &Tenant, stream: &Stream, version: impl FnOnce(&(Tenant, Stream)) -> i64) {
        let stream = (tenant.clone(), stream.clone());
        if let Entry::Vacant(vacant) = self.places.entry(stream) {
            self.supposed.push(version(vacant.key()));
            self.streams.push(vacant.key().clone());
            vacant.insert(self.streams.len() - 1);
        }
    }

    /// All of it, as a store is asked.
    pub(crate) fn lookup(&self) -> Lookup {
        Lookup { streams: self.streams.iter().map(name).collect(), ids: self.ids.clone() }
    }
}

fn name((tenant, stream): &(Tenant, Stream)) -> (String, String) {
    (tenant.as_str().to_owned(), stream.as_str().to_owned())
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
        if let Err(rejected) = self.check(append) {
            return Outcome::Rejected(rejected);
        }
        let start = self.rows.len();
        self.write(append);
        let rows = start..self.rows.len();
        if !rows.is_empty() {
            self.requests.insert(append.request, (&append.content, rows.clone()));
        }
        Outcome::Written(rows)
    }

    /// What the store must find so at `head` for the outcomes to hold, apart from what its unique keys find: the versions
    /// that are not known for certain, and that no request which writes nothing was written before. Without rows nothing
    /// tells that the log still ends at `head`, so nothing is certain.
    pub(crate) fn supposed(&self, head: &Head, known: &Versions, outcomes: &[Outcome]) -> Supposed {
        let writes = |outcome: &Outcome| matches!(outcome, Outcome::Written(rows) if !rows.is_empty());
        let some = outcomes.iter().any(writes);
        let ids = self.questions.ids.iter().zip(outcomes);
        let streams = self.questions.streams.iter().zip(&self.questions.supposed);
        let (streams, versions) = streams
            .filter(|(stream, version)| !(some && known.prove(head, stream, **version)))
            .map(|(stream, version)| (name(stream), *version))
            .unzip();
        Supposed { streams, versions, absent: ids.filter(|(_, outcome)| !writes(outcome)).map(|(id, _)| *id).collect() }
    }

    fn place(&self, tenant: &Tenant, stream: &Stream) -> usize {
        self.questions.places[&(tenant.clone(), stream.clone())]
    }

    fn check(&self, append: &Prepared) -> Result<(), Rejected> {
        let recorded = self.head.recorded_us;
        if let Some(holds_until) = append.holds_until.filter(|until| *until < recorded && !append.events.is_empty()) {
            return Err(Rejected::Overtaken { holds_until, recorded });
        }
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
