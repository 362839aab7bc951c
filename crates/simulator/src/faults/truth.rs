//! What the log says, read row by row as it is written, by means of its own: the measure of what services believe.

use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use decider::{Micros, Tenant};
use eventlog::Row;
use serde_json::Value;
use ticket::house::HouseEvent;
use ticket::intake::IntakeEvent;
use ticket::{Event, Recorded};
use uuid::Uuid;

use super::Invariant;
use super::law::Holds;
use super::oracle::{self, Rule};
use super::people::CANARY;

mod clocks;
mod duty;
mod field;
mod fitness;
mod known;
mod reminders;
mod visits;

pub(crate) use known::Known;
pub(crate) use reminders::Reminders;
pub(crate) use visits::{Stage, Visit};

/// Longest time in which somebody must be woken: 72 h.
pub(crate) const HORIZON_US: Micros = 72 * 3_600 * 1_000_000;

/// Everything the log says.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    pub(crate) position: i64,
    recorded_at: Micros,
    versions: BTreeMap<(String, String), i64>,
    requests: BTreeMap<Uuid, Vec<Uuid>>,
    pub(crate) tickets: BTreeMap<Uuid, Known>,
    policies: BTreeMap<(Tenant, String, u64), BTreeMap<String, Rule>>,
    calendars: BTreeMap<(Tenant, String, u64), Calendar>,
    /// Members and who steps in.
    queues: BTreeMap<(Tenant, String), (Vec<String>, Option<String>)>,
    /// Specs of engineers, by subject.
    roster: BTreeMap<(Tenant, String), Value>,
    pub(crate) duty: duty::Duty,
    pub(crate) field: field::Field,
    pub(crate) reminders: Reminders,
    pub(crate) kinds: BTreeMap<String, u32>,
    pub(crate) phases: BTreeSet<&'static str>,
}

impl Truth {
    /// The events of a request.
    pub(crate) fn events_of(&self, request: Uuid) -> &[Uuid] {
        self.requests.get(&request).map_or(&[], Vec::as_slice)
    }

    /// Takes the next row in.
    pub(crate) fn take(&mut self, row: &Row) -> Holds {
        let stream = (row.tenant.clone(), row.stream.clone());
        let version = self.versions.entry(stream).or_default();
        *version += 1;
        Invariant::Log.holds(row.position == self.position + 1 && row.version == *version, || {
            format!("position {} with version {} of {}", row.position, row.version, row.stream)
        })?;
        Invariant::Log.holds(row.recorded_us >= self.recorded_at, || format!("{} goes back in time", row.position))?;
        let plain = row.body.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        Invariant::Privacy.holds(!plain, || format!("position {} holds personal data in plain", row.position))?;
        (self.position, self.recorded_at) = (row.position, row.recorded_us);
        self.requests.entry(row.request).or_default().push(row.id);
        *self.kinds.entry(row.kind.clone()).or_default() += 1;
        let event = eventlog::service::recorded(row).map_err(|error| Invariant::Log.broken(error))?;
        match &event.event {
            Event::Intake(intake) => self.moved(&event, intake, &row.body),
            Event::Sla(sla) => self.clock(&event, sla),
            Event::House(house) => self.house(&event, house),
            Event::Dispatch(dispatch) => self.worked(&event, dispatch),
            Event::Notifier(notifier) => self.reminders.take(&event, notifier),
        }
    }

    fn house(&mut self, event: &Recorded, house: &HouseEvent) -> Holds {
        let HouseEvent::ConfigApplied { kind, name, spec, .. } = house else {
            let parked = matches!(house, HouseEvent::ReactionParked { .. });
            return Invariant::Progress.holds(!parked, || format!("a reaction was parked: {house:?}"));
        };
        let (named, key) = ((event.tenant.clone(), name.clone()), (event.tenant.clone(), name.clone(), event.version));
        let unreadable = || Invariant::Lifecycle.broken(format!("{kind} {name} came in force unreadable: {spec}"));
        match kind.as_str() {
            "SlaPolicy" => drop(self.policies.insert(key, oracle::rules(spec).ok_or_else(unreadable)?)),
            "Calendar" => {
                self.calendars.insert(key, Calendar::read(spec).map_err(|_| unreadable())?);
            }
            "Queue" => {
                let members: Vec<String> = serde_json::from_value(spec["members"].clone()).unwrap_or_default();
                let fallback = spec["fallback"].as_str().map(str::to_owned);
                self.queues.insert(named, (members, fallback));
            }
            "Engineer" => drop(self.roster.insert(named, spec.clone())),
            _ => {}
        }
        Ok(())
    }

    fn moved(&mut self, event: &Recorded, intake: &IntakeEvent, body: &[u8]) -> Holds {
        // An erasure is of a customer.
        let Some(id) = event.correlation else { return Ok(()) };
        let before = self.tickets.get(&id);
        Invariant::Tenants.holds(before.is_none_or(|known| known.tenant == event.tenant), || {
            format!("ticket {id} has events of two tenants")
        })?;
        let legal = known::may_follow(before.map(|known| &known.course.phase), intake);
        Invariant::Lifecycle.holds(legal, || {
            let phase = before.map(|known| &known.course.phase);
            format!("position {}: {intake:?} on a ticket in {phase:?}", event.position)
        })?;
        let known = self.tickets.entry(id).or_insert_with(|| Known::begin(event, intake));
        known.take(event, intake, body)?;
        self.phases.insert(known.course.phase.name());
        self.field.ticket_moved(id, known, event.position, intake);
        Ok(())
    }
}
