//! A help desk in memory: a core with its documents in force, and a clock moved by hand.

use std::collections::BTreeMap;

use decider::{At, Core, Micros, Reaction, Read, Recorded, Stream, Tenant, Versions};
use intake::command::{Command, Move, Reach, Verb};
use intake::opening::Opening;
use intake::state::Ticket;
use intake::{Intake, Refusal, State};
use serde_json::{Value, json};
use ticket::Event;
use ticket::batch::Draft;
use ticket::dispatch::DispatchEvent;
use ticket::house::HouseEvent;
use ticket::intake::{Channel, FieldValue};
use uuid::Uuid;

pub(crate) const HOUR: Micros = 3_600_000_000;
/// Monday, 2026-01-05, 08:00 UTC.
pub(crate) const MONDAY: Micros = 1_767_600_000_000_000;

pub(crate) struct Desk {
    pub(crate) state: State,
    pub(crate) tenant: Tenant,
    pub(crate) now: Micros,
    /// How long before `now` the next things happened.
    pub(crate) ago: Micros,
    /// What causes the next things.
    cause: Option<Uuid>,
    versions: Versions,
    position: u64,
    requests: u64,
}

impl Desk {
    /// Without documents.
    pub(crate) fn bare() -> Self {
        let (state, versions) = (State::default(), Versions::default());
        let (now, ago, cause) = (MONDAY, 0, None);
        Self { state, tenant: Tenant::new("acme"), now, ago, cause, versions, position: 0, requests: 0 }
    }

    /// With a calendar, two queues and two ticket types.
    pub(crate) fn new() -> Self {
        let mut desk = Self::bare();
        let weekly = json!({"mon": ["08:00-16:00"], "tue": ["08:00-16:00"], "wed": ["08:00-16:00"]});
        desk.config("sla-monitor", "Calendar", "office", json!({"zone": "UTC", "weekly": weekly}));
        let within = json!({"critical": "15m", "high": "1h", "medium": "4h", "low": "8h"});
        let desk_queue = json!({"members": ["ann"], "attend_within": within, "fallback": "seniors", "horizon": "24h"});
        let asset = json!({"type": "text", "required": true, "max_length": 8});
        let fields = json!({"asset": asset, "phone": {"type": "text", "personal": true}});
        let repair = json!({"queue": "desk", "calendar": "office", "evidence_required": 1, "fields": fields});
        let drafts = [
            ("Queue", "seniors", json!({"members": ["sue"], "attend_within": "4h", "calendar": "office"})),
            ("Queue", "desk", desk_queue),
            ("TicketType", "incident", json!({"queue": "desk", "calendar": "office", "confirm_working_days": 1})),
            ("TicketType", "repair", repair),
        ];
        let drafts = drafts.into_iter().map(|(kind, name, spec)| draft(kind, name, spec)).collect();
        assert_eq!(desk.ask(&Command::Apply(drafts)).unwrap().len(), 4);
        desk
    }

    /// Decides, folds, and checks that the same decision repeated is silent.
    pub(crate) fn ask(&mut self, command: &Command) -> Result<Vec<Recorded<Event>>, Refusal> {
        self.ask_as("ann", command)
    }

    pub(crate) fn ask_as(&mut self, subject: &str, command: &Command) -> Result<Vec<Recorded<Event>>, Refusal> {
        self.requests += 1;
        let at = At {
            now: self.now,
            occurred_at: self.now - self.ago,
            tenant: self.tenant.clone(),
            actor: format!("user/{subject}"),
            request: Uuid::from_u128(self.requests.into()),
        };
        let decided = self.decide(command, &at)?;
        let events = decided.into_iter().map(|(stream, event)| self.happened(&at, stream, event)).collect();
        assert_eq!(self.decide(command, &at), Ok(Vec::new()), "repeated, it is silent: {command:?}");
        Ok(events)
    }

    pub(crate) fn decide(&self, command: &Command, at: &At) -> Result<Vec<(Stream, Event)>, Refusal> {
        Intake::decide(command, &Read::new(&self.state, &self.versions, &self.tenant), at)
    }

    /// The kinds a verb makes of a ticket.
    pub(crate) fn verb(&mut self, ticket: Uuid, verb: Verb) -> Result<Vec<String>, Refusal> {
        let events = self.ask(&Command::Move(Move { ticket, etag: None, reach: Reach::All, verb }))?;
        Ok(events.iter().map(kind).collect())
    }

    /// Opens an incident.
    pub(crate) fn incident(&mut self) -> Uuid {
        let events = self.ask(&Command::Open(Box::new(opening("incident")))).unwrap();
        events[0].correlation.unwrap()
    }

    /// Opens an incident and brings it as far as these verbs do.
    pub(crate) fn brought<const N: usize>(&mut self, verbs: [Verb; N]) -> Uuid {
        let ticket = self.incident();
        for verb in verbs {
            self.verb(ticket, verb).unwrap();
        }
        ticket
    }

    pub(crate) fn ticket(&self, id: Uuid) -> &Ticket {
        &self.state.house(&self.tenant).unwrap().tickets[&id]
    }

    pub(crate) fn phase(&self, id: Uuid) -> &'static str {
        self.ticket(id).course.phase.name()
    }

    /// Carries out everything that is due; the kinds of what came of it.
    pub(crate) fn settle(&mut self) -> Vec<String> {
        let due = Intake::due(&self.state, self.now, 100);
        let happened: Vec<_> = due.iter().flat_map(|reaction| self.carry_out(reaction)).collect();
        happened.iter().map(kind).collect()
    }

    /// Dispatch wrote this about a ticket; it happened `ago`.
    pub(crate) fn note(&mut self, ticket: Uuid, event: DispatchEvent) -> Recorded<Event> {
        let (tenant, actor, request) = (self.tenant.clone(), "service/dispatch".to_owned(), Uuid::nil());
        let at = At { now: self.now, occurred_at: self.now - self.ago, tenant, actor, request };
        self.happened(&at, ticket::stream::work(ticket), Event::Dispatch(event))
    }

    /// Reacts to something; checks that the same reaction repeated is silent.
    pub(crate) fn react(&mut self, cause: &Recorded<Event>) -> Vec<Recorded<Event>> {
        let reactions = Intake::react(&self.state, cause);
        let happened = reactions.iter().flat_map(|reaction| self.carry_out(reaction)).collect();
        for reaction in Intake::react(&self.state, cause) {
            assert!(self.carry_out(&reaction).is_empty(), "repeated, it is silent: {reaction:?}");
        }
        happened
    }

    /// Dispatch wrote this about a ticket: what comes of it.
    pub(crate) fn told(&mut self, ticket: Uuid, event: DispatchEvent) -> Vec<Recorded<Event>> {
        let cause = self.note(ticket, event);
        self.react(&cause)
    }

    pub(crate) fn carry_out(&mut self, reaction: &Reaction<Command>) -> Vec<Recorded<Event>> {
        let (tenant, request) = (reaction.tenant.clone(), reaction.claim("intake"));
        let actor = "service/intake".to_owned();
        let at = At { now: self.now, occurred_at: reaction.occurred_at, tenant, actor, request };
        self.cause = reaction.causation;
        let read = Read::new(&self.state, &self.versions, &self.tenant);
        let decided = Intake::decide(&reaction.command, &read, &at).unwrap();
        let at = At { occurred_at: read.takes_effect(at.occurred_at), ..at };
        let happened = decided.into_iter().map(|(stream, event)| self.happened(&at, stream, event)).collect();
        self.cause = None;
        happened
    }

    fn config(&mut self, owner: &str, kind: &str, name: &str, spec: Value) {
        let (tenant, actor) = (self.tenant.clone(), format!("service/{owner}"));
        let at = At { now: self.now, occurred_at: self.now, tenant, actor, request: Uuid::nil() };
        let stream = ticket::stream::config(owner, kind, name);
        let event = HouseEvent::ConfigApplied { kind: kind.into(), name: name.into(), spec, reason: None };
        self.happened(&at, stream, Event::House(event));
    }

    fn happened(&mut self, at: &At, stream: Stream, event: Event) -> Recorded<Event> {
        self.position += 1;
        let version = self.versions.of(&self.tenant, &stream) + 1;
        self.versions.note(self.tenant.as_str(), stream.as_str(), version);
        let recorded = Recorded {
            id: Uuid::from_u128(self.position.into()),
            tenant: at.tenant.clone(),
            correlation: ticket::stream::correlation(&stream),
            stream,
            version,
            position: self.position,
            occurred_at: at.occurred_at,
            recorded_at: at.now,
            actor: at.actor.clone(),
            request: at.request,
            causation: self.cause,
            event,
        };
        Intake::evolve(&mut self.state, &recorded);
        recorded
    }
}

pub(crate) fn kind(event: &Recorded<Event>) -> String {
    ticket::codec::encode(&event.event).unwrap().0
}

pub(crate) fn draft(kind: &str, name: &str, spec: Value) -> Draft {
    Draft { kind: kind.into(), name: name.into(), spec, reason: None }
}

/// What an incident or a repair is opened with.
pub(crate) fn opening(ticket_type: &str) -> Opening {
    let mut fields = BTreeMap::new();
    if ticket_type == "repair" {
        fields.insert("asset".to_owned(), FieldValue::Text("P-17".into()));
    }
    Opening {
        ticket_type: ticket_type.into(),
        channel: Channel::Phone,
        title: "The printer is on fire".into(),
        description: String::new(),
        customer: None,
        contact: None,
        fields,
        impact: None,
        urgency: None,
        priority: None,
        queue: None,
    }
}

pub(crate) fn take() -> Verb {
    Verb::Take { agent: "ann".into() }
}

pub(crate) fn resolve() -> Verb {
    Verb::Resolve { solution: "put it out".into(), evidence: vec!["photo-1".into()] }
}

pub(crate) fn close() -> Verb {
    Verb::Close { review: "well done".into() }
}

pub(crate) fn because<T>(verb: impl FnOnce(String) -> T) -> T {
    verb("because".into())
}
