//! A world of one core under a clock moved by hand: what happened goes in, what the core records comes out as text.

use std::collections::{BTreeMap, BTreeSet};

use decider::{At, Core, Micros, Reaction, Read, Recorded, Stream, Tenant, Versions};
use dispatch::command::{By, Command, Move, Verb};
use dispatch::{Dispatch, Refusal, State, duty};
use jiff::Timestamp;
use serde_json::{Value, json};
use ticket::dispatch::{DispatchEvent, Slot};
use ticket::house::HouseEvent;
use ticket::intake::{
    Accountable, Attention, Channel, FieldValue, Impact, IntakeEvent, Priority, Request, Urgency, WaitReason,
};
use ticket::{Event, Personal, stream};
use uuid::Uuid;

pub(crate) const TICKET: Uuid = Uuid::from_u128(1);

/// `2024-03-04 09:00` (a Monday) or `09:00` of that day, UTC.
pub(crate) fn us(text: &str) -> Micros {
    let text = if text.len() > 8 { text.replace(' ', "T") } else { format!("2024-03-04T{text}") };
    format!("{text}Z").parse::<Timestamp>().unwrap().as_microsecond()
}

/// Hours of one Monday-to-Friday week after the other, UTC.
pub(crate) fn shift(hours: &str) -> Value {
    let day = [hours];
    json!({"zone": "UTC", "weekly": {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}})
}

pub(crate) fn clock(at: Micros) -> String {
    Timestamp::from_microsecond(at).unwrap().strftime("%H:%M").to_string()
}

/// North of a fixed place by so many metres.
pub(crate) fn north(metres: i64) -> Value {
    json!({"lat_udeg": 50_000_000 + metres * 9, "lon_udeg": 8_000_000})
}

pub(crate) fn next() -> Attention {
    Attention { accountable: Accountable::Queue("desk".into()), attend_by: Micros::MAX }
}

pub(crate) fn request(ticket_type: &str, priority: Priority, fields: &[(&str, FieldValue)]) -> Request {
    Request {
        ticket_type: ticket_type.into(),
        type_version: 1,
        channel: Channel::Phone,
        title: Personal::new(TICKET, "a printer".into()),
        description: Personal::new(TICKET, "is silent".into()),
        customer: None,
        contact: None,
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>(),
        impact: Impact::Person,
        urgency: Urgency::Medium,
        priority,
        queue: "desk".into(),
        zone: None,
    }
}

pub(crate) fn received(ticket_type: &str) -> IntakeEvent {
    let region = ("region", FieldValue::Text("north".into()));
    let site = [("lat_udeg", FieldValue::Number(50_000_000)), ("lon_udeg", FieldValue::Number(8_000_000))];
    let fields: Vec<_> = [region].into_iter().chain(site).collect();
    IntakeEvent::Received { request: Box::new(request(ticket_type, Priority::Medium, &fields)), next: next() }
}

pub(crate) fn text(words: &str) -> Personal<String> {
    Personal::new(TICKET, words.to_owned())
}

pub(crate) fn wait_ended(reason: WaitReason, remaining: &[WaitReason]) -> IntakeEvent {
    IntakeEvent::WaitEnded { reasons: [reason].into(), remaining: remaining.iter().copied().collect(), next: next() }
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: State,
    versions: Versions,
    pub(crate) now: Micros,
    pub(crate) log: Vec<Recorded<Event>>,
    reacted: usize,
    claims: BTreeSet<Uuid>,
    asked: u128,
    said: usize,
}

impl World {
    /// Ann lives near the site, Bob 4 km and Eve 10 km away; on Monday at 08:00.
    pub(crate) fn new() -> Self {
        let mut world = Self::bare(&json!({}));
        for (name, metres) in [("ann", 1_000), ("bob", 4_000), ("eve", 10_000)] {
            world.engineer(name, &json!({"skills": {"printers": 2}, "home": north(metres), "shift": "day"}));
        }
        world.said();
        world
    }

    /// Nobody on the roster; this policy.
    pub(crate) fn bare(policy: &Value) -> Self {
        let mut world = Self { now: us("08:00"), ..Self::default() };
        world.apply("Calendar", "day", &shift("08:00-18:00"));
        world.apply("DispatchPolicy", "standard", policy);
        let job = json!({
            "ticket_type": "repair", "policy": "standard", "skills": {"printers": 1}, "duration": "1h",
            "arrive_within": "8h", "region_field": "region", "lat_field": "lat_udeg", "lon_field": "lon_udeg",
            "evidence_required": 1,
        });
        world.apply("JobType", "printer-repair", &job);
        world.said();
        world
    }

    pub(crate) fn engineer(&mut self, name: &str, spec: &Value) {
        self.apply("Engineer", name, spec);
    }

    pub(crate) fn apply(&mut self, kind: &str, name: &str, spec: &Value) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let stream = stream::config("dispatch", &kind, &name);
        let event = HouseEvent::ConfigApplied { kind, name, spec: spec.clone(), reason: None };
        self.record(self.now, stream, Event::House(event));
        self.react();
    }

    /// Something happened to the ticket at that time, after what fell due before.
    pub(crate) fn on(&mut self, at: &str, event: IntakeEvent) -> &mut Self {
        self.until(at);
        self.ticket(TICKET, event)
    }

    /// Something happens to a ticket now.
    pub(crate) fn ticket(&mut self, ticket: Uuid, event: IntakeEvent) -> &mut Self {
        self.record(self.now, stream::ticket(ticket), Event::Intake(event));
        self.react();
        self
    }

    /// Lets time pass, and what falls due fire at its time.
    pub(crate) fn until(&mut self, at: &str) -> &mut Self {
        self.pass(us(at));
        self
    }

    pub(crate) fn pass(&mut self, until: Micros) {
        while let Some(due) = Dispatch::next_due(&self.state).filter(|due| *due <= until) {
            self.now = self.now.max(due);
            let reaction = Dispatch::due(&self.state, self.now, 1).remove(0);
            assert!(self.carry_out(&reaction) > 0, "what is due must have an outcome: {reaction:?}");
            self.react();
        }
        self.now = self.now.max(until);
    }

    pub(crate) fn react(&mut self) {
        while let Some(cause) = self.log.get(self.reacted).cloned() {
            self.reacted += 1;
            for reaction in Dispatch::react(&self.state, &cause) {
                self.carry_out(&reaction);
            }
        }
    }

    fn carry_out(&mut self, reaction: &Reaction<Command>) -> usize {
        let claim = reaction.claim(Dispatch::NAME);
        if self.claims.contains(&claim) {
            return 0;
        }
        let count = self.ask(&reaction.command, reaction.occurred_at, claim).unwrap();
        // What wrote nothing left no claim.
        if count > 0 {
            self.claims.insert(claim);
        }
        count
    }

    /// Reacts once more to everything from this place of the log on, as after a crash.
    pub(crate) fn restart(&mut self, from: usize) {
        self.reacted = from;
        self.react();
    }

    /// What happened so far is not reacted to, as if every reaction had been parked.
    pub(crate) fn miss(&mut self) {
        self.reacted = self.log.len();
    }

    /// Decides and records; decided again over its own outcome, the command is silent.
    fn ask(&mut self, command: &Command, occurred_at: Micros, request: Uuid) -> Result<usize, Refusal> {
        let at = At { now: self.now, occurred_at, tenant: Tenant::new("acme"), actor: "user/test".into(), request };
        let read = Read::new(&self.state, &self.versions, &at.tenant);
        let decided = Dispatch::decide(command, &read, &at)?;
        let (count, occurred_at) = (decided.len(), read.takes_effect(occurred_at));
        for (stream, event) in decided {
            self.record(occurred_at, stream, event);
        }
        let again = Dispatch::decide(command, &Read::new(&self.state, &self.versions, &at.tenant), &at);
        assert_eq!(again, Ok(Vec::new()), "repeating is nothing: {command:?}");
        Ok(count)
    }

    pub(crate) fn record(&mut self, occurred_at: Micros, stream: Stream, event: Event) {
        let tenant = Tenant::new("acme");
        let position = self.log.len() as u64 + 1;
        let version = self.versions.of(&tenant, &stream) + 1;
        self.versions.note(tenant.as_str(), stream.as_str(), version);
        let recorded = Recorded {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &position.to_be_bytes()),
            tenant,
            correlation: stream::correlation(&stream),
            stream,
            version,
            position,
            occurred_at,
            recorded_at: self.now,
            actor: "user/test".into(),
            request: Uuid::nil(),
            causation: None,
            event,
        };
        Dispatch::evolve(&mut self.state, &recorded);
        self.log.push(recorded);
    }

    pub(crate) fn tell(&mut self, command: &Command, occurred_at: Micros) -> Result<usize, Refusal> {
        self.asked += 1;
        let outcome = self.ask(command, occurred_at, Uuid::from_u128(self.asked << 64));
        self.react();
        outcome
    }

    /// The ticket's last visit, as somebody moves it who is no dispatcher.
    pub(crate) fn does(&mut self, who: &str, verb: Verb) -> Result<usize, Refusal> {
        let now = self.now;
        self.did(who, verb, now)
    }

    /// As [`World::does`], reported late.
    pub(crate) fn did(&mut self, who: &str, verb: Verb, occurred_at: Micros) -> Result<usize, Refusal> {
        let visit = self.last_visit(TICKET);
        self.tell(&moved((TICKET, visit), By { subject: who.into(), dispatcher: false }, verb), occurred_at)
    }

    /// The ticket's last visit, as a dispatcher moves it.
    pub(crate) fn dispatcher(&mut self, verb: Verb) -> Result<usize, Refusal> {
        let (now, visit) = (self.now, self.last_visit(TICKET));
        self.tell(&moved((TICKET, visit), By { subject: "dora".into(), dispatcher: true }, verb), now)
    }

    pub(crate) fn says(&mut self, who: &str, verb: duty::Verb) -> Result<usize, Refusal> {
        let by = By { subject: who.into(), dispatcher: false };
        self.tell(&Command::Duty { subject: who.into(), by, verb }, self.now)
    }

    pub(crate) fn last_visit(&self, ticket: Uuid) -> Uuid {
        let planned = self.log.iter().rev().find_map(|recorded| match &recorded.event {
            Event::Dispatch(DispatchEvent::VisitPlanned { visit, .. }) if recorded.correlation == Some(ticket) => {
                Some(*visit)
            }
            _ => None,
        });
        planned.unwrap()
    }

    /// The last event of this kind.
    pub(crate) fn last<T>(&self, pick: impl Fn(&DispatchEvent) -> Option<T>) -> T {
        let found = self.log.iter().rev().find_map(|recorded| match &recorded.event {
            Event::Dispatch(event) => pick(event),
            _ => None,
        });
        found.unwrap()
    }

    pub(crate) fn slot(&self) -> Slot {
        self.last(|event| if let DispatchEvent::SlotHeld { slot, .. } = event { Some(*slot) } else { None })
    }

    /// What dispatch recorded since this was last asked.
    pub(crate) fn said(&mut self) -> Vec<String> {
        let new = self.log[self.said..].iter();
        let said = new.filter_map(|recorded| match &recorded.event {
            Event::Dispatch(event) => Some(told(recorded.stream.key(), event)),
            _ => None,
        });
        let said = said.collect();
        self.said = self.log.len();
        said
    }
}

pub(crate) fn moved((ticket, visit): (Uuid, Uuid), by: By, verb: Verb) -> Command {
    Command::Move(Box::new(Move { ticket, visit, etag: None, by, verb }))
}

/// An event in a few words.
fn told(key: &str, event: &DispatchEvent) -> String {
    match event {
        DispatchEvent::Routed { rule, .. } => format!("Routed {rule}"),
        DispatchEvent::VisitPlanned { number, .. } => format!("VisitPlanned {number}"),
        DispatchEvent::Offered { engineer, slot, attempt, .. } => {
            format!("Offered {engineer} {} #{attempt}", clock(slot.arrive))
        }
        DispatchEvent::Recommended { attempt, decision, .. } => {
            format!("Recommended {} #{attempt}", decision.ranked[0].engineer)
        }
        DispatchEvent::NobodyFound { attempt, .. } => format!("NobodyFound #{attempt}"),
        DispatchEvent::OfferAccepted { engineer, .. } => format!("OfferAccepted {engineer}"),
        DispatchEvent::OfferDeclined { engineer, .. } => format!("OfferDeclined {engineer}"),
        DispatchEvent::OfferExpired { engineer, .. } => format!("OfferExpired {engineer}"),
        DispatchEvent::VisitReleased { engineer, why, .. } => format!("VisitReleased {engineer} {why:?}"),
        DispatchEvent::VisitCancelled { why, .. } => format!("VisitCancelled {why:?}"),
        DispatchEvent::WorkHandedOver { from, to, .. } => format!("WorkHandedOver {from} {to}"),
        DispatchEvent::SlotHeld { .. } => format!("SlotHeld {key}"),
        DispatchEvent::SlotReleased { .. } => format!("SlotReleased {key}"),
        other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
    }
}
