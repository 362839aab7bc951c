//! A small world: its documents, its people and its open tickets, as events of a log.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Stream, Tenant};
use serde_json::{Value, json};
use sla_monitor::nminus::Failure;
use ticket::dispatch::{DispatchEvent, OffDuty, Slot};
use ticket::document::owner;
use ticket::house::HouseEvent;
use ticket::intake::{Accountable, Attention, Channel, Impact, IntakeEvent, Priority, Request, Urgency};
use ticket::notifier::{Address, Medium, NotifierEvent};
use ticket::{Event, Personal, stream};
use uuid::Uuid;

use super::person::{Duty, Person};

/// Monday, 4 March 2024, midnight UTC.
pub(super) const MONDAY: Micros = 1_709_510_400_000_000;

/// The tenant.
pub(super) fn tenant() -> Tenant {
    Tenant::new("world")
}

/// A small world.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) now: Micros,
    pub(super) people: Vec<Person>,
    pub(super) tickets: Vec<Uuid>,
    pub(super) events: Vec<(Micros, Stream, Event)>,
    documents: Vec<String>,
}

impl World {
    /// An empty one, as of an instant.
    pub(super) fn new(now: Micros) -> Self {
        Self { now, people: Vec::new(), tickets: Vec::new(), events: Vec::new(), documents: Vec::new() }
    }

    fn happen(&mut self, stream: Stream, event: Event) {
        self.events.push((self.now, stream, event));
    }

    /// Puts a document in force.
    pub(super) fn apply(&mut self, kind: &str, name: &str, spec: Value) {
        self.documents.push(format!("{kind} {name}: {spec}"));
        let stream = stream::config(owner(kind).unwrap_or_default(), kind, name);
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.happen(stream, Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None }));
    }

    /// Somebody comes, and says how they are reached.
    pub(super) fn person(&mut self, person: Person) {
        let engineer = stream::engineer(&person.name);
        match person.duty {
            Duty::Unsaid => {}
            Duty::On { until } => {
                self.happen(engineer.clone(), Event::Dispatch(DispatchEvent::DutyStarted { until: Some(until) }));
            }
            Duty::Off { back_at } => {
                let why = if back_at.is_some() { OffDuty::ShiftOver } else { OffDuty::Left };
                self.happen(engineer.clone(), Event::Dispatch(DispatchEvent::DutyEnded { why, back_at }));
            }
        }
        if let Some((from, to)) = person.off {
            self.happen(engineer, Event::Dispatch(DispatchEvent::TimeOffBooked { from, to }));
        }
        if let Some(shift) = person.shift {
            self.apply("Engineer", &person.name, json!({"shift": shift.calendar}));
        }
        let recipient = stream::recipient(&person.name);
        let address = |(medium, site): &(Medium, Option<Uuid>)| Address {
            medium: *medium,
            digest: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}{medium:?}", person.name).as_bytes()),
            address: Personal::new(Uuid::nil(), person.name.clone()),
            secret: None,
            site: *site,
        };
        let (language, zone, quiet) = ("en".to_owned(), "UTC".to_owned(), person.quiet);
        let addresses = person.ways.iter().map(address).collect();
        let set = NotifierEvent::RecipientSet { language, zone, quiet, hourly_cap: 0, important_from: None, addresses };
        self.happen(recipient.clone(), Event::Notifier(set));
        if let Some((presence, until)) = person.presence {
            self.happen(
                recipient.clone(),
                Event::Notifier(NotifierEvent::PresenceReported { presence, until, device: None }),
            );
        }
        if let Some(until) = person.dnd_until {
            self.happen(recipient, Event::Notifier(NotifierEvent::DoNotDisturbSet { until }));
        }
        self.people.push(person);
    }

    /// A ticket comes into a queue; whose turn it is, and until when.
    pub(super) fn ticket(
        &mut self,
        queue: &str,
        accountable: Accountable,
        attend_by: Micros,
        priority: Priority,
    ) -> Uuid {
        let id = Uuid::from_u128(self.tickets.len() as u128 + 1);
        let next = Attention { accountable, attend_by };
        let request = Box::new(request(queue, priority));
        self.happen(stream::ticket(id), Event::Intake(IntakeEvent::Received { request, next }));
        self.tickets.push(id);
        id
    }

    /// Somebody took a visit of a ticket on.
    pub(super) fn accepted(&mut self, ticket: Uuid, engineer: &str) {
        let (visit, engineer, depart_by) = (Uuid::from_u128(ticket.as_u128()), engineer.to_owned(), self.now);
        let slot = Slot { from: self.now, arrive: self.now, to: self.now };
        let accepted = DispatchEvent::OfferAccepted { visit, engineer, slot, depart_by };
        self.happen(stream::work(ticket), Event::Dispatch(accepted));
    }

    /// Everything that may fail by itself.
    pub(super) fn failures(&self) -> Vec<Failure> {
        let mut found = BTreeSet::from([Failure::Nothing, Failure::Channel(Medium::InApp)]);
        for person in &self.people {
            found.insert(Failure::Person(person.name.clone()));
            for (medium, site) in &person.ways {
                found.insert(Failure::Channel(*medium));
                found.extend(site.map(Failure::Site));
                found.extend([Medium::Sms, Medium::Voice].contains(medium).then_some(Failure::Telephone));
            }
        }
        found.into_iter().collect()
    }

    /// The persons and media that take nothing, were this to fail; the inbox always takes.
    pub(super) fn broken(&self, failure: &Failure) -> BTreeSet<(String, Medium)> {
        let ways = self.people.iter().flat_map(|person| person.ways.iter().map(move |way| (person, way)));
        let breaks = |medium: Medium, site: Option<Uuid>| match failure {
            Failure::Nothing | Failure::Person(_) => false,
            Failure::Channel(one) => *one == medium,
            Failure::Telephone => medium == Medium::Sms || medium == Medium::Voice,
            Failure::Site(one) => site == Some(*one),
        };
        let broken = ways.filter(|(_, (medium, site))| breaks(*medium, *site));
        broken.map(|(person, (medium, _))| (person.name.clone(), *medium)).collect()
    }

    /// What it is made of.
    pub(super) fn told(&self) -> String {
        let people = self.people.iter().map(|person| format!("{person:?}"));
        let all = self.documents.iter().cloned().chain(people);
        let tickets = self.events.iter().filter(|(_, stream, _)| stream::correlation(stream).is_some());
        let tickets = tickets.map(|(_, stream, event)| format!("{stream} {event:?}"));
        format!("now {}\n{}", self.now, all.chain(tickets).collect::<Vec<_>>().join("\n"))
    }
}

fn request(queue: &str, priority: Priority) -> Request {
    let text = |text: &str| Personal::new(Uuid::nil(), text.to_owned());
    Request {
        ticket_type: "incident".into(),
        type_version: 1,
        channel: Channel::Phone,
        title: text("no paper"),
        description: text("none"),
        customer: None,
        contact: None,
        fields: BTreeMap::new(),
        impact: Impact::Person,
        urgency: Urgency::Medium,
        priority,
        queue: queue.to_owned(),
        zone: None,
    }
}
