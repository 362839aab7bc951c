//! A large house: thousands of engineers in queues that step in for one another, a hundred thousand open tickets.

use fastrand::Rng;
use serde_json::json;
use sla_monitor::nminus::{Proof, prove};
use ticket::intake::{Accountable, Priority};
use ticket::notifier::{Medium, Quiet};

use super::cores::Cores;
use super::made::{SHIFTS, calendars, pick};
use super::person::{Duty, Person};
use super::world::{self, MONDAY, World};

const HOUR_US: i64 = 3_600 * 1_000_000;
/// Engineers in a queue.
const TEAM: usize = 20;

/// A house under the monitor.
pub struct Large {
    cores: Cores,
    now: i64,
}

impl Large {
    /// So many engineers, so many open tickets, half of them somebody's. Where it is flawed, rules may use one channel alone,
    /// and every ticket falls into a hole.
    pub fn new(engineers: usize, tickets: usize, flawed: bool) -> Self {
        let mut dice = Rng::with_seed(7);
        let now = MONDAY + 10 * HOUR_US;
        let mut world = World::new(now);
        documents(&mut world, engineers, flawed);
        for n in 0..engineers {
            world.person(engineer(n, now, &mut dice));
        }
        for _ in 0..tickets {
            let engineer = dice.usize(..engineers);
            let queue = format!("team-{}", engineer / TEAM);
            let person = Accountable::Person(format!("eng-{engineer}"));
            let owed = if dice.bool() { person } else { Accountable::Queue(queue.clone()) };
            let attend_by = now + dice.i64(1..8 * HOUR_US);
            let priority = pick(&mut dice, &[Priority::Low, Priority::Medium, Priority::High, Priority::Critical]);
            world.ticket(&queue, owed, attend_by, priority);
        }
        Self { cores: Cores::of(&world.events, std::collections::BTreeSet::new()), now }
    }

    /// The proof.
    pub fn prove(&self) -> Proof {
        prove(&self.cores.sla, &world::tenant(), self.now, &[])
    }
}

fn documents(world: &mut World, engineers: usize, flawed: bool) {
    calendars(world);
    let clock = |target: &str| json!({"target": target, "marks": [50, 75]});
    let clocks = json!({"acceptance": clock("1h"), "first_response": clock("2h"), "arrival": clock("8h"), "repair": clock("24h")});
    world.apply(
        "Escalation",
        "calls",
        json!({"steps": [{"accountable": true, "acknowledge_within": "15m"},
        {"desk": true, "acknowledge_within": "30m"}], "acknowledged_for": "2h", "fallback": "chiefs"}),
    );
    world.apply("SlaPolicy", "standard", json!({"calendar": "always", "clocks": clocks, "escalation": "calls"}));
    world.apply("MessageText", "told", json!({"en": {"subject": "{{ ticket }}", "body": "{{ kind }}"}}));
    for (name, on, audience, when) in [
        ("warned", "WarningRaised", "accountable", Some("event.share_bp >= 7500")),
        ("breached", "Breached", "accountable", Some("ticket.priority in ['high', 'critical']")),
        ("missed", "AttentionMissed", "woken", None),
        ("called", "EscalationRaised", "woken", None),
    ] {
        let mut rule = json!({"on": [on], "audience": {audience: true}, "text": "told", "urgent": on != "WarningRaised",
            "answer_within": "30m", "escalate_to": "chiefs"});
        if let Some(when) = when {
            rule["when"] = json!(when);
        }
        if flawed {
            rule["media"] = json!(["email"]);
        }
        world.apply("ReminderRule", name, rule);
    }
    let teams = engineers.div_ceil(TEAM);
    for team in 0..teams {
        let members: Vec<_> = (team * TEAM..((team + 1) * TEAM).min(engineers)).map(|n| format!("eng-{n}")).collect();
        let next = if team + 1 < teams { format!("team-{}", team + 1) } else { "chiefs".to_owned() };
        world.apply("Queue", &format!("team-{team}"), json!({"members": members, "fallback": next, "horizon": "24h"}));
    }
    let chiefs: Vec<_> = (0..engineers.min(3)).map(|n| format!("eng-{n}")).collect();
    world.apply("Queue", "chiefs", json!({"members": chiefs, "horizon": "24h"}));
}

fn engineer(n: usize, now: i64, dice: &mut Rng) -> Person {
    let mut person = Person::new(&format!("eng-{n}"), &[Medium::Email, Medium::Sms]);
    person.shift = dice.bool().then(|| pick(dice, &SHIFTS[..2]));
    person.duty = match dice.u8(..4) {
        0 => Duty::Off { back_at: Some(now + dice.i64(1..40) * HOUR_US) },
        1 => Duty::On { until: now + dice.i64(1..40) * HOUR_US },
        _ => Duty::Unsaid,
    };
    person.quiet = dice.bool().then_some(Quiet { from_minute: 22 * 60, to_minute: 6 * 60 });
    person
}
