//! What notifier has folded: people, queues and duty, tickets as far as rules ask, reminders, and what is due next.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::document::Kept;
use ticket::house::HouseEvent;
use ticket::notifier::{Medium, NotifierEvent};
use ticket::queue::Queue;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::audience::Staff;
use crate::document::{Edition, MESSAGE_TEXT, REMINDER_RULE, Shelf, pinned};
use crate::file::File;
use crate::learn::memory::Memory;
use crate::person::Person;
use crate::reminder::{End, Reminder, To};
use crate::rule::Rule;
use crate::subject::Subject;
use crate::text::Text;

/// Everything folded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) houses: BTreeMap<Tenant, House>,
    /// What counts as unanswered next, soonest first.
    pub(crate) answers: BTreeSet<(Micros, Tenant, Uuid)>,
    /// What is put off, by when it comes due.
    pub(crate) waiting: BTreeSet<(Micros, Tenant, Uuid)>,
    /// What is said by one more medium next, since nobody saw it, by when.
    pub(crate) unmoved: BTreeSet<(Micros, Tenant, Uuid)>,
    /// What comes a second time next, since nothing was done about it, by when.
    pub(crate) repeats: BTreeSet<(Micros, Tenant, Uuid)>,
    /// The tries of which another side tells later what became of them, by medium and what it calls them.
    pub(crate) references: BTreeMap<(Medium, String), (Tenant, Uuid)>,
    /// The attempts begun whose outcome nobody recorded.
    pub(crate) in_flight: BTreeSet<(Tenant, Uuid)>,
}

/// The attempts owed, each kind soonest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    pub(crate) urgent: BTreeSet<(Micros, Uuid, Medium)>,
    pub(crate) calm: BTreeSet<(Micros, Uuid, Medium)>,
}

impl Outbox {
    fn of(&mut self, reminder: &Reminder) -> &mut BTreeSet<(Micros, Uuid, Medium)> {
        if reminder.urgent { &mut self.urgent } else { &mut self.calm }
    }
}

/// What belongs to one tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct House {
    pub(crate) rules: Shelf<Rule>,
    pub(crate) texts: Shelf<Text>,
    pub(crate) staff: Staff,
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) tickets: BTreeMap<Uuid, File>,
    pub(crate) reminders: BTreeMap<Uuid, Reminder>,
    /// The reminders of each ticket, in the order in which they were planned.
    pub(crate) of_ticket: BTreeMap<Uuid, Vec<Uuid>>,
    /// The version of each ticket's reminders.
    pub(crate) versions: BTreeMap<Uuid, u64>,
    pub(crate) outbox: Outbox,
    pub(crate) memory: Memory,
    /// The reminders that may still teach something, by when that ends.
    pub(crate) teaching: BTreeSet<(Micros, Uuid)>,
}

impl State {
    /// A tenant's part.
    pub(crate) fn house(&self, tenant: &Tenant) -> Option<&House> {
        self.houses.get(tenant)
    }

    /// A reminder of this ticket, with its tenant's part.
    pub(crate) fn reminder(&self, tenant: &Tenant, ticket: Uuid, id: Uuid) -> Option<(&House, &Reminder)> {
        let house = self.house(tenant)?;
        Some((house, house.reminders.get(&id).filter(|reminder| reminder.ticket == ticket)?))
    }

    /// Takes one event in.
    pub(crate) fn evolve(&mut self, event: &Recorded) {
        match &event.event {
            Event::Notifier(notifier) => self.notifier(event, notifier),
            Event::House(house) => self.house_event(event, house),
            Event::Intake(_) | Event::Sla(_) | Event::Dispatch(_) => self.foreign(event),
        }
    }

    fn foreign(&mut self, event: &Recorded) {
        let house = self.houses.entry(event.tenant.clone()).or_default();
        if let Event::Dispatch(dispatch) = &event.event
            && event.stream.family() == "engineer"
        {
            house.staff.duty.learn(event.stream.key(), dispatch);
        }
        let subject = Subject::of(&event.event);
        let Some(id) = subject.as_ref().map(Subject::id).or(event.correlation) else { return };
        if let Some(subject) = subject {
            house.tickets.entry(id).or_insert_with(|| File::about(subject));
        }
        if let Event::Intake(intake) = &event.event
            && let Some(file) = File::begin(intake)
        {
            house.tickets.insert(id, file);
        }
        if let Some(file) = house.tickets.get_mut(&id) {
            file.evolve(event);
            if file.ended {
                house.shrink(id);
            }
        }
    }

    fn notifier(&mut self, event: &Recorded, notifier: &NotifierEvent) {
        let house = self.houses.entry(event.tenant.clone()).or_default();
        let Some(id) = notifier.reminder() else {
            house.people.entry(event.stream.key().to_owned()).or_default().evolve(notifier, event.version);
            return;
        };
        let Some(ticket) = event.correlation else { return };
        house.versions.insert(ticket, event.version);
        house.unanswered_by(event.recorded_at);
        match notifier {
            NotifierEvent::AttemptSucceeded { medium, reference: Some(reference), .. } => {
                self.references.insert((*medium, reference.clone()), (event.tenant.clone(), id));
            }
            NotifierEvent::AttemptDelivered { attempt, medium, .. }
            | NotifierEvent::AttemptFailed { attempt, medium, .. } => {
                let known = house.reminders.get(&id).and_then(|known| known.by((*medium, *attempt)));
                if let Some(reference) = known.and_then(|one| one.reference.clone()) {
                    self.references.remove(&(*medium, reference));
                }
            }
            _ => {}
        }
        if house.reminders.contains_key(&id) {
            let touched = house.touched(id, notifier);
            for id in &touched {
                self.leave(&event.tenant, *id);
            }
            if let Some(house) = self.houses.get_mut(&event.tenant) {
                house.told(id, notifier, event.recorded_at);
            }
            for id in touched {
                self.enter(&event.tenant, id);
            }
        } else {
            let at = (event.recorded_at, event.position, event.causation);
            let Some(planned) = Reminder::planned(notifier, at, ticket) else { return };
            house.of_ticket.entry(ticket).or_default().push(id);
            house.teaching.extend(planned.chosen.map(|chosen| (chosen.until, id)));
            house.reminders.insert(id, planned);
            house.keep(id, event.position);
            self.enter(&event.tenant, id);
        }
    }

    /// Takes a reminder out of what is due.
    fn leave(&mut self, tenant: &Tenant, id: Uuid) {
        let Some(House { reminders, outbox, .. }) = self.houses.get_mut(tenant) else { return };
        let Some(known) = reminders.get(&id) else { return };
        for (at, medium, _) in known.owed() {
            outbox.of(known).remove(&(at, id, medium));
        }
        if let Some(at) = known.answer_by {
            self.answers.remove(&(at, tenant.clone(), id));
        }
        if let Some(at) = known.waits {
            self.waiting.remove(&(at, tenant.clone(), id));
        }
        if let Some(at) = known.next_medium_at() {
            self.unmoved.remove(&(at, tenant.clone(), id));
        }
        if let Some(at) = known.repeats_at() {
            self.repeats.remove(&(at, tenant.clone(), id));
        }
        self.in_flight.remove(&(tenant.clone(), id));
    }

    /// Puts a reminder into what is due.
    fn enter(&mut self, tenant: &Tenant, id: Uuid) {
        let Some(House { reminders, outbox, .. }) = self.houses.get_mut(tenant) else { return };
        let Some(known) = reminders.get(&id) else { return };
        for (at, medium, _) in known.owed() {
            outbox.of(known).insert((at, id, medium));
        }
        let open = |at: &Micros| known.end.is_none().then_some((*at, tenant.clone(), id));
        self.answers.extend(known.answer_by.as_ref().and_then(open));
        self.waiting.extend(known.waits.as_ref().and_then(open));
        self.unmoved.extend(known.next_medium_at().as_ref().and_then(open));
        self.repeats.extend(known.repeats_at().as_ref().and_then(open));
        if known.in_flight().next().is_some() {
            self.in_flight.insert((tenant.clone(), id));
        }
    }

    fn house_event(&mut self, event: &Recorded, applied: &HouseEvent) {
        let (kind, name, spec) = match applied {
            HouseEvent::ConfigApplied { kind, name, spec, .. } => (kind, name, Some(spec)),
            HouseEvent::ConfigRetired { kind, name } => (kind, name, None),
            HouseEvent::ReactedThrough { .. }
            | HouseEvent::ReactionParked { .. }
            | HouseEvent::ClockAnchored { .. } => return,
        };
        let house = self.houses.entry(event.tenant.clone()).or_default();
        match kind.as_str() {
            REMINDER_RULE => shelve(&mut house.rules, event, (name, spec)),
            MESSAGE_TEXT => shelve(&mut house.texts, event, (name, spec)),
            "Queue" => house.staff.queues.set(name, spec.and_then(|spec| Queue::read(spec).ok())),
            _ => {}
        }
    }
}

impl House {
    /// The reminders that an event about one of them touches: itself, the digest it is told in, what it tells as one.
    fn touched(&self, id: Uuid, event: &NotifierEvent) -> Vec<Uuid> {
        let known = self.reminders.get(&id);
        let held = known.and_then(|known| known.holds.as_ref()).into_iter().flat_map(|held| &held.reminders);
        let into = match event {
            NotifierEvent::ReminderGathered { digest, .. } => Some(*digest),
            _ => known.and_then(|known| known.gathered),
        };
        std::iter::once(id).chain(held.copied()).chain(into).collect()
    }

    /// Takes an event about a reminder in.
    fn told(&mut self, id: Uuid, event: &NotifierEvent, at: Micros) {
        let Some(known) = self.reminders.get_mut(&id) else { return };
        let before = known.gathered;
        let hand = self.tickets.get(&known.ticket).and_then(|file| file.hand.as_deref());
        known.evolve(event, at, hand);
        for held in known.holds.as_ref().map(|held| held.reminders.clone()).unwrap_or_default() {
            if let Some(known) = self.reminders.get_mut(&held) {
                known.told_in(id, event, at);
            }
        }
        if let NotifierEvent::ReminderGathered { digest, .. } = event {
            self.gathered(id, *digest);
        } else if let Some(digest) = before {
            self.recount(digest);
        }
        self.taught_by(id);
        self.resent(id, event);
        self.shrink_one(id);
    }

    /// Notes that a digest tells a reminder.
    fn gathered(&mut self, id: Uuid, digest: Uuid) {
        if let Some(held) = self.reminders.get_mut(&digest).and_then(|known| known.holds.as_mut()) {
            held.reminders.push(id);
        }
        self.recount(digest);
        let Some(Reminder { to: To::Person(subject), .. }) = self.reminders.get(&id) else { return };
        self.people.entry(subject.clone()).or_default().sends_no_more(id);
    }

    /// Puts a reminder that was planned into its recipient's inbox; a digest is known by what it holds.
    fn keep(&mut self, id: Uuid, position: u64) {
        let Some(Reminder { to: To::Person(subject), urgent, send_at, holds, .. }) = self.reminders.get(&id) else {
            return;
        };
        let person = self.people.entry(subject.clone()).or_default();
        if holds.is_some() {
            person.digest = Some(id);
        } else {
            person.keep(position, id);
        }
        if !urgent {
            person.sends(*send_at, id);
        }
    }

    /// Learns that what nobody acted on before this instant was not acted on.
    fn unanswered_by(&mut self, now: Micros) {
        while let Some((until, id)) = self.teaching.first().copied().filter(|(until, _)| *until < now) {
            self.teaching.pop_first();
            self.learn(id, Some(false), until);
        }
    }

    /// Learns from how a reminder ended. That somebody else took the step, or that nothing was left to do, says nothing
    /// of its recipient; nor, until its time is up, that it escalated.
    fn taught_by(&mut self, id: Uuid) {
        let Some(Reminder { end, ended: Some((at, by_recipient)), chosen: Some(chosen), .. }) = self.reminders.get(&id)
        else {
            return;
        };
        let (at, acted) = match end {
            Some(End::Unanswered) if self.reminders.get(&id).is_some_and(|known| !known.exhausted()) => return,
            Some(End::Recalled(_)) if !by_recipient => (*at, None),
            _ => (*at, Some(*by_recipient)),
        };
        if self.teaching.remove(&(chosen.until, id)) {
            self.learn(id, acted, at);
        }
    }

    fn learn(&mut self, id: Uuid, acted: Option<bool>, at: Micros) {
        let Some(Reminder { chosen: Some(chosen), to: To::Person(subject), .. }) = self.reminders.get_mut(&id) else {
            return;
        };
        chosen.acted = acted;
        if let Some(acted) = acted {
            self.memory.learn(subject, chosen.way, acted, at);
        }
    }

    /// Notes when a reminder that was put off is sent.
    fn resent(&mut self, id: Uuid, event: &NotifierEvent) {
        let NotifierEvent::ReminderDeferred { until, .. } = event else { return };
        let Some(Reminder { to: To::Person(subject), .. }) = self.reminders.get(&id) else { return };
        self.people.entry(subject.clone()).or_default().sends(*until, id);
    }

    /// Keeps of the reminders of a ticket that ended what people may still look at.
    fn shrink(&mut self, ticket: Uuid) {
        for id in self.of_ticket.get(&ticket).cloned().unwrap_or_default() {
            self.shrink_one(id);
        }
    }

    /// As [`House::shrink`], of one: its text needs no facts that it does not name.
    fn shrink_one(&mut self, id: Uuid) {
        let Some(known) = self.reminders.get_mut(&id) else { return };
        let ended = self.tickets.get(&known.ticket).is_some_and(|file| file.ended);
        if !ended || known.end.is_none() {
            return;
        }
        let text = pinned(&self.texts, &known.text.0, known.text.1).and_then(|edition| edition.kept.as_ref());
        if let Some(text) = text {
            known.shrink(|name| text.spec.contains(name));
        }
    }

    /// Whether a reminder no longer needs to be said; a digest, once nothing of what it holds does.
    pub(crate) fn moot(&self, reminder: &Reminder) -> bool {
        if let Some(held) = &reminder.holds {
            return self.carried(held).all(|(_, known)| self.moot(known));
        }
        let file = self.tickets.get(&reminder.ticket);
        file.is_some_and(|file| file.moot(&reminder.topic(), reminder.position))
    }

    /// Whether a reminder was put off until it would come too late. Its recipient may want it again at that very instant,
    /// and no later: a snooze is cut short to it.
    pub(crate) fn overslept(&self, reminder: &Reminder) -> bool {
        let (Some(until), Some(limit)) = (reminder.waits, self.limit(reminder)) else { return false };
        limit < until || limit == until && reminder.snoozed_until != Some(until)
    }

    /// The instant from which on it is too late to say something; of a digest, the first of those of what it holds.
    fn limit(&self, reminder: &Reminder) -> Option<Micros> {
        match &reminder.holds {
            Some(held) => self.carried(held).filter_map(|(_, known)| self.limit(known)).min(),
            None => self.tickets.get(&reminder.ticket).and_then(|file| file.limit(&reminder.topic())),
        }
    }

    /// A ticket's reminders, in the order in which they were planned.
    pub(crate) fn reminders_of(&self, ticket: Uuid) -> impl DoubleEndedIterator<Item = (Uuid, &Reminder)> {
        let ids = self.of_ticket.get(&ticket).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.reminders.get(id)?)))
    }

    /// The instant from which on a reminder would come too late.
    pub(crate) fn too_late(&self, reminder: &Reminder, now: Micros) -> Option<Micros> {
        if let Some(held) = &reminder.holds {
            return self.carried(held).filter_map(|(_, known)| self.too_late(known, now)).min();
        }
        let of_topic = self.tickets.get(&reminder.ticket).and_then(|file| file.too_late(&reminder.topic(), now));
        earlier(reminder.answer_by.filter(|at| *at > now), of_topic)
    }
}

/// The earlier of two instants, where there are any.
pub(crate) fn earlier(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    one.into_iter().chain(other).min()
}

/// Adds the version that an event brought, or (without a spec) ended.
fn shelve<T>(shelf: &mut Shelf<T>, event: &Recorded, (name, spec): (&str, Option<&Value>)) {
    let kept = spec.map(|spec| Kept::new(event.version, spec));
    shelf.entry(name.to_owned()).or_default().push(Edition { position: event.position, kept });
}
