//! The next step of a native ticket: missed, called for again, renewed, checked.

use std::collections::BTreeMap;

use decider::{Core, Tenant};
use serde_json::json;
use sla_monitor::SlaMonitor;
use sla_monitor::check::{checks, holes};
use ticket::Personal;
use ticket::intake::{Accountable, Attention, Channel, Impact, IntakeEvent, Priority, Request, Status, Urgency};
use uuid::Uuid;

use crate::world::{World, line, us};

pub(crate) fn next(party: Accountable, by: &str) -> Attention {
    Attention { accountable: party, attend_by: us(by) }
}

pub(crate) fn queue(name: &str) -> Accountable {
    Accountable::Queue(name.into())
}

pub(crate) fn received(next: Attention) -> IntakeEvent {
    received_from(None, next)
}

/// A ticket of a customer in this time zone.
pub(crate) fn received_from(zone: Option<&str>, next: Attention) -> IntakeEvent {
    let text = |text: &str| Personal::new(Uuid::nil(), text.to_owned());
    let request = Request {
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
        priority: Priority::Medium,
        queue: "desk".into(),
        zone: zone.map(str::to_owned),
    };
    IntakeEvent::Received { request: Box::new(request), next }
}

pub(crate) fn world() -> World {
    let mut world = World::with(&json!({"calendar": "always", "clocks": {}, "attention": {"every": "1h"}}));
    world.apply(
        "Queue",
        "desk",
        &json!({"members": ["ann"], "fallback": "chiefs", "horizon": "24h", "attend_within": "1h"}),
    );
    world.apply("Queue", "chiefs", &json!({"members": ["sue"], "horizon": "30m"}));
    world
}

/// Proves part of: L5
#[test]
fn silence_climbs_the_chain_until_somebody_moves() {
    let mut world = world();
    world.on("09:00", received(next(queue("desk"), "10:00"))).until("10:00");
    assert!(world.said().is_empty(), "at the very instant it is in time");
    world.now = us("10:01");
    let due = SlaMonitor::due(&world.state, world.now, 1).remove(0);
    assert_eq!((world.carry_out(&due), world.carry_out(&due)), (1, 0), "repeating it is nothing");
    let missed = |step: u32, at: &str, wakes: &str, next: &str| {
        format!("attention missed {step} {at}: Queue(\"desk\") -> Queue(\"{wakes}\"), next {next}")
    };
    assert_eq!(world.said(), [missed(1, "10:00", "desk", "11:00")]);
    world.until("12:10");
    // The chiefs are called at least every half hour: their horizon.
    let expected = [missed(2, "11:00", "chiefs", "12:30")];
    assert_eq!(world.said(), expected, "what was slept through is not made up for");
    let taken =
        IntakeEvent::TakenInCharge { agent: "ann".into(), next: next(Accountable::Person("ann".into()), "15:00") };
    world.on("12:20", taken).until("15:30");
    let person = "attention missed 1 15:00: Person(\"ann\") -> Queue(\"desk\"), next 16:00";
    assert_eq!(world.said(), [person]);
    world
        .on("15:40", IntakeEvent::Cancelled { reason: ticket::Personal::new(uuid::Uuid::nil(), String::new()) })
        .until("2024-03-06 09:00");
    assert!(world.said().is_empty());
    assert!(checks(&world.state, &Tenant::new("acme"), world.now).is_empty());
}

/// Proves part of: L8
#[test]
fn an_imported_history_may_pass_through_an_end() {
    let mut world = world();
    let IntakeEvent::Received { request, next } = received(next(queue("desk"), "10:00")) else { panic!() };
    let (source, reference) = ("old".to_owned(), "1".to_owned());
    world.on("09:00", IntakeEvent::TicketImported { source, reference, request, next: Some(next) });
    let open = |world: &World| checks(&world.state, &Tenant::new("acme"), world.now).len();
    world.late("09:00", line("Close", Status::Closed, "low"));
    assert_eq!((open(&world), SlaMonitor::next_due(&world.state)), (0, None));
    world.late("09:00", line("Reopen", Status::InProgress, "low"));
    assert_eq!((open(&world), SlaMonitor::next_due(&world.state)), (1, Some(us("10:00") + 1)));
}

#[test]
fn a_hole_names_what_is_missing() {
    let mut world = world();
    let hole = |world: &World, now: &str| holes(&world.state, us(now)).pop().map(|hole| hole.missing);
    world.on("09:00", received(next(queue("desk"), "10:00")));
    assert_eq!(hole(&world, "09:00"), None);
    assert_eq!(hole(&world, "10:01"), None);
    assert!(hole(&world, "10:02").unwrap().contains("the monitor is late"));
    world.apply("Queue", "desk", &json!({"members": [], "fallback": "chiefs"}));
    let check = &checks(&world.state, &Tenant::new("acme"), us("09:30"))[0];
    assert_eq!((check.phase, check.wakes.as_slice(), &check.hole), ("received", &["sue".to_owned()][..], &None));
    world.apply("Queue", "chiefs", &json!({"members": []}));
    assert!(hole(&world, "09:30").unwrap().contains("queue desk has no member"));
    world.apply("Queue", "desk", &json!({"members": ["ann"]}));
    let long = IntakeEvent::Triaged {
        queue: "desk".into(),
        priority: Priority::Low,
        next: next(queue("desk"), "2024-03-08 09:00"),
    };
    world.on("09:40", long);
    assert!(hole(&world, "09:40").unwrap().contains("within 72 hours"));
}
