//! A house of people whose tickets' clocks warn them: notifier's core run over it under a clock moved by hand.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Recorded, Stream, Tenant};
use fastrand::Rng;
use notifier::Command;
use notifier::alone::Alone;
use notifier::person::{Settings, Way};
use serde_json::{Value, json};
use ticket::house::HouseEvent;
use ticket::intake::{Accountable, Attention, Channel, Impact, IntakeEvent, Priority, Request, Urgency};
use ticket::notifier::{Medium, NotifierEvent, Quiet};
use ticket::sla::{Mark, Pinned, SlaEvent, Terms};
use ticket::{Event, Personal, stream};
use uuid::Uuid;

use super::Run;
use super::check::{self, QUIET, Wanted};
use super::people::{A_DAY, MEDIA, PEOPLE, Somebody};

/// The rule under test.
pub(super) const RULE: &str = "warned";
/// The clock that warns.
const CLOCK: &str = "resolution";
/// Monday, 4 March 2024, midnight UTC.
const MONDAY: Micros = 1_709_510_400_000_000;
const MINUTE_US: Micros = 60_000_000;
const DAY_MINUTES: i64 = 24 * 60;
/// What somebody did no later than this counts as acted on: notifier's own default.
const WITHIN_US: Micros = 240 * MINUTE_US;
/// How long before a breach its warning comes, minutes.
const SLACKS: [i64; 6] = [20, 60, 180, 360, 600, 900];

/// The tenant.
pub(super) fn tenant() -> Tenant {
    Tenant::new("house")
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// A ticket's clock warns.
    Warning(usize),
    /// Its person acts on the reminder: takes the step itself, or acknowledges.
    Acting { ticket: usize, takes_step: bool },
}

/// A ticket whose clock warns once.
#[derive(Clone, Debug)]
struct Warned {
    person: usize,
    wanted: Wanted,
    reminder: Option<Uuid>,
    /// Whether the reminder goes into the inbox first.
    by_inbox: bool,
    sent: u32,
    acted: bool,
}

/// The house under way.
pub(super) struct House {
    seed: u64,
    people: Vec<Somebody>,
    tickets: Vec<Warned>,
    /// The ticket of each reminder.
    of_reminder: BTreeMap<Uuid, usize>,
    /// The tickets that a digest tells of.
    of_digest: BTreeMap<Uuid, Vec<usize>>,
    /// Messages by person, day of their clock and medium.
    told: BTreeMap<(usize, i64, Medium), u32>,
    agenda: BTreeSet<(Micros, Next)>,
    position: u64,
    violations: Vec<String>,
    pub(super) core: Alone,
    /// Everything that happened.
    pub(super) log: Vec<Recorded<Event>>,
}

impl House {
    /// A seed's people over so many days, with nights or without, under this rule.
    pub(super) fn new(seed: u64, (days, nights): (u32, bool), rule: &Value) -> Self {
        let people: Vec<_> = (0..PEOPLE).map(|n| Somebody::of(seed, n, days)).collect();
        let mut house = Self {
            seed,
            tickets: warnings(seed, (days, nights), &people),
            people,
            of_reminder: BTreeMap::new(),
            of_digest: BTreeMap::new(),
            told: BTreeMap::new(),
            agenda: BTreeSet::new(),
            position: 0,
            violations: Vec::new(),
            core: Alone::default(),
            log: Vec::new(),
        };
        house.agenda = (0..).zip(&house.tickets).map(|(n, one)| (one.wanted.at, Next::Warning(n))).collect();
        let text = json!({"en": {"subject": "{{ ticket }}", "body": "{{ clock }}"}});
        for (kind, name, spec) in [("MessageText", "told", &text), ("ReminderRule", RULE, rule)] {
            let applied =
                HouseEvent::ConfigApplied { kind: kind.into(), name: name.into(), spec: spec.clone(), reason: None };
            let stream = stream::config("notifier", kind, name);
            house.happen(MONDAY - DAY_MINUTES * MINUTE_US, "user/root", stream, Event::House(applied));
        }
        for person in house.people.clone() {
            let (subject, settings) = (person.name.clone(), settings(&person));
            // What the core refuses it has not: the checks would tell.
            let _set = house.core.ask((&tenant(), "root"), &Command::SetRecipient { subject, settings });
        }
        house.notice();
        house
    }

    /// Lets everything happen.
    pub(super) fn play(&mut self) {
        loop {
            let planned = self.agenda.first().map(|(at, _)| *at);
            let Some(at) = planned.into_iter().chain(self.core.next()).min() else { break };
            self.core.pass(at);
            self.notice();
            while let Some(&(due, next)) = self.agenda.first().filter(|(due, _)| *due <= at) {
                self.agenda.pop_first();
                match next {
                    Next::Warning(ticket) => self.warn(ticket, due),
                    Next::Acting { ticket, takes_step } => self.act(ticket, takes_step, due),
                }
                self.notice();
            }
            // What was just planned may be owed at once.
            self.core.pass(at);
            self.notice();
        }
    }

    /// What came of it.
    pub(super) fn came(self) -> Run {
        let mut run = Run { wanted: self.tickets.len() as u64, violations: self.violations, ..Run::default() };
        for one in &self.tickets {
            run.sent += u64::from(one.sent);
            *run.acted.entry(self.people[one.person].name.clone()).or_default() += u64::from(one.acted);
            if one.sent != 1 {
                run.violations.push(format!(
                    "{} was sent {} messages of {:?}",
                    self.people[one.person].name, one.sent, one.wanted
                ));
            }
        }
        run
    }

    fn happen(&mut self, at: Micros, actor: &str, stream: Stream, event: Event) {
        self.position += 1;
        let position = self.position;
        let event = Recorded {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &position.to_be_bytes()),
            tenant: tenant(),
            correlation: stream::correlation(&stream),
            stream,
            version: position,
            position,
            occurred_at: at,
            recorded_at: at,
            actor: actor.into(),
            request: Uuid::nil(),
            causation: None,
            event,
        };
        self.core.happen(&event);
        self.log.push(event);
    }

    /// A ticket comes in, its clock starts, and warns.
    fn warn(&mut self, ticket: usize, at: Micros) {
        let Warned { person, wanted, .. } = self.tickets[ticket].clone();
        let id = ticket_id(ticket);
        let next = attention(&self.people[person].name, wanted.breach_at);
        let received = IntakeEvent::Received { request: Box::new(request()), next };
        self.happen(at, "user/desk", stream::ticket(id), Event::Intake(received));
        let marks = vec![Mark { share_bp: 10_000, at: wanted.breach_at }];
        let (clock, generation) = (CLOCK.to_owned(), 1);
        let (since, elapsed_us, began, because) = (at, 0, None, None);
        let terms = terms();
        let started = SlaEvent::ClockStarted { clock, generation, terms, since, elapsed_us, marks, began, because };
        self.happen(at, "service/sla-monitor", stream::sla(id), Event::Sla(started));
        let warned = SlaEvent::WarningRaised { clock: CLOCK.into(), generation: 1, share_bp: 8_000, at };
        self.happen(at, "service/sla-monitor", stream::sla(id), Event::Sla(warned));
    }

    /// The recipient acts.
    fn act(&mut self, ticket: usize, takes_step: bool, at: Micros) {
        let Warned { person, reminder, wanted, .. } = self.tickets[ticket].clone();
        let (id, name) = (ticket_id(ticket), self.people[person].name.clone());
        if takes_step {
            let taken = IntakeEvent::TakenInCharge { agent: name.clone(), next: attention(&name, wanted.breach_at) };
            self.happen(at, &format!("user/{name}"), stream::ticket(id), Event::Intake(taken));
            let (clock, since, because) = (CLOCK.to_owned(), at, None);
            let stopped = SlaEvent::ClockStopped { clock, generation: 1, since, elapsed_us: 0, met: true, because };
            self.happen(at, "service/sla-monitor", stream::sla(id), Event::Sla(stopped));
        } else if let Some(reminder) = reminder {
            let _told = self.core.ask((&tenant(), &name), &Command::Acknowledge { ticket: id, reminder });
        }
        self.tickets[ticket].acted |= at <= wanted.at + WITHIN_US;
    }

    /// Looks at what the core recorded: what reached somebody they may act on.
    fn notice(&mut self) {
        for event in self.core.recorded() {
            let at = event.recorded_at;
            match &event.event {
                Event::Notifier(NotifierEvent::ReminderPlanned { reminder, media, deferred, .. }) => {
                    let ticket = event.correlation.map_or(0, |id| usize::try_from(id.as_u128()).unwrap_or_default());
                    let by_inbox = media.first() == Some(&Medium::InApp);
                    (self.tickets[ticket].reminder, self.tickets[ticket].by_inbox) = (Some(*reminder), by_inbox);
                    self.of_reminder.insert(*reminder, ticket);
                    if by_inbox && deferred.is_none() {
                        self.reached(ticket, Medium::InApp, at);
                    }
                }
                Event::Notifier(NotifierEvent::ReminderResumed { reminder }) => {
                    let ticket = self.of_reminder[reminder];
                    if self.tickets[ticket].by_inbox {
                        self.reached(ticket, Medium::InApp, at);
                    }
                }
                Event::Notifier(NotifierEvent::ReminderGathered { reminder, digest }) => {
                    let ticket = self.of_reminder[reminder];
                    self.of_digest.entry(*digest).or_default().push(ticket);
                }
                Event::Notifier(NotifierEvent::AttemptSucceeded { reminder, medium, .. }) => {
                    // What a digest tells is read piece by piece, and tires as much.
                    let told = self.of_digest.remove(reminder);
                    for ticket in told.unwrap_or_else(|| vec![self.of_reminder[reminder]]) {
                        self.reached(ticket, *medium, at);
                    }
                }
                _ => {}
            }
            self.log.push(event);
        }
    }

    /// A message reached its recipient: whether they act on it is drawn from the seed, the ticket and nothing else, so that
    /// it is the same draw however they are told.
    fn reached(&mut self, ticket: usize, medium: Medium, at: Micros) {
        let Warned { person: n, wanted, .. } = self.tickets[ticket];
        let person = &self.people[n];
        self.violations.extend(check::wrong(person, wanted, medium, at));
        let hours = check::local_hours(person, at);
        let day = hours.div_euclid(24);
        let told = |medium: Medium| self.told.get(&(n, day, medium)).copied().unwrap_or_default();
        let all: u32 = MEDIA.into_iter().map(told).sum();
        let counts = (told(medium), all - told(medium));
        let start = MONDAY.div_euclid(DAY_MINUTES * MINUTE_US);
        let acts_bp = person.acts_bp(medium, (day - start, hours.rem_euclid(24)), counts);
        *self.told.entry((n, day, medium)).or_default() += 1;
        self.tickets[ticket].sent += 1;
        let mut dice = Rng::with_seed(self.seed.wrapping_mul(0xd134_2543_de82_ef95) ^ ((ticket as u64) << 8));
        if dice.u64(..10_000) < acts_bp {
            let takes_step = dice.bool();
            let acting = Next::Acting { ticket, takes_step };
            self.agenda.insert((at + dice.i64(2..=40) * MINUTE_US, acting));
        }
    }
}

/// The warnings of every person's day, somewhere between eight and six of their clock, and, with nights, one in twenty of
/// them in the evening.
fn warnings(seed: u64, (days, nights): (u32, bool), people: &[Somebody]) -> Vec<Warned> {
    let mut dice = Rng::with_seed(seed);
    let mut found = Vec::new();
    for day in 0..i64::from(days) {
        for (n, person) in people.iter().enumerate() {
            for _ in 0..A_DAY {
                let by_night = dice.u8(..20) == 0 && nights;
                let minute = if by_night { dice.i64(20 * 60..23 * 60) } else { dice.i64(8 * 60..18 * 60) };
                let local = day * DAY_MINUTES + minute - person.ahead_hours * 60;
                let at = MONDAY + local * MINUTE_US + dice.i64(0..MINUTE_US);
                let breach_at = at + SLACKS[dice.usize(..SLACKS.len())] * MINUTE_US;
                let wanted = Wanted { at, breach_at };
                found.push(Warned { person: n, wanted, reminder: None, by_inbox: false, sent: 0, acted: false });
            }
        }
    }
    found
}

fn ticket_id(ticket: usize) -> Uuid {
    Uuid::from_u128(ticket as u128)
}

fn attention(person: &str, attend_by: Micros) -> Attention {
    Attention { accountable: Accountable::Person(person.to_owned()), attend_by }
}

fn settings(person: &Somebody) -> Settings {
    let minute = |hour: i64| u16::try_from(hour * 60).unwrap_or_default();
    let address = |medium: &Medium| Way {
        medium: *medium,
        digest: Uuid::nil(),
        address: Personal::new(Uuid::nil(), person.name.clone()),
        secret: None,
        site: None,
    };
    Settings {
        language: "en".into(),
        zone: person.zone.into(),
        quiet: Some(Quiet { from_minute: minute(QUIET.0), to_minute: minute(QUIET.1) }),
        hourly_cap: 0,
        important_from: None,
        ways: MEDIA.iter().filter(|medium| **medium != Medium::InApp).map(address).collect(),
    }
}

fn request() -> Request {
    let text = || Personal::new(Uuid::nil(), String::new());
    Request {
        zone: None,
        ticket_type: "repair".into(),
        type_version: 1,
        channel: Channel::Phone,
        title: text(),
        description: text(),
        customer: None,
        contact: None,
        fields: BTreeMap::new(),
        impact: Impact::Person,
        urgency: Urgency::Medium,
        priority: Priority::Medium,
        queue: "desk".into(),
    }
}

fn terms() -> Terms {
    let pinned = || Pinned { name: "standard".into(), version: 1 };
    Terms {
        policy: pinned(),
        calendar: pinned(),
        tzdb: "2026a".into(),
        budget_secs: 3_600,
        working_days: None,
        zone: None,
        escalation: None,
        major: None,
    }
}
