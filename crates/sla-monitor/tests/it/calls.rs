//! What follows a breach: calls step by step, acknowledgements, rotas; backlog alerts; major events; figures.

use decider::Tenant;
use serde_json::{Value, json};
use sla_monitor::command::{Command, Refusal};
use sla_monitor::figures;
use sla_monitor::major::Declaration;
use ticket::dispatch::{DispatchEvent, OffDuty};
use ticket::intake::{Accountable, IntakeEvent};
use ticket::notifier::NotifierEvent;
use ticket::sla::SlaEvent;
use ticket::{Event, Personal, stream};
use uuid::Uuid;

use crate::attention::{next, queue, received};
use crate::world::{TICKET, World, us};

fn acme() -> Tenant {
    Tenant::new("acme")
}

/// A policy whose one clock takes an hour, calls by this escalation, and people to be called.
fn house(escalation: &Value) -> World {
    let mut world = World::with(&json!({"calendar": "always", "match": {"priorities": ["none"]}, "clocks": {}}));
    world.apply("Queue", "desk", &json!({"members": ["ann", "bob"], "fallback": "chiefs"}));
    world.apply("Queue", "chiefs", &json!({"members": ["sue"]}));
    let shift =
        json!({"name": "week", "people": ["otto", "pia"], "from": "2024-03-03", "turn_days": 1, "hand_over": "12:00"});
    world.apply("Rota", "on-call", &json!({"zone": "UTC", "shifts": [shift]}));
    world.apply("Escalation", "standard", escalation);
    let clocks = json!({"work": {"target": "1h", "stop": ["TakenInCharge"], "cancel": ["Cancelled"]}});
    let policy = json!({"calendar": "always", "escalation": "standard", "rank": 1, "clocks": clocks});
    world.apply("SlaPolicy", "called", &policy);
    world.on("09:00", received(next(queue("desk"), "2024-03-06 09:00")));
    world.said();
    world
}

fn steps() -> Value {
    json!({
        "after": "5m",
        "steps": [
            {"accountable": true, "acknowledge_within": "15m"},
            {"rota": "on-call", "acknowledge_within": "15m"},
            {"person": "sue", "acknowledge_within": "30m"},
        ],
        "repeat": 1, "acknowledged_for": "2h", "fallback": "chiefs",
    })
}

fn ask(world: &mut World, command: &Command) -> Result<usize, Refusal> {
    let now = world.now;
    world.ask(command, now, Uuid::from_u128(u128::from(now.unsigned_abs())))
}

/// Proves part of: L5
#[test]
fn silence_is_escalated_step_by_step_a_bounded_number_of_times_and_ends_at_a_human() {
    let mut world = house(&steps());
    world.until("10:05");
    assert_eq!(world.said(), ["work#1 breached 10:00"], "nobody is called before it is due");
    world.until("10:06").until("10:22").until("10:38").until("11:09");
    let lap = [
        "work calls 1 Accountable: ann bob, next 10:21",
        "work calls 2 Rota(\"on-call\"): otto, next 10:37",
        "work calls 3 Person(\"sue\"): sue, next 11:08",
        "work calls 4 Accountable: ann bob, next 11:24",
    ];
    let said: Vec<_> = world.said().iter().map(|line| line.replace(":00.000001Z", "")).collect();
    assert_eq!(said, lap);
    world.until("2024-03-05 10:00").until("2024-03-05 10:20").until("2024-03-05 11:00").until("2024-03-05 23:00");
    let said = world.said();
    assert!(said[0].starts_with("work calls 5 Rota(\"on-call\"): pia"), "the turn was handed over: {said:?}");
    assert!(said[1].starts_with("work calls 6 Person(\"sue\")"), "{said:?}");
    assert_eq!(said[2..], ["work calls 7 Queue(\"chiefs\"): sue, last"], "and then its attention is left");
}

/// Proves part of: L5
#[test]
fn an_acknowledgement_stops_the_calls_and_rearms_them_if_nothing_follows() {
    let mut world = house(&steps());
    let acknowledge =
        |by: &str, clock: &str| Command::Acknowledge { ticket: TICKET, clock: clock.into(), by: by.into() };
    assert_eq!(ask(&mut world, &acknowledge("ann", "work")), Err(Refusal::NotEscalated("work".into())));
    assert_eq!(ask(&mut world, &acknowledge("ann", "lunch")), Err(Refusal::ClockUnknown("lunch".into())));
    world.until("10:10");
    world.said();
    assert_eq!(
        (ask(&mut world, &acknowledge("ann", "work")), ask(&mut world, &acknowledge("ann", "work"))),
        (Ok(1), Ok(0))
    );
    world.until("12:10");
    assert_eq!(world.said(), ["work answered 1 by ann until 12:10"], "two hours of peace");
    world.until("12:11");
    assert_eq!(
        world.said(),
        ["work calls 2 Rota(\"on-call\"): pia, next 12:26"],
        "it led to nothing: the next is called"
    );
    // Whoever was called may as well answer the reminder.
    let answered = NotifierEvent::ReminderAcknowledged { reminder: Uuid::nil(), by: "pia".into() };
    world.record(us("12:12"), stream::reminder(TICKET), Event::Notifier(answered.clone()));
    world.react();
    assert_eq!(world.said(), ["work answered 2 by pia until 14:12"]);
    world.record(us("12:13"), stream::reminder(TICKET), Event::Notifier(answered));
    world.react();
    assert!(world.said().is_empty());
    let person = next(Accountable::Person("pia".into()), "2024-03-06 09:00");
    world.on("13:00", IntakeEvent::TakenInCharge { agent: "pia".into(), next: person }).until("2024-03-05 09:00");
    assert_eq!(world.said(), ["work#1 stopped 13:00 240m missed"], "and nobody is called any more");
}

/// Proves part of: L5
#[test]
fn where_nobody_is_there_the_next_is_called_at_once_and_a_breach_taken_back_calls_nobody() {
    let mut world = house(&steps());
    for absent in ["ann", "bob", "sue", "otto"] {
        world.duty(absent, DispatchEvent::DutyEnded { why: OffDuty::Sick, back_at: None });
    }
    world.until("10:06");
    let said = world.said();
    assert_eq!(said.len(), 8, "one call after another: {said:?}");
    assert_eq!(
        (said[1].as_str(), said[7].as_str()),
        ("work calls 1 Accountable: , next 10:05", "work calls 7 Queue(\"chiefs\"): , last")
    );
    let mut world = house(&steps());
    world.until("10:10");
    world.said();
    let person = next(Accountable::Person("ann".into()), "2024-03-06 09:00");
    world.late("09:55", IntakeEvent::TakenInCharge { agent: "ann".into(), next: person });
    world.until("2024-03-05 09:00");
    assert_eq!(world.said(), ["work#1 revoked 10:00 by 09:55", "work#1 stopped 09:55 55m met"]);
}

fn ticket_at(world: &mut World, id: u128, at: &str, event: IntakeEvent) {
    world.until(at);
    world.record(us(at), stream::ticket(Uuid::from_u128(id)), Event::Intake(event));
    world.react();
}

fn cancelled() -> IntakeEvent {
    IntakeEvent::Cancelled { reason: Personal::new(Uuid::nil(), String::new()) }
}

/// Proves part of: L7
#[test]
fn a_backlog_alarm_is_raised_once_and_over_only_well_below() {
    let mut world = World::with(&json!({"calendar": "always", "clocks": {}}));
    let later = || received(next(queue("desk"), "2024-03-06 09:00"));
    ticket_at(&mut world, 11, "09:00", later());
    let alert = json!({"queue": "desk", "count": {"above": 2, "clear": 1}, "age": {"above": "4h", "clear": "2h"}});
    world.apply("BacklogAlert", "desk-full", &alert);
    for (id, at) in [(12, "09:10"), (13, "09:20"), (14, "09:30")] {
        ticket_at(&mut world, id, at, later());
    }
    assert_eq!(
        world.said(),
        ["backlog desk Count#1 raised with 3"],
        "what was there before counts, and it is said once"
    );
    ticket_at(&mut world, 12, "10:00", cancelled());
    ticket_at(&mut world, 13, "10:10", cancelled());
    assert!(world.said().is_empty(), "two are no more than the limit, but more than what clears it");
    ticket_at(&mut world, 15, "10:20", later());
    assert!(world.said().is_empty(), "no flapping");
    ticket_at(&mut world, 14, "10:30", cancelled());
    let moved = IntakeEvent::Transferred {
        from: "desk".into(),
        queue: "field".into(),
        reason: "theirs".into(),
        next: next(queue("field"), "2024-03-06 09:00"),
    };
    ticket_at(&mut world, 15, "10:40", moved);
    assert_eq!(world.said(), ["backlog desk Count#1 over with 1"]);
    world.until("13:00");
    assert!(world.said().is_empty(), "four hours exactly are not too many");
    world.until("13:01");
    assert_eq!(world.said(), ["backlog desk Age#1 raised with 1"]);
    ticket_at(&mut world, 11, "13:30", cancelled());
    assert_eq!(world.said(), ["backlog desk Age#1 over with 0"]);
    ticket_at(&mut world, 16, "14:00", later());
    world.until("18:00:01");
    assert_eq!(world.said(), ["backlog desk Age#2 raised with 1"]);
}

fn storm(scope: &str, policy: &str) -> Command {
    let (name, reason) = ("storm".to_owned(), "the whole north is without power".to_owned());
    Command::Declare(Declaration { name, reason, scope: scope.into(), policy: policy.into() })
}

/// Proves part of: L10
#[test]
fn a_major_event_holds_for_what_it_touches_until_a_person_ends_it() {
    let mut world = World::with(&json!({"calendar": "always", "clocks": {"work": {"target": "8h"}}}));
    let tight = json!({"calendar": "always", "major": true, "clocks": {"work": {"target": "1h"}}});
    world.apply("SlaPolicy", "emergency", &tight);
    world.on("09:00", received(next(queue("desk"), "2024-03-06 09:00")));
    ticket_at(&mut world, 2, "09:00", received(next(queue("field"), "2024-03-06 09:00")));
    let wrong = ask(&mut world, &storm("ticket.colour == 1", "none"));
    let Err(Refusal::Fields(faults)) = wrong else { panic!("{wrong:?}") };
    assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), ["scope", "policy"]);
    world.said();
    world.until("09:30");
    let declare = storm("ticket.queue == 'desk' && ticket.ticket_type == 'incident'", "emergency");
    assert_eq!((ask(&mut world, &declare), ask(&mut world, &declare)), (Ok(1), Ok(0)));
    assert_eq!(ask(&mut world, &storm("true", "emergency")), Err(Refusal::MajorOngoing("storm".into())));
    world.react();
    world.until("10:30");
    let said = world.said();
    let started = "work#2 started 09:00 0/60m of 1/1: 100%@10:00";
    assert_eq!(said[..2], ["major storm by emergency/1", started], "with its past: {said:?}");
    assert_eq!(said.iter().filter(|line| line.contains("breached 10:00")).count(), 2, "both lie in the desk's queue");
    let under = world.log.iter().filter_map(|entry| match &entry.event {
        Event::Sla(SlaEvent::ClockStarted { terms, .. }) => terms.major.clone(),
        Event::Sla(SlaEvent::Breached { major, .. }) => major.clone(),
        _ => None,
    });
    assert_eq!(under.collect::<Vec<_>>(), ["storm"; 4], "every event tells");
    let end = Command::End { name: "storm".into(), reason: "the power is back".into() };
    assert_eq!((ask(&mut world, &end), ask(&mut world, &end)), (Ok(1), Ok(0)));
    world.react();
    let said = world.said();
    assert!(said.contains(&"work#3 started 09:00 0/480m of 1/1: 100%@17:00".to_owned()), "{said:?}");
    let unknown = Command::End { name: "flood".into(), reason: "x".into() };
    assert_eq!(ask(&mut world, &unknown), Err(Refusal::MajorUnknown("flood".into())));
}

/// Proves part of: L7
#[test]
fn figures_count_what_was_met_and_what_stood_still_though_the_customer_had_replied() {
    let clocks = json!({
        "accepted": {"target": "1h", "stop": ["TakenInCharge"]},
        "resolution": {"target": "8h", "run_while": ["open", "in_progress"]},
    });
    let mut world = World::with(&json!({"calendar": "always", "clocks": clocks}));
    let step = || next(queue("desk"), "2024-03-06 09:00");
    world.on("09:00", received(step()));
    ticket_at(&mut world, 2, "09:00", received(step()));
    ticket_at(&mut world, 3, "09:30", received(step()));
    world.on("09:30", IntakeEvent::TakenInCharge { agent: "ann".into(), next: step() });
    let reasons = [ticket::intake::WaitReason::Parts].into_iter().collect();
    world.on("10:00", IntakeEvent::WaitStarted { reasons, next: step() });
    let said = |author| {
        let text = Personal::new(Uuid::nil(), "hello?".to_owned());
        IntakeEvent::Commented { author, public: true, text, next: None }
    };
    world.on("10:10", said(ticket::intake::Author::Customer)).on("10:40", said(ticket::intake::Author::Agent));
    world.until("10:20");
    ticket_at(&mut world, 2, "11:00", IntakeEvent::TakenInCharge { agent: "ann".into(), next: step() });
    let counts = figures::report(&world.state, &acme(), None, None);
    let accepted = &counts["accepted"];
    assert_eq!((accepted.met, accepted.missed, accepted.going, accepted.going_late), (1, 1, 1, 1));
    assert_eq!(accepted.completion_bp(), Some(3_333));
    assert_eq!(counts["resolution"].paused_though_replied_us, 30 * 60_000_000);
    assert!(figures::report(&world.state, &acme(), Some(us("12:00")), None).is_empty());
}

/// Proves part of: L3
#[test]
fn what_a_policy_would_do_is_what_it_does() {
    let mut world =
        World::with(&json!({"calendar": "always", "clocks": {"work": {"target": "8h"}, "gone": {"target": "9h"}}}));
    for (id, at) in [(1, "09:00"), (2, "10:00"), (3, "11:00")] {
        ticket_at(&mut world, id, at, received(next(queue("desk"), "2024-03-06 09:00")));
    }
    ticket_at(&mut world, 4, "11:00", received(next(queue("desk"), "2024-03-06 09:00")));
    ticket_at(&mut world, 4, "11:10", cancelled());
    world.until("12:30");
    world.said();
    let spec = json!({"calendar": "always", "retroactive": true, "clocks": {"work": {"target": "2h"}}});
    let draft =
        ticket::batch::Draft { kind: "SlaPolicy".into(), name: "standard".into(), spec: spec.clone(), reason: None };
    let effect = figures::reattachment(&world.state, &acme(), std::slice::from_ref(&draft), world.now);
    assert_eq!((effect.tickets, effect.clocks, effect.breaches, effect.cancelled), (3, 3, 2, 3));
    world.apply("SlaPolicy", "standard", &spec);
    world.fire();
    let said = world.said();
    let count = |what: &str| said.iter().filter(|line| line.contains(what)).count();
    assert_eq!((count(" started "), count(" breached "), count(" cancelled ")), (3, 2, 3), "{said:?}");
    let none = figures::reattachment(&world.state, &acme(), &[draft], world.now);
    assert_eq!(none, figures::Reattachment::default(), "what is in force changes nothing");
}
