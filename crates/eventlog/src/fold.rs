//! What a service has folded from the log: its core's state, and the versions of every stream.

use std::collections::BTreeSet;

use decider::{Core, Stream, Tenant, Versions};
use serde::{Deserialize, Serialize};
use ticket::house::HouseEvent;
use ticket::{Event, Recorded, codec, stream};

use crate::store::{Row, StoreError};

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
}

impl<C: Core> Default for Folded<C> {
    fn default() -> Self {
        Self {
            state: C::State::default(),
            versions: Versions::default(),
            position: 0,
            reacted: 0,
            undecidable: BTreeSet::new(),
        }
    }
}

impl<C: Core<Event = Event>> Folded<C> {
    /// Takes the next row in: its version always, its event if it is wanted.
    pub(crate) fn take(&mut self, row: &Row, wanted: &[&str]) -> Result<(), StoreError> {
        let tenant = Tenant::new(&row.tenant);
        let stream = Stream::stored(&row.stream);
        self.versions.note(&tenant, &stream, row.version.unsigned_abs());
        self.position = row.position.unsigned_abs();
        if !codec::KINDS.contains_key(row.kind.as_str()) {
            self.undecidable.insert((tenant, stream));
        } else if wanted.contains(&row.kind.as_str()) {
            let event = recorded(row)?;
            if let Event::House(HouseEvent::ReactedThrough { position }) = &event.event
                && stream == stream::service(C::NAME)
            {
                self.reacted = *position;
            }
            if C::wants(&row.kind) {
                C::evolve(&mut self.state, &event);
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
