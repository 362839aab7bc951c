//! Worlds drawn from seeds: whatever may matter to who is woken is drawn in some of them.

use decider::Micros;
use fastrand::Rng;
use serde_json::{Value, json};
use ticket::intake::{Accountable, Priority};
use ticket::notifier::{Medium, Presence, Quiet};
use uuid::Uuid;

use super::person::{Duty, Person, Shift};
use super::world::{MONDAY, World};

const HOUR_US: Micros = 3_600 * 1_000_000;
const MINUTE_US: Micros = 60 * 1_000_000;
const NAMES: [&str; 5] = ["ann", "bob", "chen", "dora", "emil"];
const QUEUES: [&str; 3] = ["desk", "second", "chiefs"];
const ADDRESSED: [Medium; 4] = [Medium::Email, Medium::Webhook, Medium::Sms, Medium::Voice];
const WEEK: [(&str, i64); 7] = [("thu", 0), ("fri", 1), ("sat", 2), ("sun", 3), ("mon", 4), ("tue", 5), ("wed", 6)];
/// The shifts of the roster, the same in the calendars.
pub(super) const SHIFTS: [Shift; 3] = [
    Shift { calendar: "office", from_hour: 9, to_hour: 17, weekdays: &[4, 5, 6, 0, 1] },
    Shift { calendar: "mornings", from_hour: 5, to_hour: 12, weekdays: &[0, 1, 2, 3, 4, 5, 6] },
    Shift { calendar: "weekend", from_hour: 0, to_hour: 24, weekdays: &[2, 3] },
];

/// The world of a seed.
pub(super) fn world(seed: u64) -> World {
    let mut dice = Rng::with_seed(seed);
    let now = MONDAY + dice.i64(0..7 * 24 * 60) * MINUTE_US + dice.i64(0..MINUTE_US);
    let mut world = World::new(now);
    documents(&mut world, &mut dice);
    for name in NAMES {
        let person = person(name, now, &mut dice);
        world.person(person);
    }
    for _ in 0..dice.usize(1..4) {
        let queue = pick(&mut dice, &QUEUES);
        let owed = match dice.u8(..3) {
            0 => Accountable::Person(pick(&mut dice, &NAMES).into()),
            _ => Accountable::Queue(queue.into()),
        };
        let hours = [1, 6, 30, 70, 80][dice.usize(..5)];
        let attend_by = now + dice.i64(1..hours * 60) * MINUTE_US;
        let priority = pick(&mut dice, &[Priority::Low, Priority::High]);
        let ticket = world.ticket(queue, owed, attend_by, priority);
        if dice.u8(..3) == 0 {
            world.accepted(ticket, pick(&mut dice, &NAMES));
        }
    }
    world
}

pub(super) fn pick<T: Copy>(dice: &mut Rng, from: &[T]) -> T {
    from[dice.usize(..from.len())]
}

/// Calendars of the shifts, and one that is always open.
pub(super) fn calendars(world: &mut World) {
    for shift in SHIFTS {
        let hours = format!("{:02}:00-{:02}:00", shift.from_hour, shift.to_hour);
        world.apply("Calendar", shift.calendar, json!({"zone": "UTC", "weekly": week(&hours, shift.weekdays)}));
    }
    world.apply("Calendar", "always", json!({"zone": "UTC", "weekly": week("00:00-24:00", &[0, 1, 2, 3, 4, 5, 6])}));
}

fn week(hours: &str, weekdays: &[i64]) -> Value {
    let days = WEEK.into_iter().filter(|(_, day)| weekdays.contains(day));
    Value::Object(days.map(|(name, _)| (name.to_owned(), json!([hours]))).collect())
}

fn documents(world: &mut World, dice: &mut Rng) {
    calendars(world);
    for (n, name) in QUEUES.into_iter().enumerate() {
        let members: Vec<_> = NAMES.into_iter().filter(|_| dice.u8(..10) < 3).collect();
        let mut spec = json!({"members": members, "horizon": pick(dice, &["4h", "24h", "72h"])});
        if let Some(next) = QUEUES.get(n + 1).filter(|_| dice.bool()) {
            spec["fallback"] = json!(next);
        }
        world.apply("Queue", name, spec);
    }
    let shift = json!({"name": "turns", "people": [pick(dice, &NAMES), pick(dice, &NAMES)], "from": "2024-03-01",
        "turn_days": 1, "hand_over": "09:00", "hours": pick(dice, &["00:00-12:00", "20:00-08:00"])});
    world.apply("Rota", "turns", json!({"zone": "Europe/Berlin", "shifts": [shift]}));
    let mut steps: Vec<Value> = Vec::new();
    for _ in 0..dice.usize(1..4) {
        let mut step = match dice.u8(..5) {
            0 => json!({"accountable": true}),
            1 => json!({"desk": true}),
            2 => json!({"person": pick(dice, &NAMES)}),
            3 => json!({"queue": pick(dice, &QUEUES)}),
            _ => json!({"rota": "turns"}),
        };
        step["acknowledge_within"] = json!(pick(dice, &["15m", "3h"]));
        steps.push(step);
    }
    let fallback = pick(dice, &QUEUES);
    let escalation = json!({"after": pick(dice, &["0s", "1h"]), "steps": steps, "repeat": dice.u8(..2),
        "acknowledged_for": "2h", "fallback": fallback});
    world.apply("Escalation", "calls", escalation);
    let target = format!("{}h", pick(dice, &[1, 5, 20, 60]));
    let clock = json!({"target": target, "marks": [50]});
    let every = pick(dice, &["1h", "4h", "13h"]);
    let mut policy = json!({"calendar": pick(dice, &["always", "office"]), "clocks": {"repair": clock}, "attention": {"every": every}});
    if dice.bool() {
        policy["escalation"] = json!("calls");
    }
    world.apply("SlaPolicy", "standard", policy);
    rules(world, dice);
}

fn rules(world: &mut World, dice: &mut Rng) {
    let text = json!({"en": {"subject": "{{ ticket }}", "body": "{{ kind }}"}});
    world.apply("MessageText", "told", text);
    for (name, on, audiences) in [
        ("missed", "AttentionMissed", &["woken", "accountable", "engineer", "queue"][..]),
        ("breached", "Breached", &["accountable", "queue"]),
        ("warned", "Warning*", &["accountable", "engineer"]),
        ("called", "EscalationRaised", &["woken"]),
    ] {
        if dice.u8(..10) < 3 {
            continue;
        }
        let audience = match pick(dice, audiences) {
            "queue" => json!({"queue": pick(dice, &QUEUES)}),
            flag => json!({flag: true}),
        };
        let mut rule = json!({"on": [on], "audience": audience, "text": "told", "urgent": dice.bool()});
        let conditions = [
            "ticket.priority == 'high'",
            "ticket.queue == 'desk'",
            "event.kind != 'x'",
            "has(event.step) && event.step > 1",
        ];
        if dice.u8(..4) == 0 {
            rule["when"] = json!(pick(dice, &conditions));
        }
        if dice.bool() {
            rule["answer_within"] = json!(pick(dice, &["10m", "6h"]));
        }
        if dice.u8(..3) == 0 {
            rule["escalate_to"] = json!(pick(dice, &QUEUES));
        }
        if dice.u8(..4) == 0 {
            rule["next_medium_after"] = json!(pick(dice, &["5m", "9h"]));
        }
        if dice.bool() {
            let media: Vec<_> = ADDRESSED.into_iter().filter(|_| dice.bool()).map(Medium::name).collect();
            if !media.is_empty() {
                rule["media"] = json!(media);
            }
        }
        world.apply("ReminderRule", name, rule);
    }
}

fn person(name: &str, now: Micros, dice: &mut Rng) -> Person {
    let hours = |dice: &mut Rng| dice.i64(1..90) * HOUR_US + dice.i64(0..HOUR_US);
    let mut person = Person::new(name, &[]);
    let site = |dice: &mut Rng| Some(Uuid::from_u128(dice.u128(1..3)));
    let addressed = ADDRESSED.into_iter().filter(|_| dice.bool()).collect::<Vec<_>>();
    person.ways =
        addressed.into_iter().map(|one| (one, (one == Medium::Webhook).then(|| site(dice)).flatten())).collect();
    dice.shuffle(&mut person.ways);
    person.duty = match dice.u8(..5) {
        0 => Duty::On { until: now + hours(dice) },
        1 => Duty::Off { back_at: dice.bool().then(|| now + hours(dice)) },
        _ => Duty::Unsaid,
    };
    person.shift = (dice.u8(..3) == 0).then(|| pick(dice, &SHIFTS));
    if dice.u8(..4) == 0 {
        let from = now + hours(dice) - 20 * HOUR_US;
        person.off = Some((from, from + hours(dice)));
    }
    if dice.u8(..3) == 0 {
        let (from_minute, to_minute) = pick(dice, &[(22 * 60, 7 * 60), (12 * 60, 13 * 60)]);
        person.quiet = Some(Quiet { from_minute, to_minute });
    }
    if dice.u8(..3) == 0 {
        let presence = pick(dice, &[Presence::Online, Presence::Busy, Presence::Away]);
        person.presence = Some((presence, now + hours(dice)));
    }
    person.dnd_until = (dice.u8(..5) == 0).then(|| now + hours(dice));
    person
}
