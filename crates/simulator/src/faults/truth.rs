//! What the log says, read row by row as it is written, by means of its own: the measure of what services believe.

use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use decider::{Micros, Tenant};
use eventlog::Row;
use serde_json::Value;
use ticket::house::HouseEvent;
use ticket::intake::{Accountable, Attention, IntakeEvent};
use ticket::lifecycle::{Lifecycle, Phase};
use ticket::sla::{SlaEvent, Terms};
use ticket::{Event, Recorded};
use uuid::Uuid;

use super::Invariant;
use super::law::{Broken, Holds};
use super::oracle::{self, Moment, Rule};
use super::people::CANARY;

/// Longest time in which somebody must be woken: 72 h.
pub(crate) const HORIZON_US: Micros = 72 * 3_600 * 1_000_000;
const BREACH_BP: u32 = 10_000;
/// Clocks every policy of the simulation gives.
const CLOCKS: usize = 3;

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
    pub(crate) kinds: BTreeMap<String, u32>,
    pub(crate) phases: BTreeSet<&'static str>,
}

/// What is known of a ticket.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) tenant: Tenant,
    pub(crate) course: Lifecycle,
    pub(crate) version: u64,
    pub(crate) customer: Option<Uuid>,
    pub(crate) imported: bool,
    pub(crate) opened_by: String,
    /// When its next step, as last named, is missed next, and how often it was since.
    due: Option<(Micros, u32)>,
    facts: Vec<Moment>,
    pub(crate) clocks: BTreeMap<String, Clock>,
}

/// What the log says of a clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    terms: Option<Terms>,
    fired: BTreeSet<(u32, u32)>,
    shares: BTreeSet<u32>,
    /// The breach that stands.
    pub(crate) breach: Option<Micros>,
}

impl Known {
    /// When its next step is missed, if anybody owes it.
    pub(crate) fn due_at(&self) -> Option<Micros> {
        self.due.map(|(due_at, _)| due_at).filter(|_| self.in_care())
    }

    /// Whether somebody owes something: not for history that another system brought to its end.
    pub(crate) fn in_care(&self) -> bool {
        !self.course.phase.ended() && (self.course.next.is_some() || !self.imported)
    }
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
            Event::Dispatch(_) | Event::Notifier(_) => Ok(()),
        }
    }

    fn house(&mut self, event: &Recorded, house: &HouseEvent) -> Holds {
        let HouseEvent::ConfigApplied { kind, name, spec } = house else {
            let parked = matches!(house, HouseEvent::ReactionParked { .. });
            return Invariant::Progress.holds(!parked, || format!("a reaction was parked: {house:?}"));
        };
        let key = (event.tenant.clone(), name.clone(), event.version);
        let unreadable = || Invariant::Lifecycle.broken(format!("{kind} {name} came in force unreadable: {spec}"));
        match kind.as_str() {
            "SlaPolicy" => drop(self.policies.insert(key, oracle::rules(spec).ok_or_else(unreadable)?)),
            "Calendar" => {
                self.calendars.insert(key, Calendar::read(spec).map_err(|_| unreadable())?);
            }
            "Queue" => {
                let members: Vec<String> = serde_json::from_value(spec["members"].clone()).unwrap_or_default();
                let fallback = spec["fallback"].as_str().map(str::to_owned);
                self.queues.insert((event.tenant.clone(), name.clone()), (members, fallback));
            }
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
        let legal = may_follow(before.map(|known| &known.course.phase), intake);
        Invariant::Lifecycle.holds(legal, || {
            let phase = before.map(|known| &known.course.phase);
            format!("position {}: {intake:?} on a ticket in {phase:?}", event.position)
        })?;
        let known = self.tickets.entry(id).or_insert_with(|| Known::begin(event, intake));
        if event.version > 1 {
            known.course.evolve(intake, event.occurred_at);
        }
        known.version = event.version;
        self.phases.insert(known.course.phase.name());
        known.learn(event);
        known.renew(event, body)
    }

    fn clock(&mut self, event: &Recorded, sla: &SlaEvent) -> Holds {
        let Some(known) = event.correlation.and_then(|id| self.tickets.get_mut(&id)) else {
            return Err(Invariant::Clocks.broken(format!("position {} is of no ticket", event.position)));
        };
        if let SlaEvent::AttentionMissed { step, due_at, owed, next_at, .. } = sla {
            return known.missed(event, (*step, *due_at, *next_at), owed);
        }
        match sla {
            SlaEvent::ClockStarted { clock, terms, .. } => known.clock(clock).terms = Some(terms.clone()),
            SlaEvent::BreachRevoked { clock, at, .. } => {
                let standing = known.clock(clock).breach.take();
                return Invariant::Clocks
                    .holds(standing == Some(*at), || format!("a breach of {standing:?} revoked as of {at}"));
            }
            SlaEvent::WarningRaised { clock, generation, share_bp, at } => {
                return self.fired(event, clock, (*generation, *share_bp, *at));
            }
            SlaEvent::Breached { clock, generation, at, .. } => {
                known.clock(clock).breach = Some(*at);
                return self.fired(event, clock, (*generation, BREACH_BP, *at));
            }
            _ => {}
        }
        Ok(())
    }

    fn fired(&mut self, event: &Recorded, clock: &str, mark: (u32, u32, Micros)) -> Holds {
        let (generation, share_bp, at) = mark;
        let named = || format!("position {}: {clock}/{generation}/{share_bp} at {at}", event.position);
        Invariant::Clocks.holds(at < event.recorded_at && event.occurred_at == at, || {
            format!("{} fired before its instant, at {}", named(), event.recorded_at)
        })?;
        let Some(known) = event.correlation.and_then(|id| self.tickets.get(&id)) else { return Ok(()) };
        let passed = self.passed(known, clock, event.recorded_at)?;
        Invariant::Clocks.holds(passed.contains(&(share_bp, at)), || {
            format!("{} fired, but by the facts there are only {passed:?}; {:?}", named(), known.facts)
        })?;
        let Some(known) = event.correlation.and_then(|id| self.tickets.get_mut(&id)) else { return Ok(()) };
        let record = known.clock(clock);
        record.shares.insert(share_bp);
        Invariant::Clocks.holds(record.fired.insert((generation, share_bp)), || format!("{} fired twice", named()))
    }

    /// The marks of a ticket's clock passed before `now`, by the terms on record.
    fn passed(&self, known: &Known, clock: &str, now: Micros) -> Result<Vec<(u32, Micros)>, Broken> {
        let found = known.clocks.get(clock).and_then(|record| record.terms.as_ref()).and_then(|terms| {
            let key = |pinned: &ticket::sla::Pinned| (known.tenant.clone(), pinned.name.clone(), pinned.version);
            Some((self.policies.get(&key(&terms.policy))?.get(clock)?, self.calendars.get(&key(&terms.calendar))?))
        });
        let (rule, calendar) = found.ok_or_else(|| Invariant::Clocks.broken(format!("{clock} has no known terms")))?;
        Ok(rule.passed(calendar, &known.facts, now))
    }

    /// Once everybody has reacted: every mark the facts bear out has fired, and no breach stands that they do not.
    pub(crate) fn check_clocks(&self, now: Micros) -> Holds {
        for (id, known) in &self.tickets {
            Invariant::Clocks.holds(known.clocks.len() == CLOCKS, || format!("ticket {id} has no clocks"))?;
            for (clock, record) in &known.clocks {
                let passed = self.passed(known, clock, now)?;
                let breached = passed.iter().any(|(share_bp, _)| *share_bp == BREACH_BP);
                Invariant::Clocks.holds(record.breach.is_some() == breached, || {
                    format!("{clock} of {id}: a breach of {:?} stands, by the facts {passed:?}", record.breach)
                })?;
                let unfired = passed.iter().find(|(share_bp, _)| !record.shares.contains(share_bp));
                Invariant::Clocks.holds(unfired.is_none(), || format!("{clock} of {id}: {unfired:?} did not fire"))?;
            }
        }
        Ok(())
    }

    /// Once everybody has reacted: nobody is forgotten.
    pub(crate) fn check_no_drop(&self, now: Micros) -> Holds {
        for (id, known) in self.tickets.iter().filter(|(_, known)| known.in_care()) {
            let hole = |what: String| Err(Invariant::NoDrop.broken(format!("ticket {id}: {what}")));
            let Some((next, due_at)) = known.course.next.as_ref().zip(known.due_at()) else {
                return hole("nobody is accountable".into());
            };
            if due_at < now {
                return hole(format!("missed at {due_at}, nobody was woken by {now}"));
            }
            if due_at > now.saturating_add(HORIZON_US) {
                return hole(format!("nobody looks before {due_at}, and it is {now}"));
            }
            if !self.reaches(&known.tenant, &next.accountable) {
                return hole(format!("{:?} reaches nobody", next.accountable));
            }
        }
        Ok(())
    }

    fn reaches(&self, tenant: &Tenant, party: &Accountable) -> bool {
        let Accountable::Queue(first) = party else { return true };
        let mut name = first;
        for _ in 0..=self.queues.len() {
            match self.queues.get(&(tenant.clone(), name.clone())) {
                Some((members, _)) if !members.is_empty() => return true,
                Some((_, Some(fallback))) => name = fallback,
                _ => return false,
            }
        }
        false
    }
}

impl Known {
    fn begin(event: &Recorded, first: &IntakeEvent) -> Self {
        let customer = match first {
            IntakeEvent::Received { request, .. } | IntakeEvent::TicketImported { request, .. } => {
                request.customer.as_ref().map(|customer| customer.id)
            }
            _ => None,
        };
        Self {
            tenant: event.tenant.clone(),
            course: Lifecycle::begin(first, event.occurred_at),
            version: 0,
            customer,
            imported: matches!(first, IntakeEvent::TicketImported { .. }),
            opened_by: event.actor.clone(),
            due: None,
            facts: Vec::new(),
            clocks: BTreeMap::new(),
        }
    }

    fn clock(&mut self, name: &str) -> &mut Clock {
        self.clocks.entry(name.to_owned()).or_default()
    }

    fn learn(&mut self, event: &Recorded) {
        let Some(fact) = ticket::fact(&event.event) else { return };
        self.facts.push(Moment {
            at: event.occurred_at,
            position: event.position,
            activity: fact.activity.to_owned(),
            status: fact.state,
            priority: fact.priority.filter(|said| !said.is_empty()).map(str::to_owned),
        });
        self.facts.sort_by_key(|fact| (fact.at, fact.position));
    }

    /// Whatever names a next step, names one that is ahead and within the horizon.
    fn renew(&mut self, event: &Recorded, body: &[u8]) -> Holds {
        let body: Value = serde_json::from_slice(body).map_err(|error| Invariant::Log.broken(error))?;
        let next = body.get("next").and_then(|next| serde_json::from_value::<Attention>(next.clone()).ok());
        if let Some(next) = next {
            let (from, to) = (event.recorded_at, event.recorded_at.saturating_add(HORIZON_US));
            Invariant::NoDrop.holds(from < next.attend_by && next.attend_by <= to, || {
                format!("position {}: at {from} the next step is due at {}", event.position, next.attend_by)
            })?;
            self.due = Some((next.attend_by, 0));
        }
        Invariant::NoDrop.holds(!self.in_care() || self.due.is_some(), || {
            format!("position {}: nobody is accountable", event.position)
        })
    }

    fn missed(&mut self, event: &Recorded, miss: (u32, Micros, Micros), owed: &Accountable) -> Holds {
        let (step, due_at, next_at) = miss;
        let accountable = self.course.next.as_ref().map(|next| &next.accountable);
        let expected = self.due == Some((due_at, step - 1)) && accountable == Some(owed);
        Invariant::NoDrop.holds(expected && due_at < event.recorded_at, || {
            format!("position {}: step {step} due {due_at} missed, but {:?} is due", event.position, self.due)
        })?;
        self.due = Some((next_at, step));
        Invariant::NoDrop.holds(event.recorded_at < next_at && next_at <= event.recorded_at + HORIZON_US, || {
            format!("position {}: the next call is at {next_at}", event.position)
        })
    }
}

/// Whether a ticket in this phase may get this event.
fn may_follow(phase: Option<&Phase>, event: &IntakeEvent) -> bool {
    use IntakeEvent as E;
    use Phase as P;
    let Some(phase) = phase else { return matches!(event, E::Received { .. } | E::TicketImported { .. }) };
    match event {
        E::Received { .. } | E::TicketImported { .. } => false,
        E::Triaged { .. } => matches!(phase, P::Received | P::Triaged),
        E::TakenInCharge { .. } => matches!(phase, P::Received | P::Triaged | P::InProgress),
        E::WaitStarted { .. } => matches!(phase, P::InProgress | P::Waiting(_)),
        E::WaitEnded { reasons, .. } => matches!(phase, P::Waiting(held) if reasons.is_subset(held)),
        E::Resolved { .. } => matches!(phase, P::InProgress | P::Waiting(_)),
        E::Confirmed { .. } => matches!(phase, P::WorkDone { .. }),
        E::ConfirmationRejected { .. } => matches!(phase, P::WorkDone { .. } | P::Confirmed),
        E::Closed { .. } => matches!(phase, P::Confirmed),
        E::Reopened { .. } => matches!(phase, P::Closed { .. }),
        E::ActivityImported { .. } | E::CustomerErased { .. } => true,
        E::PriorityRaised { .. }
        | E::PriorityLowered { .. }
        | E::Transferred { .. }
        | E::Commented { .. }
        | E::ContactLogged { .. }
        | E::Cancelled { .. } => !phase.ended(),
    }
}
