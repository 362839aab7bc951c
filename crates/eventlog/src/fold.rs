//! What a service has folded from the log: its core's state, and the versions of every stream.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use decider::{Core, Stream, Tenant, Versions};
use serde::{Deserialize, Serialize};
use ticket::house::HouseEvent;
use ticket::{Event, Recorded, codec, stream};

use crate::store::{Row, StoreError};

/// Events kept as folded, for the reactions that follow closely behind.
const MAX_RECENT: usize = 1_024;

/// What has been folded, and from where.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Folded<C: Core> {
    pub(crate) state: C::State,
    pub(crate) versions: Versions,
    pub(crate) position: u64,
    /// The folded `ReactedThrough`.
    pub(crate) reacted: u64,
    /// Streams with events of a newer program.
    pub(crate) undecidable: BTreeSet<(Tenant, Stream)>,
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
            undecidable: BTreeSet::new(),
            recent: Recent::default(),
        }
    }
}

impl<C: Core<Event = Event>> Folded<C> {
    /// A fold that goes on from a snapshot: what came before it is not at hand.
    pub(crate) fn resumed(mut self) -> Self {
        self.recent = Recent { after: self.position, events: VecDeque::new() };
        self
    }

    /// What the core wanted after this position, up to the last folded; none if it is not at hand any more.
    pub(crate) fn causes(&self, after: u64) -> Option<(Vec<Arc<Recorded>>, u64)> {
        let from = self.recent.events.partition_point(|event| event.position <= after);
        let causes = || self.recent.events.range(from..).cloned().collect();
        (after >= self.recent.after).then(|| (causes(), self.position))
    }

    /// Takes the next row in: its version always, its event if it is wanted (`wanted` is sorted).
    pub(crate) fn take(&mut self, row: &Row, wanted: &[&str]) -> Result<(), StoreError> {
        let tenant = Tenant::new(&row.tenant);
        let stream = Stream::stored(&row.stream);
        self.versions.note(&tenant, &stream, row.version.unsigned_abs());
        self.position = row.position.unsigned_abs();
        if !codec::KINDS.contains_key(row.kind.as_str()) {
            self.undecidable.insert((tenant, stream));
        } else if wanted.binary_search(&row.kind.as_str()).is_ok() {
            let event = recorded(row)?;
            if let Event::House(HouseEvent::ReactedThrough { position }) = &event.event
                && stream == stream::service(C::NAME)
            {
                // A holder that slept may write late how far it had come.
                self.reacted = self.reacted.max(*position);
            }
            if C::wants(&row.kind) {
                C::evolve(&mut self.state, &event);
                self.recent.keep(event);
            }
        }
        Ok(())
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
