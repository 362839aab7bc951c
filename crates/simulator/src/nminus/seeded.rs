//! Worlds without a hole, and the same with one that was put there: what it is, which failures open it, for which ticket.

use decider::Micros;
use fastrand::Rng;
use serde_json::{Value, json};
use sla_monitor::nminus::Failure;
use ticket::intake::{Accountable, Priority};
use ticket::notifier::Medium;
use uuid::Uuid;

use super::made::{SHIFTS, calendars, pick};
use super::person::{Duty, Person};
use super::world::{MONDAY, World};

const HOUR_US: Micros = 3_600 * 1_000_000;
/// The queue with the hole.
const LOST: &str = "lost";

/// A hole that was put there.
pub(super) struct Hole {
    pub(super) kind: &'static str,
    pub(super) failures: Vec<Failure>,
    pub(super) ticket: Uuid,
}

/// A document: kind, name and spec.
type Document = (&'static str, &'static str, Value);

/// What is wrong with the queue: its members, who steps in, how it is told.
struct Flaw {
    kind: &'static str,
    people: Vec<Person>,
    fallback: Option<&'static str>,
    /// What speaks of it; a rule that may use any medium, where nothing is said.
    documents: Option<Vec<Document>>,
    /// How long its ticket has, hours.
    hours: i64,
    failures: Vec<Failure>,
}

/// How many kinds of flaws there are.
const KINDS: u64 = 13;

/// A seed's world, without a hole and with one.
pub(super) fn worlds(seed: u64) -> (World, World, Hole) {
    let mut dice = Rng::with_seed(seed);
    let now = MONDAY + dice.i64(0..5 * 24 * 60) * 60_000_000;
    let flaw = flaw(seed % KINDS, now, &mut dice);
    let mut sound = base(now, &mut dice);
    let mut flawed = sound.clone();
    lay(&mut sound, &repaired(), &mut dice.clone());
    let ticket = lay(&mut flawed, &flaw, &mut dice);
    (sound, flawed, Hole { kind: flaw.kind, failures: flaw.failures, ticket })
}

/// A queue without a flaw: two people by different ways.
fn repaired() -> Flaw {
    let people = vec![Person::new("lena", &[Medium::Email, Medium::Sms]), Person::new("lars", &[Medium::Webhook])];
    Flaw { kind: "none", people, fallback: None, documents: None, hours: 2, failures: Vec::new() }
}

/// Queues, people and tickets around it.
fn base(now: Micros, dice: &mut Rng) -> World {
    let mut world = World::new(now);
    calendars(&mut world);
    let clock = json!({"target": pick(dice, &["2h", "30h"]), "marks": [50]});
    let every = pick(dice, &["1h", "4h", "11h"]);
    let mut policy = json!({"calendar": pick(dice, &["always", "office"]), "clocks": {"repair": clock},
        "attention": {"every": every}});
    policy["match"] = json!({"when": "ticket.queue != 'lost'"});
    world.apply("SlaPolicy", "standard", policy);
    world.apply("MessageText", "told", json!({"en": {"subject": "{{ ticket }}", "body": "{{ kind }}"}}));
    let mut rule =
        json!({"on": ["AttentionMissed"], "audience": {"woken": true}, "text": "told", "urgent": dice.bool()});
    if dice.bool() {
        (rule["answer_within"], rule["escalate_to"]) = (json!("30m"), json!("chiefs"));
    }
    // Whoever is told when the queue does not answer would close its hole.
    rule["when"] = json!("ticket.queue != 'lost'");
    world.apply("ReminderRule", "missed", rule);
    let breached = json!({"on": ["Breached"], "audience": {"accountable": true}, "text": "told", "when": "ticket.queue != 'lost'"});
    world.apply("ReminderRule", "breached", breached);
    for (queue, fallback, names) in
        [("desk", Some("chiefs"), ["ann", "bob"]), ("second", None, ["chen", "dora"]), ("chiefs", None, ["sue", "tom"])]
    {
        let mut spec = json!({"members": names, "horizon": pick(dice, &["4h", "24h"])});
        if let Some(fallback) = fallback {
            spec["fallback"] = json!(fallback);
        }
        world.apply("Queue", queue, spec);
        world.person(Person::new(names[0], &[Medium::Email, Medium::Sms]));
        world.person(Person::new(names[1], &[pick(dice, &[Medium::Webhook, Medium::Voice, Medium::Email])]));
    }
    for _ in 0..dice.usize(1..6) {
        let queue = pick(dice, &["desk", "second", "chiefs"]);
        let owed = if dice.bool() { Accountable::Queue(queue.into()) } else { Accountable::Person("ann".into()) };
        let attend_by = now + dice.i64(1..40) * HOUR_US;
        world.ticket(queue, owed, attend_by, pick(dice, &[Priority::Low, Priority::High]));
    }
    world
}

/// Puts the queue with its people and its ticket into a world.
fn lay(world: &mut World, flaw: &Flaw, dice: &mut Rng) -> Uuid {
    let members: Vec<_> = flaw.people.iter().map(|person| person.name.clone()).collect();
    let own = |person: &&String| !person.starts_with("deputy") && !person.starts_with("caller");
    let mut spec = json!({"members": members.iter().filter(own).collect::<Vec<_>>(), "horizon": "24h"});
    if let Some(fallback) = flaw.fallback {
        spec["fallback"] = json!(fallback);
        world.apply("Queue", fallback, json!({"members": ["deputy"]}));
    }
    world.apply("Queue", LOST, spec);
    for person in &flaw.people {
        world.person(person.clone());
    }
    for (kind, name, spec) in flaw.documents.clone().unwrap_or_else(|| vec![rule(&[], dice.bool())]) {
        world.apply(kind, name, spec);
    }
    let owed = Accountable::Queue(LOST.into());
    let attend_by = world.now + flaw.hours * HOUR_US - dice.i64(0..HOUR_US / 2);
    world.ticket(LOST, owed, attend_by, Priority::High)
}

fn person_of(name: &str) -> Person {
    Person::new(name, &[Medium::Email, Medium::Sms])
}

/// A rule that speaks of the queue by these media, by any if none is named.
fn rule(media: &[&str], urgent: bool) -> Document {
    let mut spec = json!({"on": ["AttentionMissed"], "audience": {"woken": true}, "text": "told", "urgent": urgent,
        "when": "ticket.queue == 'lost'"});
    if !media.is_empty() {
        spec["media"] = json!(media);
    }
    ("ReminderRule", LOST, spec)
}

fn failing(name: &str) -> Failure {
    Failure::Person(name.to_owned())
}

fn new(kind: &'static str, people: Vec<Person>, failures: Vec<Failure>) -> Flaw {
    Flaw { kind, people, fallback: None, documents: None, hours: 2, failures }
}

/// Two people, reached by the same media.
fn two(media: &[Medium]) -> Vec<Person> {
    vec![Person::new("lena", media), Person::new("lars", media)]
}

/// What is wrong with who is there; or else with how they are reached.
fn flaw(kind: u64, now: Micros, dice: &mut Rng) -> Flaw {
    let gone = Person { duty: Duty::Off { back_at: None }, ..person_of("lena") };
    let later = Duty::Off { back_at: Some(now + 73 * HOUR_US + dice.i64(0..HOUR_US)) };
    let weekend = SHIFTS.into_iter().find(|shift| shift.calendar == "weekend");
    // On Monday there are more than 72 hours until the weekend.
    let shift = weekend.filter(|_| now < MONDAY + 24 * HOUR_US);
    match kind {
        0 => new("a queue without a member", Vec::new(), vec![Failure::Nothing]),
        1 => new("a queue whose member left", vec![gone], vec![Failure::Nothing]),
        2 => new("a queue of one", vec![person_of("lena")], vec![failing("lena")]),
        3 => {
            let people = vec![Person { duty: later, ..person_of("lars") }, person_of("lena")];
            new("a queue of one and one who is off duty", people, vec![failing("lena")])
        }
        4 => {
            let off = Some((now, now + 80 * HOUR_US)).filter(|_| shift.is_none());
            let people = vec![Person { shift, off, ..person_of("lars") }, person_of("lena")];
            new("a queue of one and one whom the roster has elsewhere", people, vec![failing("lena")])
        }
        5 => {
            let people = vec![gone, person_of("deputy")];
            Flaw { fallback: Some("deputies"), ..new("one who steps in", people, vec![failing("deputy")]) }
        }
        6 => called(new("a call of one", vec![person_of("caller")], vec![failing("caller")])),
        _ => narrow(kind, dice),
    }
}

/// What is wrong with how people are reached, and by when.
fn narrow(kind: u64, dice: &mut Rng) -> Flaw {
    let by = |flaw: Flaw, media: &[&str], urgent: bool| Flaw { documents: Some(vec![rule(media, urgent)]), ..flaw };
    match kind {
        7 => {
            let flaw = new("a queue no rule speaks of", two(&[Medium::Email]), vec![Failure::Nothing]);
            Flaw { documents: Some(Vec::new()), ..flaw }
        }
        8 => {
            let failures = vec![Failure::Channel(Medium::Email)];
            by(new("a rule of one channel", two(&[Medium::Email, Medium::Sms]), failures), &["email"], dice.bool())
        }
        9 => {
            let people = two(&[Medium::Sms, Medium::Voice]);
            by(new("a rule of one provider", people, vec![Failure::Telephone]), &["sms", "voice"], true)
        }
        10 => {
            let site = Uuid::from_u128(dice.u128(1..1_000));
            let mut people = two(&[]);
            for one in &mut people {
                one.ways = vec![(Medium::Webhook, Some(site))];
            }
            let failures = vec![Failure::Channel(Medium::Webhook), Failure::Site(site)];
            by(new("addresses at one host", people, failures), &["webhook"], dice.bool())
        }
        11 => new("people without an address", two(&[]), vec![Failure::Channel(Medium::InApp)]),
        _ => Flaw { hours: 100, ..new("a step too far away", two(&[Medium::Email]), vec![Failure::Nothing]) },
    }
}

/// A queue without a member, of which somebody is called when a clock breaches.
fn called(flaw: Flaw) -> Flaw {
    let rota = json!({"zone": "UTC", "shifts": [
        {"name": "turns", "people": ["caller"], "from": "2024-01-01", "hand_over": "09:00"}]});
    let calls =
        json!({"steps": [{"rota": "turns", "acknowledge_within": "30m"}], "acknowledged_for": "2h", "fallback": LOST});
    let policy = json!({"calendar": "always", "match": {"when": "ticket.queue == 'lost'"}, "escalation": "calls",
        "clocks": {"repair": {"target": "1h"}}});
    let rule = json!({"on": ["EscalationRaised"], "audience": {"woken": true}, "text": "told", "urgent": true});
    let documents = vec![
        ("Rota", "turns", rota),
        ("Escalation", "calls", calls),
        ("SlaPolicy", LOST, policy),
        ("ReminderRule", "called", rule),
    ];
    Flaw { documents: Some(documents), ..flaw }
}
