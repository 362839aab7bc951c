//! Another set of reminder rules over a period that is past: which messages would have been spared, which would have
//! come in addition, and which tickets would have been left without a timely one.
//!
//! Both sets are run by the same core from the same state over the same recorded behaviour: what happened to tickets and
//! people, and what recipients did with a reminder wherever it exists on that side too. Every letter is taken to arrive.
//! So whatever differs, differs by the rules; a set compared with itself differs in nothing.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Core, Micros, Recorded, Stream, Tenant};
use serde_json::Value;
use ticket::house::HouseEvent;
use ticket::notifier::{Medium, NotifierEvent};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::alone::Alone;
use crate::command::{Command, Notifier};
use crate::document::REMINDER_RULE;
use crate::reminder::{Reminder, To};
use crate::topic::Topic;

/// Most tickets at risk that are named, in order of id; the others are counted.
pub const MAX_NAMED: usize = 1_000;

/// The period: reminders planned at or after its first instant and before its second.
pub type Period = (Micros, Micros);

/// Messages of one rule by one medium.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Under the rules as they were.
    pub was: u64,
    /// Under the others.
    pub would_be: u64,
}

/// A ticket that had a timely reminder and would have had none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtRisk {
    /// The ticket.
    pub ticket: Uuid,
    /// The rules whose reminders were timely.
    pub rules: Vec<String>,
}

/// What another set of rules comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Reminders the log holds of the period, of whatever came of them.
    pub recorded: u64,
    /// Reminders planned under the rules as they were, when run again, and under the others.
    pub planned: Messages,
    /// Messages by rule and medium.
    pub messages: BTreeMap<(String, Medium), Messages>,
    /// Tickets that had a timely reminder under the rules as they were.
    pub reminded: u64,
    /// Those that would have had none: at most [`MAX_NAMED`], by id.
    pub at_risk: Vec<AtRisk>,
    /// How many there are.
    pub risks: u64,
}

/// One side: the core, and since when each reminder of the period would have come too late.
#[derive(Debug, Default)]
struct Side {
    core: Alone,
    limits: BTreeMap<Uuid, Option<Micros>>,
}

/// A replay under way: takes the log's events in order, those before the period included.
#[derive(Debug)]
pub struct Replay {
    tenant: Tenant,
    period: Period,
    rules: Vec<(String, Value)>,
    was: Side,
    other: Side,
    begun: bool,
    recorded: u64,
}

impl Replay {
    /// A replay of a tenant's past with these rules by name, which must be readable, in the place of all it had.
    pub fn new(tenant: Tenant, period: Period, rules: Vec<(String, Value)>) -> Self {
        let (was, other) = Default::default();
        Self { tenant, period, rules, was, other, begun: false, recorded: 0 }
    }

    /// The kinds of events it wants.
    pub fn wants(kind: &str) -> bool {
        Notifier::wants(kind)
    }

    /// Takes the next event in.
    pub fn take(&mut self, event: &Recorded<Event>) {
        let (from, to) = self.period;
        if event.tenant != self.tenant || event.recorded_at >= to {
            return;
        }
        if event.recorded_at < from {
            self.was.core.fold(event);
            self.other.core.fold(event);
            return;
        }
        self.begin(event.position);
        self.was.pass(event.recorded_at);
        self.other.pass(event.recorded_at);
        let of = match &event.event {
            Event::Notifier(notifier) => notifier.reminder().map(|id| (id, notifier)),
            _ => None,
        };
        if let Some((id, notifier)) = of {
            self.recorded += u64::from(matches!(notifier, NotifierEvent::ReminderPlanned { .. }));
            self.was.answer(event, id, notifier);
            self.other.answer(event, id, notifier);
            return;
        }
        self.was.happen(event);
        let kind = match &event.event {
            Event::House(HouseEvent::ConfigApplied { kind, .. } | HouseEvent::ConfigRetired { kind, .. }) => {
                kind.as_str()
            }
            _ => "",
        };
        if kind != REMINDER_RULE {
            self.other.happen(event);
        }
    }

    /// Puts the other rules in force as the period begins; `position` is that of its first event.
    fn begin(&mut self, position: u64) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let from = self.period.0;
        self.was.core.pass(from);
        self.other.core.pass(from);
        drop((self.was.core.recorded(), self.other.core.recorded()));
        let known = self.other.core.state().house(&self.tenant).map(|house| house.rules.keys().cloned().collect());
        let known: BTreeSet<String> = known.unwrap_or_default();
        let given: BTreeMap<_, _> = self.rules.iter().map(|(name, spec)| (name.clone(), spec)).collect();
        let kind = || REMINDER_RULE.to_owned();
        let retired = known.iter().filter(|name| !given.contains_key(*name));
        let retired = retired.map(|name| (name, HouseEvent::ConfigRetired { kind: kind(), name: name.clone() }));
        let applied = given.iter().map(|(name, spec)| {
            (name, HouseEvent::ConfigApplied { kind: kind(), name: name.clone(), spec: (*spec).clone(), reason: None })
        });
        for (name, event) in retired.chain(applied) {
            let stream = stream::config(Notifier::NAME, REMINDER_RULE, name);
            self.other.core.fold(&self.document((stream, u64::MAX), position.saturating_sub(1), event));
        }
    }

    /// A document put in force by the replay, in a version no log has.
    fn document(&self, (stream, version): (Stream, u64), position: u64, event: HouseEvent) -> Recorded<Event> {
        Recorded {
            id: Uuid::nil(),
            tenant: self.tenant.clone(),
            stream,
            version,
            position,
            occurred_at: self.period.0,
            recorded_at: self.period.0,
            actor: "replay".into(),
            request: Uuid::nil(),
            causation: None,
            correlation: None,
            event: Event::House(event),
        }
    }

    /// What it came to, once the log, or the period, is at its end.
    pub fn finish(mut self) -> Difference {
        self.begin(u64::MAX);
        let end = self.period.1.saturating_sub(1);
        self.was.pass(end);
        self.other.pass(end);
        let mut found = Difference { recorded: self.recorded, ..Difference::default() };
        found.planned = Messages { was: self.was.planned(), would_be: self.other.planned() };
        for (rule, medium) in self.was.messages(&self.tenant) {
            found.messages.entry((rule, medium)).or_default().was += 1;
        }
        for (rule, medium) in self.other.messages(&self.tenant) {
            found.messages.entry((rule, medium)).or_default().would_be += 1;
        }
        let (was, would_be) = (self.was.timely(&self.tenant), self.other.timely(&self.tenant));
        found.reminded = was.len() as u64;
        for (ticket, rules) in was.into_iter().filter(|(ticket, _)| !would_be.contains_key(ticket)) {
            found.risks += 1;
            if found.at_risk.len() < MAX_NAMED {
                found.at_risk.push(AtRisk { ticket, rules: rules.into_iter().collect() });
            }
        }
        found
    }
}

impl Side {
    fn pass(&mut self, until: Micros) {
        self.core.pass(until);
        self.note();
    }

    fn happen(&mut self, event: &Recorded<Event>) {
        self.core.happen(event);
        self.note();
    }

    /// Notes of what was planned when it would be too late, which is known then.
    fn note(&mut self) {
        for event in self.core.recorded() {
            let Event::Notifier(NotifierEvent::ReminderPlanned { reminder, .. }) = &event.event else { continue };
            let house = self.core.state().house(&event.tenant);
            let known = house.and_then(|house| Some((house, house.reminders.get(reminder)?)));
            let limit = known.and_then(|(house, known)| {
                let limit = house.tickets.get(&known.ticket)?.limit(&known.topic());
                // A clock that breaches no more has breached.
                limit.or_else(|| matches!(known.topic(), Topic::Clock(_)).then_some(Micros::MIN))
            });
            self.limits.insert(*reminder, limit);
        }
    }

    /// What its recipient did with a reminder, if there is such a reminder here.
    fn answer(&mut self, event: &Recorded<Event>, id: Uuid, notifier: &NotifierEvent) {
        let (Some(ticket), Some(subject)) = (event.correlation, event.actor.strip_prefix("user/")) else { return };
        let command = match notifier {
            NotifierEvent::ReminderRead { .. } => Command::Read { ticket, reminder: id },
            NotifierEvent::ReminderAcknowledged { .. } => Command::Acknowledge { ticket, reminder: id },
            NotifierEvent::ReminderSnoozed { until, .. } => Command::Snooze { ticket, reminder: id, until: *until },
            _ => return,
        };
        // Refused where it does not exist here, or is over.
        let _elsewhere = self.core.ask((&event.tenant, subject), &command);
        self.note();
    }

    fn planned(&self) -> u64 {
        self.limits.len() as u64
    }

    /// The reminders of the period.
    fn reminders(&self, tenant: &Tenant) -> impl Iterator<Item = (Uuid, &Reminder, Option<Micros>)> {
        let house = self.core.state().house(tenant);
        self.limits.iter().filter_map(move |(id, limit)| Some((*id, house?.reminders.get(id)?, *limit)))
    }

    /// The messages sent, each with its rule and medium: one of each medium of a reminder, however often it was tried; of
    /// those told in a digest, the first alone.
    fn messages(&self, tenant: &Tenant) -> Vec<(String, Medium)> {
        let (mut found, mut sent) = (Vec::new(), BTreeSet::new());
        for (id, known, _) in self.reminders(tenant) {
            for medium in known.sent_by() {
                let digest = known.last(medium).and_then(|one| one.digest);
                if sent.insert((digest.unwrap_or(id), medium)) {
                    found.push((known.rule.0.clone(), medium));
                }
            }
        }
        found
    }

    /// The tickets of which somebody of ours was told in time, with the rules that told them.
    fn timely(&self, tenant: &Tenant) -> BTreeMap<Uuid, BTreeSet<String>> {
        let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (_, known, limit) in self.reminders(tenant) {
            let in_time = known.sent_at().is_some_and(|at| limit.is_none_or(|limit| at < limit));
            if in_time && matches!(known.to, To::Person(_)) {
                found.entry(known.ticket).or_default().insert(known.rule.0.clone());
            }
        }
        found
    }
}
