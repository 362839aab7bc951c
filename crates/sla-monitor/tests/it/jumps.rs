//! Clocks that jump, machines that sleep, services that start anew: what became due fires once, in order.

use decider::Core;
use serde_json::json;
use sla_monitor::command::SlaMonitor;
use ticket::intake::Status::Open;
use ticket::sla::SlaEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::world::{World, line, us};

/// Fifty tickets, a minute apart, each with two marks of one clock.
fn fifty() -> World {
    let clocks = json!({"work": {"target": "1h", "marks": [50]}});
    let mut world = World::with(&json!({"calendar": "always", "clocks": clocks}));
    for n in 0..50_u32 {
        // Ids in another order than time.
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &n.to_be_bytes());
        let at = us("09:00") + i64::from(n) * 60_000_000;
        world.record(at, stream::ticket(id), Event::Intake(line("New", Open, "low")));
        world.react();
    }
    world.said();
    world
}

/// Every mark that fired, with its instant, in the order of the log.
fn fired(world: &World) -> Vec<(i64, Uuid, u32)> {
    let mark = |entry: &ticket::Recorded| match &entry.event {
        Event::Sla(SlaEvent::WarningRaised { at, share_bp, .. }) => Some((*at, entry.correlation?, *share_bp)),
        Event::Sla(SlaEvent::Breached { at, .. }) => Some((*at, entry.correlation?, 10_000)),
        _ => None,
    };
    world.log.iter().filter_map(mark).collect()
}

/// Proves part of: L4
#[test]
fn what_became_due_while_nobody_ran_fires_once_and_in_order() {
    let mut world = fifty();
    // What the service kept is read back by another, hours later.
    let stored = postcard::to_stdvec(&world.state).unwrap();
    world.state = postcard::from_bytes(&stored).unwrap();
    world.now = us("15:00");
    let due = SlaMonitor::due(&world.state, world.now, 1_000);
    assert!(due.is_sorted_by_key(|reaction| reaction.occurred_at) && due.len() == 100);
    let few = SlaMonitor::due(&world.state, world.now, 30);
    assert_eq!(few, due[..30], "a few of them are the first of them");
    world.fire();
    let marks = fired(&world);
    assert_eq!(marks.len(), 100);
    assert!(marks.is_sorted_by_key(|(at, ..)| *at), "each at its own instant, whatever slept");
    assert_eq!(SlaMonitor::next_due(&world.state), None);
    world.fire();
    assert_eq!(fired(&world).len(), 100, "and once");
}

/// Proves part of: L4
#[test]
fn a_clock_set_back_fires_nothing_again_and_nothing_too_early() {
    let mut world = fifty();
    world.until("09:49");
    assert_eq!(fired(&world).len(), 19, "half an hour of the first nineteen is over");
    world.now = us("09:20");
    assert!(SlaMonitor::due(&world.state, world.now, 10).is_empty());
    assert_eq!(SlaMonitor::next_due(&world.state), Some(us("09:49") + 1));
    world.until("11:00");
    assert_eq!(fired(&world).len(), 100);
}
