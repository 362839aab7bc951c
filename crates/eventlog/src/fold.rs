//! What a service has folded from the log: its core's state, and the versions of every stream.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Display;
use std::sync::Arc;

use decider::{Core, Stream, Tenant, Versions};
use serde::{Deserialize, Serialize};
use ticket::house::HouseEvent;
use ticket::{Event, Recorded, codec, stream};

use crate::chain;
use crate::store::{Row, StoreError};

/// Events kept as folded, for the reactions that follow closely behind.
const MAX_RECENT: usize = 1_024;
/// Streams known to be undecidable; at the bound every stream counts as one.
const MAX_UNDECIDABLE: usize = 1_000;

/// The kinds a core's fold wants, in order: its own choice, and how far its reactions came.
pub(crate) fn wanted<C: Core>() -> Vec<&'static str> {
    let own = |kind: &&'static str| C::wants(kind) || *kind == "ReactedThrough";
    codec::KINDS.keys().copied().filter(own).collect()
}

/// What is said of a log that has not what was folded of it.
pub(crate) fn lost(position: u64) -> StoreError {
    StoreError::Damaged(format!("position {position} was folded and is no longer in the log"))
}

/// What has been folded, and from where.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Folded<C: Core> {
    pub(crate) state: C::State,
    pub(crate) versions: Versions,
    pub(crate) position: u64,
    /// The folded `ReactedThrough`.
    pub(crate) reacted: u64,
    /// The last row's hash: which history this was folded from.
    #[serde(skip)]
    pub(crate) hash: Vec<u8>,
    /// When the last row was recorded, microseconds.
    #[serde(skip)]
    pub(crate) recorded_us: i64,
    /// Streams with events this program cannot read. A program that can must not find them left out of a snapshot: while
    /// there are any, none is kept.
    #[serde(skip)]
    undecidable: BTreeSet<(Tenant, Stream)>,
    #[serde(skip)]
    recent: Recent,
}

/// The last events the core wanted, as folded.
#[derive(Default)]
struct Recent {
    /// None is missing after this position.
    after: u64,
    events: VecDeque<Arc<Recorded>>,
}

impl Recent {
    fn keep(&mut self, event: Recorded) {
        self.events.push_back(Arc::new(event));
        if self.events.len() > MAX_RECENT {
            self.after = self.events.pop_front().map_or(self.after, |oldest| oldest.position);
        }
    }
}

impl<C: Core> Default for Folded<C> {
    fn default() -> Self {
        Self {
            state: C::State::default(),
            versions: Versions::default(),
            position: 0,
            reacted: 0,
            hash: chain::GENESIS.to_vec(),
            recorded_us: i64::MIN,
            undecidable: BTreeSet::new(),
            recent: Recent::default(),
        }
    }
}

impl<C: Core<Event = Event>> Folded<C> {
    /// A fold that goes on from a snapshot taken at this row: what came before it is not at hand.
    pub(crate) fn resumed(mut self, last: Row) -> Self {
        self.recent = Recent { after: self.position, events: VecDeque::new() };
        (self.hash, self.recorded_us) = (last.hash, last.recorded_us);
        self
    }

    /// What the core wanted after this position, up to the last folded; none if it is not at hand any more.
    pub(crate) fn causes(&self, after: u64) -> Option<(Vec<Arc<Recorded>>, u64)> {
        let from = self.recent.events.partition_point(|event| event.position <= after);
        let causes = || self.recent.events.range(from..).cloned().collect();
        (after >= self.recent.after).then(|| (causes(), self.position))
    }

    /// How many streams hold what this program cannot read, up to the bound from which on all of them count so.
    pub(crate) fn undecidable(&self) -> usize {
        self.undecidable.len()
    }

    /// Whether nothing may be decided that depends on this stream.
    pub(crate) fn blind(&self, tenant: &Tenant, stream: &Stream) -> bool {
        match self.undecidable.len() {
            0 => false,
            MAX_UNDECIDABLE.. => true,
            _ => self.undecidable.contains(&(tenant.clone(), stream.clone())),
        }
    }

    /// Sees to it that the next row follows what is folded by its hash, too. If the log was restored, or its database failed
    /// over to a standby that lagged, it does not: then nothing that was folded beyond that point is true.
    pub(crate) fn is_followed_by(&self, next: &Row) -> Result<(), StoreError> {
        let follows = next.position.unsigned_abs() != self.position + 1 || chain::link(&self.hash, next) == next.hash;
        if follows { Ok(()) } else { Err(lost(self.position)) }
    }

    /// Takes rows in that follow what is folded, `wanted` as of [`wanted`]; rows already folded are passed over.
    pub(crate) fn take_all(&mut self, rows: &[Row], wanted: &[&str]) -> Result<(), StoreError> {
        for row in rows {
            let position = row.position.unsigned_abs();
            if position > self.position + 1 {
                return Err(StoreError::Damaged(format!("position {position} follows {}", self.position)));
            }
            if position == self.position + 1 {
                self.take(row, wanted);
            }
        }
        Ok(())
    }

    /// Takes the next row in: its version always, its event if it is wanted and can be read.
    fn take(&mut self, row: &Row, wanted: &[&str]) {
        self.versions.note(&row.tenant, &row.stream, row.version.unsigned_abs());
        self.position = row.position.unsigned_abs();
        self.recorded_us = row.recorded_us;
        self.hash.clone_from(&row.hash);
        let kind = row.kind.as_str();
        if wanted.binary_search(&kind).is_ok() {
            match recorded(row) {
                Ok(event) => self.evolve(kind, event),
                Err(why) => self.give_up(row, &why),
            }
        } else if !codec::KINDS.contains_key(kind) {
            self.give_up(row, &format_args!("kind {kind} is not known to this program"));
        }
    }

    fn evolve(&mut self, kind: &str, event: Recorded) {
        if let Event::House(HouseEvent::ReactedThrough { position }) = &event.event
            && event.stream == stream::service(C::NAME)
        {
            // A holder that slept may write late how far it had come.
            self.reacted = self.reacted.max(*position);
        }
        if C::wants(kind) {
            C::evolve(&mut self.state, &event);
            self.recent.keep(event);
        }
    }

    /// Nothing that depends on this row's stream is decided from here on.
    fn give_up(&mut self, row: &Row, why: &dyn Display) {
        let place = (Tenant::new(&row.tenant), Stream::stored(&row.stream));
        if self.undecidable.len() < MAX_UNDECIDABLE && self.undecidable.insert(place) {
            let (service, stream, position) = (C::NAME, row.stream.as_str(), row.position);
            let all = self.undecidable.len() == MAX_UNDECIDABLE;
            tracing::error!(service, position, stream, %why, all, "a stream that cannot be read: nothing is decided on it");
        }
    }
}

/// A stored row as an event.
pub fn recorded(row: &Row) -> Result<Recorded, StoreError> {
    let schema = u32::try_from(row.schema).unwrap_or(u32::MAX);
    let event = codec::decode(&row.kind, schema, &row.body)
        .map_err(|error| StoreError::Damaged(format!("position {}: {error}", row.position)))?;
    Ok(Recorded {
        id: row.id,
        tenant: Tenant::new(&row.tenant),
        stream: Stream::stored(&row.stream),
        version: row.version.unsigned_abs(),
        position: row.position.unsigned_abs(),
        occurred_at: row.occurred_us,
        recorded_at: row.recorded_us,
        actor: row.actor.clone(),
        request: row.request,
        causation: row.causation,
        correlation: row.correlation,
        event,
    })
}
