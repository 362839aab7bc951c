//! A world of one core under a clock moved by hand: what happened goes in, what people are told comes out as text.

use std::collections::{BTreeMap, BTreeSet};

use decider::{At, Core, Micros, Reaction, Read, Recorded, Stream, Tenant, Versions};
use jiff::Timestamp;
use notifier::command::Attempt;
use notifier::outbox;
use notifier::retry::{Outcome, Taken, Trouble};
use notifier::{Command, Notifier, Refusal, State};
use serde_json::{Value, json};
use ticket::dispatch::DispatchEvent;
use ticket::house::HouseEvent;
use ticket::intake::{Accountable, Attention, Channel, Contact, Impact, IntakeEvent, Priority, Request, Urgency};
use ticket::notifier::{Medium, NotifierEvent, Quiet, Recipient};
use ticket::sla::{Mark, Pinned, SlaEvent, Terms};
use ticket::{Event, Personal, stream};
use uuid::Uuid;

pub(crate) const TICKET: Uuid = Uuid::from_u128(1);
pub(crate) const VISIT: Uuid = Uuid::from_u128(9);

/// `2024-03-04 09:00` (a Monday) or `09:00` of that day, UTC.
pub(crate) fn us(text: &str) -> Micros {
    let text = if text.len() > 8 { text.replace(' ', "T") } else { format!("2024-03-04T{text}") };
    format!("{text}Z").parse::<Timestamp>().unwrap().as_microsecond()
}

pub(crate) fn tenant() -> Tenant {
    Tenant::new("acme")
}

pub(crate) fn queue(name: &str, attend_by: &str) -> Attention {
    Attention { accountable: Accountable::Queue(name.into()), attend_by: us(attend_by) }
}

pub(crate) fn person(subject: &str, attend_by: &str) -> Attention {
    Attention { accountable: Accountable::Person(subject.into()), attend_by: us(attend_by) }
}

/// A ticket of this priority in the queue `desk`.
pub(crate) fn received(priority: Priority, attend_by: &str) -> IntakeEvent {
    let subject = Uuid::from_u128(77);
    let text = |text: &str| Personal::new(subject, text.to_owned());
    let contact = Contact { name: "Doe".into(), phone: "7".into(), email: "doe@example.org".into() };
    let request = Request {
        ticket_type: "repair".into(),
        type_version: 1,
        channel: Channel::Phone,
        title: text("Printer"),
        description: text("It burns"),
        customer: None,
        contact: Some(Personal::new(subject, contact)),
        fields: BTreeMap::new(),
        impact: Impact::Person,
        urgency: Urgency::Medium,
        priority,
        queue: "desk".into(),
        zone: None,
    };
    IntakeEvent::Received { request: Box::new(request), next: queue("desk", attend_by) }
}

pub(crate) fn taken(agent: &str, attend_by: &str) -> IntakeEvent {
    IntakeEvent::TakenInCharge { agent: agent.into(), next: person(agent, attend_by) }
}

/// A clock that breaches at this instant.
pub(crate) fn started(clock: &str, since: &str, breach: &str) -> SlaEvent {
    let pinned = || Pinned { name: "standard".into(), version: 1 };
    let terms = Terms {
        policy: pinned(),
        calendar: pinned(),
        tzdb: "2026a".into(),
        budget_secs: 3_600,
        working_days: None,
        zone: None,
        escalation: None,
        major: None,
    };
    let marks = vec![Mark { share_bp: 10_000, at: us(breach) }];
    let (clock, since, began, because) = (clock.to_owned(), us(since), None, None);
    SlaEvent::ClockStarted { clock, generation: 1, terms, since, elapsed_us: 0, marks, began, because }
}

pub(crate) fn warned(clock: &str, at: &str) -> SlaEvent {
    SlaEvent::WarningRaised { clock: clock.into(), generation: 1, share_bp: 8_000, at: us(at) }
}

/// Nobody was found for a visit.
pub(crate) fn nobody(visit: Uuid) -> DispatchEvent {
    let pinned = json!({"name": "p", "version": 1});
    let weights = json!({"travel_permille": 0, "wait_permille": 0, "late_permille": 0, "load_permille": 0,
        "overskill_permille": 0, "stranger_permille": 0});
    let decision = json!({"chooser": "policy", "policy": pinned, "weights": weights, "at": 0, "candidates": 0});
    let found = json!({"visit": visit, "attempt": 1, "retry_at": us("10:00"), "decision": decision});
    serde_json::from_value(json!({ "NobodyFound": found })).unwrap()
}

/// The visit is offered to somebody.
pub(crate) fn offered(engineer: &str, respond_by: &str) -> DispatchEvent {
    let mut offered = serde_json::to_value(nobody(VISIT)).unwrap()["NobodyFound"].clone();
    let slot = json!({"from": 0, "arrive": 1, "to": 2});
    let more = json!({"engineer": engineer, "slot": slot, "respond_by": us(respond_by)});
    offered.as_object_mut().unwrap().remove("retry_at");
    offered.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json!({ "Offered": offered })).unwrap()
}

/// A text that names its facts.
pub(crate) fn text() -> Value {
    json!({"en": {"subject": "{{ kind }} {{ ticket }}", "body": "{{ type }} {{ priority }} {{ queue }} {{ at }}"},
        "zh-CN": {"subject": "工单 {{ ticket }}", "body": "{{ kind }}"}})
}

/// A rule with the text `plain` and these fields.
pub(crate) fn rule(fields: &Value) -> Value {
    let mut spec = json!({"text": "plain"});
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    spec
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: State,
    versions: Versions,
    pub(crate) now: Micros,
    pub(crate) log: Vec<Recorded<Event>>,
    claims: BTreeSet<Uuid>,
    reacted: usize,
    said: usize,
}

impl World {
    /// Ann and Bob at the desk, Sue behind them, a text, and these rules.
    pub(crate) fn with(rules: &[(&str, Value)]) -> Self {
        let mut world = Self { now: us("08:00"), ..Self::default() };
        world.apply("intake", "Queue", "desk", &json!({"members": ["ann", "bob"], "fallback": "chiefs"}));
        world.apply("intake", "Queue", "chiefs", &json!({"members": ["sue"]}));
        world.apply("notifier", "MessageText", "plain", &text());
        for (name, spec) in rules {
            world.apply("notifier", "ReminderRule", name, &rule(spec));
        }
        world.said();
        world
    }

    pub(crate) fn apply(&mut self, service: &str, kind: &str, name: &str, spec: &Value) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let stream = stream::config(service, &kind, &name);
        let spec = spec.clone();
        self.record(
            self.now,
            (stream, None),
            Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None }),
        );
        self.react();
    }

    /// Something happened at this instant and is known at once.
    pub(crate) fn on(&mut self, at: &str, event: impl Into<Happened>) -> &mut Self {
        self.until(at);
        self.quietly(at, event).react();
        self
    }

    /// Something happened and is folded, and nobody reacted yet.
    pub(crate) fn quietly(&mut self, at: &str, event: impl Into<Happened>) -> &mut Self {
        let Happened(stream, event) = event.into();
        self.record(us(at), (stream, None), event);
        self
    }

    pub(crate) fn duty(&mut self, at: &str, subject: &str, event: DispatchEvent) -> &mut Self {
        self.until(at);
        self.record(us(at), (stream::engineer(subject), None), Event::Dispatch(event));
        self
    }

    /// Lets time pass, and what falls due fire.
    pub(crate) fn until(&mut self, at: &str) -> &mut Self {
        self.now = self.now.max(us(at));
        while let Some(due) = Notifier::due(&self.state, self.now, 1).pop() {
            if self.carry_out(&due) == 0 {
                break;
            }
            self.react();
        }
        self
    }

    pub(crate) fn react(&mut self) {
        while let Some(cause) = self.log.get(self.reacted).cloned() {
            self.reacted += 1;
            for reaction in Notifier::react(&self.state, &cause) {
                self.carry_out(&reaction);
            }
        }
    }

    /// Reacts to everything once more, as one who took the lease over does.
    pub(crate) fn react_again(&mut self) {
        self.reacted = 0;
        self.react();
    }

    /// Whether this reaction wrote something before.
    pub(crate) fn carried_out(&self, reaction: &Reaction<Command>) -> bool {
        self.claims.contains(&reaction.claim(Notifier::NAME))
    }

    pub(crate) fn carry_out(&mut self, reaction: &Reaction<Command>) -> usize {
        if self.carried_out(reaction) {
            return 0;
        }
        let claim = reaction.claim(Notifier::NAME);
        let written =
            self.decide(&reaction.command, "service/notifier", (reaction.occurred_at, claim, reaction.causation));
        let written = written.unwrap();
        if written > 0 {
            self.claims.insert(claim);
        }
        written
    }

    /// Asked by somebody now; how many events that made.
    pub(crate) fn ask(&mut self, subject: &str, command: &Command) -> Result<usize, Refusal> {
        let written = self.decide(command, &format!("user/{subject}"), (self.now, Uuid::nil(), None));
        self.react();
        written
    }

    fn decide(
        &mut self,
        command: &Command,
        actor: &str,
        (occurred_at, request, causation): (Micros, Uuid, Option<Uuid>),
    ) -> Result<usize, Refusal> {
        let at = At { now: self.now, occurred_at, tenant: tenant(), actor: actor.into(), request };
        let decided = Notifier::decide(command, &Read::new(&self.state, &self.versions, &tenant()), &at)?;
        let count = decided.len();
        for (stream, event) in decided {
            self.record(occurred_at, (stream, causation), event);
        }
        Ok(count)
    }

    /// Begins every attempt that is owed, and ends each so.
    pub(crate) fn deliver(&mut self, outcome: impl Fn(&Attempt) -> Outcome) -> usize {
        let owed = outbox::owed(&self.state, self.now, 100);
        for one in &owed {
            let begun = self.ask("-", &Command::Start(one.attempt.clone())).unwrap();
            if begun == 0 {
                let Attempt { ticket, reminder, .. } = one.attempt;
                self.ask("-", &Command::Defer { ticket, reminder }).unwrap();
            } else {
                self.ask("-", &Command::Finish(one.attempt.clone(), outcome(&one.attempt))).unwrap();
            }
        }
        owed.len()
    }

    pub(crate) fn record(&mut self, occurred_at: Micros, (stream, causation): (Stream, Option<Uuid>), event: Event) {
        let position = self.log.len() as u64 + 1;
        let version = self.versions.of(&tenant(), &stream) + 1;
        self.versions.note(tenant().as_str(), stream.as_str(), version);
        self.now = self.now.max(occurred_at);
        let recorded = Recorded {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &position.to_be_bytes()),
            correlation: stream::correlation(&stream),
            causation,
            actor: "user/test".into(),
            request: Uuid::nil(),
            recorded_at: self.now,
            tenant: tenant(),
            stream,
            version,
            position,
            occurred_at,
            event,
        };
        Notifier::evolve(&mut self.state, &recorded);
        self.log.push(recorded);
    }

    /// What was recorded about reminders since this was last asked.
    pub(crate) fn said(&mut self) -> Vec<String> {
        let fresh = &self.log[self.said..];
        self.said = self.log.len();
        let events = fresh.iter().filter_map(|entry| match &entry.event {
            Event::Notifier(event) => Some(event),
            _ => None,
        });
        events.map(|event| self.told(event)).collect()
    }

    /// The reminder of this person (or `customer`) that was planned last.
    pub(crate) fn reminder(&self, whose: &str) -> Uuid {
        let found = self.planned().rfind(|(_, who, _)| who == whose);
        found.map(|(id, ..)| id).unwrap()
    }

    fn planned(&self) -> impl DoubleEndedIterator<Item = (Uuid, String, u32)> {
        self.log.iter().filter_map(|entry| match &entry.event {
            Event::Notifier(NotifierEvent::ReminderPlanned { reminder, recipient, step, .. }) => {
                let who = match recipient {
                    Recipient::Person(subject) => subject.clone(),
                    Recipient::Customer(_) => "customer".into(),
                };
                Some((*reminder, who, *step))
            }
            Event::Notifier(NotifierEvent::DigestPlanned { digest, recipient, .. }) => {
                Some((*digest, format!("{recipient}'s digest"), 0))
            }
            _ => None,
        })
    }

    pub(crate) fn who(&self, reminder: Uuid) -> String {
        self.planned().find(|(id, ..)| *id == reminder).map(|(_, who, _)| who).unwrap()
    }

    /// Somebody wants to be told so: media with an address each, in order of preference.
    pub(crate) fn set(
        &mut self,
        subject: &str,
        language: &str,
        media: &[Medium],
        change: impl Fn(&mut notifier::person::Settings),
    ) {
        let way = |medium: &Medium| notifier::person::Way {
            medium: *medium,
            digest: Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{subject}{medium:?}").as_bytes()),
            address: Personal::new(Uuid::from_u128(5), format!("{subject}@example.org")),
            secret: None,
            site: None,
        };
        let mut settings = notifier::person::Settings {
            language: language.into(),
            zone: "UTC".into(),
            quiet: None,
            hourly_cap: 0,
            important_from: None,
            ways: media.iter().map(way).collect(),
        };
        change(&mut settings);
        let subject = subject.to_owned();
        self.ask("root", &Command::SetRecipient { subject, settings }).unwrap();
        self.said();
    }
}

/// From ten in the evening to seven in the morning.
pub(crate) const NIGHT: Quiet = Quiet { from_minute: 22 * 60, to_minute: 7 * 60 };

pub(crate) fn arrived(_: &Attempt) -> Outcome {
    Outcome::Arrived(Taken { receipt: "250 ok".into(), reference: None })
}

pub(crate) fn failed(kind: &str, permanent: bool) -> Outcome {
    Outcome::Failed(Trouble { kind: kind.into(), permanent, retry_after_secs: None, gone: false })
}

/// An event with its stream.
pub(crate) struct Happened(pub(crate) Stream, pub(crate) Event);

impl From<IntakeEvent> for Happened {
    fn from(event: IntakeEvent) -> Self {
        Self(stream::ticket(TICKET), Event::Intake(event))
    }
}

impl From<SlaEvent> for Happened {
    fn from(event: SlaEvent) -> Self {
        Self(stream::sla(TICKET), Event::Sla(event))
    }
}

impl From<DispatchEvent> for Happened {
    fn from(event: DispatchEvent) -> Self {
        Self(stream::work(TICKET), Event::Dispatch(event))
    }
}
