//! Targets in working days, weeks that change on a date, and whose clocks a calendar is read off.

use decider::Tenant;
use serde_json::{Value, json};
use sla_monitor::view;
use ticket::Event;
use ticket::intake::{IntakeEvent, Status};
use ticket::sla::{SlaEvent, Terms};

use crate::attention::{next, queue, received_from};
use crate::world::{TICKET, World, line, office, us};

fn world(calendar: &Value, policy: &Value) -> World {
    let mut world = World::default();
    world.apply("Calendar", "office", calendar);
    world.apply("SlaPolicy", "standard", policy);
    world.apply("Queue", "desk", &json!({"members": ["ann"], "attend_within": "1h", "zone": "America/New_York"}));
    world.apply("Queue", "far", &json!({"members": ["bob"], "attend_within": "1h", "zone": "Asia/Shanghai"}));
    world
}

fn resolution(target: &str) -> Value {
    json!({"calendar": "office", "clocks": {"resolution":
        {"target": target, "marks": [50], "run_while": ["open", "in_progress"], "stop": ["Done"]}}})
}

fn terms(world: &World) -> Vec<Terms> {
    let started = world.log.iter().filter_map(|entry| match &entry.event {
        Event::Sla(SlaEvent::ClockStarted { terms, .. }) => Some(terms.clone()),
        _ => None,
    });
    started.collect()
}

/// Proves part of: L1, L2
#[test]
fn a_target_in_working_days_ends_with_the_day() {
    // 2024-03-08 is a Friday.
    for (opened, target, due) in [
        ("2024-03-08 12:00", "0 working days", "2024-03-08T17:00"),
        ("2024-03-08 12:00", "1 working day", "2024-03-11T17:00"),
        ("2024-03-08 12:00", "2 working days", "2024-03-12T17:00"),
        ("2024-03-08 18:30", "0 working days", "2024-03-11T17:00"),
        ("2024-03-08 18:30", "1 working day", "2024-03-11T17:00"),
        ("2024-03-09 12:00", "0 working days", "2024-03-11T17:00"),
        ("2024-03-09 12:00", "2 working days", "2024-03-12T17:00"),
    ] {
        let mut world = world(&office("UTC"), &resolution(target));
        world.on(opened, line("Opened", Status::Open, ""));
        let said = world.said();
        assert!(said[0].ends_with(&format!("100%@{due}")), "{opened} {target}: {said:?}");
        let days = terms(&world)[0].working_days;
        assert_eq!(days, target.split(' ').next().map(|days| days.parse().unwrap()));
    }
}

/// Proves part of: L2, L3
#[test]
fn what_a_clock_stood_still_is_added_as_working_time() {
    let mut world = world(&office("UTC"), &resolution("1 working day"));
    world.on("2024-03-08 12:00", line("Opened", Status::Open, ""));
    world.on("2024-03-08 16:00", line("Asked", Status::Waiting, ""));
    world.on("2024-03-11 11:00", line("Answered", Status::Open, "")).until("2024-03-12 12:01");
    assert_eq!(
        world.said(),
        [
            "resolution#1 started 2024-03-08T12:00 0/780m of 1/1: 50%@2024-03-11T10:30 100%@2024-03-11T17:00",
            "resolution#1 paused 2024-03-08T16:00 240m",
            "resolution#2 resumed 2024-03-11T11:00 240m: 50%@2024-03-11T13:30 100%@2024-03-12T12:00",
            "resolution#2 warned 50% 2024-03-11T13:30",
            "resolution#2 breached 2024-03-12T12:00",
        ]
    );
}

/// Proves part of: L2
#[test]
fn a_deadline_over_a_change_of_the_week_counts_both() {
    let mut calendar = office("UTC");
    let short = ["09:00-13:00"];
    calendar["changes"] = json!([{"from": "2024-03-11", "weekly": {"mon": short, "tue": short, "wed": short}}]);
    let mut world = world(&calendar, &resolution("12h"));
    world.on("2024-03-08 13:00", line("Opened", Status::Open, ""));
    assert!(world.said()[0].ends_with("50%@2024-03-11T11:00 100%@2024-03-12T13:00"));
}

/// Proves part of: L2
#[test]
fn a_calendar_is_read_off_the_customers_clocks() {
    let mut policy = resolution("2h");
    policy["zone"] = "customer".into();
    for (zone, due) in [(Some("Asia/Tokyo"), "2024-03-08T02:00"), (None, "2024-03-08T11:00")] {
        let mut world = world(&office("UTC"), &policy);
        world.on("2024-03-07 20:00", received_from(zone, next(queue("desk"), "2024-03-08 12:00")));
        assert!(world.said()[0].ends_with(&format!("100%@{due}")), "{zone:?}");
        assert_eq!(terms(&world)[0].zone.as_deref(), zone);
    }
}

/// Proves part of: L2
#[test]
fn a_calendar_is_read_off_the_clocks_of_the_queue_where_it_started() {
    let mut policy = resolution("2h");
    policy["zone"] = "queue".into();
    let mut world = world(&office("UTC"), &policy);
    world.on("2024-03-07 23:00", received_from(None, next(queue("desk"), "2024-03-09 12:00")));
    let due = "50%@2024-03-08T15:00 100%@2024-03-08T16:00";
    assert!(world.said()[0].ends_with(due), "from nine in New York");
    let far = queue("far");
    let moved = |from: &str, queue: &str| IntakeEvent::Transferred {
        from: from.into(),
        queue: queue.into(),
        reason: "theirs".into(),
        next: next(far.clone(), "2024-03-09 12:00"),
    };
    world.on("2024-03-08 00:30", moved("desk", "far"));
    assert!(world.said().is_empty(), "whoever gets it later does not change how the time before counted");
    // Another version of the policy looks again.
    world.now = us("2024-03-08 00:40");
    policy["retroactive"] = true.into();
    world.apply("SlaPolicy", "standard", &policy);
    assert!(world.said().last().unwrap().ends_with("50%@2024-03-08T02:00 100%@2024-03-08T03:00"));
    let zones: Vec<_> = terms(&world).into_iter().map(|terms| terms.zone.unwrap()).collect();
    assert_eq!(zones, ["America/New_York", "Asia/Shanghai"]);
}

/// Proves part of: L1, L2
#[test]
fn the_working_days_of_a_round_count_from_where_it_begins() {
    let policy = json!({"calendar": "office", "clocks": {"stuck": {"target": "1 working day", "reset": ["Note"]}}});
    let mut world = world(&office("UTC"), &policy);
    world.on("2024-03-08 12:00", line("Opened", Status::Open, ""));
    world.on("2024-03-11 10:00", line("Note", Status::Open, ""));
    let (first, second) = ("2024-03-08T12:00 0/780m", "2024-03-11T10:00 0/900m");
    assert_eq!(
        world.said(),
        [
            format!("stuck#1 started {first} of 1/1: 100%@2024-03-11T17:00"),
            format!("stuck#2 started {second} of 1/1: 100%@2024-03-12T17:00"),
        ]
    );
    let shown = |world: &World| view::clocks(&world.state, &Tenant::new("acme"), TICKET).unwrap()[0].budget_secs;
    assert_eq!(shown(&world), 900 * 60);
    // It became known late that the first round began a day before; its day was over when the second began.
    world.late("2024-03-07 16:00", line("Called", Status::Open, ""));
    assert_eq!(world.said(), ["stuck#2 breached 2024-03-08T17:00"]);
    // A target in hours takes the place of the days.
    world.now = us("2024-03-11 11:00");
    let hours = json!({"calendar": "office", "retroactive": true,
        "clocks": {"stuck": {"target": "2h", "reset": ["Note"]}}});
    world.apply("SlaPolicy", "standard", &hours);
    assert_eq!(world.said(), ["stuck#3 started 2024-03-11T10:00 0/120m of 2/1: 100%@2024-03-11T12:00"]);
    assert_eq!((shown(&world), terms(&world).last().unwrap().working_days), (7_200, None));
}

/// Proves part of: L2
#[test]
fn a_late_fact_before_the_first_moves_the_end_of_the_working_days() {
    let mut world = world(&office("UTC"), &resolution("0 working days"));
    world.on("2024-03-11 10:00", line("Opened", Status::Open, ""));
    world.late("2024-03-08 12:00", line("Called", Status::Open, ""));
    world.now = us("2024-03-11 10:30");
    let said = world.said();
    assert!(said[0].ends_with("100%@2024-03-11T17:00"), "{said:?}");
    assert!(said[1].starts_with("resolution#2 started 2024-03-08T12:00 0/300m"), "{said:?}");
    assert!(said[1].ends_with("100%@2024-03-08T17:00"), "{said:?}");
}

/// Proves part of: L2
#[test]
fn later_rounds_are_read_off_the_clocks_of_the_first() {
    let policy = json!({"calendar": "office", "zone": "queue",
        "clocks": {"reply": {"target": "2h", "start": ["Ask"], "stop": ["Answer"]}}});
    let mut world = world(&office("UTC"), &policy);
    world.on("2024-03-07 20:00", received_from(None, next(queue("desk"), "2024-03-09 12:00")));
    world.on("2024-03-07 20:01", line("Ask", Status::Open, ""));
    world.on("2024-03-07 20:30", line("Answer", Status::Open, ""));
    let next = next(queue("far"), "2024-03-09 12:00");
    let moved = IntakeEvent::Transferred { from: "desk".into(), queue: "far".into(), reason: "theirs".into(), next };
    world.on("2024-03-07 21:00", moved);
    world.on("2024-03-07 23:00", line("Ask", Status::Open, ""));
    assert!(world.said().last().unwrap().ends_with("100%@2024-03-08T16:00"), "from nine in New York");
    let zones: Vec<_> = terms(&world).into_iter().map(|terms| terms.zone.unwrap()).collect();
    assert_eq!(zones, ["America/New_York", "America/New_York"]);
}
