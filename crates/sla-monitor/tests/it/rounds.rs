//! Clocks with conditions of their own: rounds that begin, end and begin again, pauses, resets, and what is recorded of it.

use serde_json::{Value, json};
use sla_monitor::command::SlaMonitor;
use ticket::intake::Status::{self, Closed, InProgress, Open, Waiting};
use ticket::intake::{Accountable, Attention, Author, Channel, IntakeEvent, Priority, WaitReason};
use ticket::sla::{Because, Clause, SlaEvent};
use ticket::{Event, Personal};
use uuid::Uuid;

use crate::attention::{next, queue, received};
use crate::world::{World, line, us};

fn with(clocks: &Value) -> World {
    World::with(&json!({"calendar": "always", "clocks": clocks}))
}

fn said(author: Author, public: bool) -> IntakeEvent {
    IntakeEvent::Commented { author, public, text: Personal::new(Uuid::nil(), "…".to_owned()), next: None }
}

fn soon() -> Attention {
    next(queue("desk"), "2024-03-06 09:00")
}

fn transferred(to: &str) -> IntakeEvent {
    IntakeEvent::Transferred { from: "desk".into(), queue: to.into(), reason: "theirs".into(), next: soon() }
}

fn waits(reasons: &[WaitReason]) -> IntakeEvent {
    IntakeEvent::WaitStarted { reasons: reasons.iter().copied().collect(), next: soon() }
}

#[track_caller]
fn expect(world: &mut World, lines: &[&str]) {
    assert_eq!(world.said(), lines);
}

/// Proves part of: L1
#[test]
fn the_next_response_counts_from_the_oldest_unanswered_message() {
    let mut world = with(&json!({"next_response": {
        "target": "1h", "start": "ticket.unanswered", "stop": "!ticket.unanswered",
    }}));
    world.on("09:00", received(soon())).on("09:10", said(Author::Robot, true));
    expect(&mut world, &[]);
    world.on("09:30", said(Author::Customer, true)).on("09:50", said(Author::Customer, true));
    expect(&mut world, &["next_response#1 started 09:30 0/60m of 1/1: 100%@10:30"]);
    world.on("10:00", said(Author::Agent, false)).on("10:10", said(Author::Agent, true));
    expect(&mut world, &["next_response#1 stopped 10:10 40m met"]);
    world.on("11:00", said(Author::Customer, true)).until("12:30");
    expect(&mut world, &["next_response#2 started 11:00 0/60m of 1/1: 100%@12:00", "next_response#2 breached 12:00"]);
    world.on("12:40", said(Author::Agent, true)).on("13:00", said(Author::Customer, true));
    expect(
        &mut world,
        &["next_response#2 stopped 12:40 100m missed", "next_response#3 started 13:00 0/60m of 1/1: 100%@14:00"],
    );
    // The answer to the second message was written in time, and its phone synchronised late.
    world.late("11:40", said(Author::Agent, true)).until("13:30");
    expect(&mut world, &["next_response#3 revoked 12:00 by 11:40"]);
}

/// Proves part of: L1
#[test]
fn a_round_that_was_over_before_it_could_fire_is_still_late() {
    let mut world = with(&json!({"reply": {"target": "1h", "start": ["Ask"], "stop": ["Answer"]}}));
    world.on("09:00", line("New", Open, "low"));
    world.now = us("13:00");
    for (at, activity) in [("09:10", "Ask"), ("10:30", "Answer"), ("11:00", "Ask"), ("11:30", "Answer")] {
        let event = Event::Intake(line(activity, Open, "low"));
        world.record(us(at), ticket::stream::ticket(crate::world::TICKET), event);
    }
    world.react();
    world.fire();
    expect(
        &mut world,
        &["reply#0 breached 10:10", "reply#1 started 11:00 0/60m of 1/1: ", "reply#1 stopped 11:30 30m met"],
    );
}

/// Proves part of: L1, L7
#[test]
fn contact_and_movement_begin_their_clocks_anew() {
    let mut world = with(&json!({
        "contact_interval": {"target": "4h", "reset": "event.touch != ''", "run_while": ["open", "in_progress", "waiting"]},
        "stuck": {"target": "2h", "reset": ["*", "!InternalNote", "!RobotNote"], "run_while": ["open", "in_progress"]},
    }));
    world.on("09:00", received(soon())).on("10:00", said(Author::Agent, false));
    expect(
        &mut world,
        &[
            "contact_interval#1 started 09:00 0/240m of 1/1: 100%@13:00",
            "stuck#1 started 09:00 0/120m of 1/1: 100%@11:00",
        ],
    );
    world.until("11:30");
    expect(&mut world, &["stuck#1 breached 11:00"]);
    let call = |reached| IntakeEvent::ContactLogged {
        channel: Channel::Phone,
        inbound: false,
        reached,
        summary: Personal::new(Uuid::nil(), String::new()),
    };
    world.on("12:00", call(false)).on("12:30", call(true));
    expect(
        &mut world,
        &[
            "stuck#2 started 12:00 0/120m of 1/1: 100%@14:00",
            "contact_interval#2 started 12:30 0/240m of 1/1: 100%@16:30",
            "stuck#3 started 12:30 0/120m of 1/1: 100%@14:30",
        ],
    );
    world.on("13:00", waits(&[WaitReason::Parts])).until("16:00");
    expect(&mut world, &["stuck#4 started 13:00 0/120m of 1/1: ", "stuck#4 paused 13:00 0m"]);
}

/// Proves part of: L1
#[test]
fn each_stage_has_its_own_limit_and_a_return_its_whole_budget() {
    let mut world = with(&json!({
        "stage_second_line": {"target": "1h", "start": "ticket.queue == 'second-line'", "stop": "ticket.queue != 'second-line'"},
        "closure": {"target": "8h", "start": ["Resolved"], "stop": ["Closed", "ConfirmationRejected"]},
    }));
    world.on("09:00", received(soon())).on("09:30", transferred("second-line"));
    expect(&mut world, &["stage_second_line#1 started 09:30 0/60m of 1/1: 100%@10:30"]);
    world.on("10:00", transferred("desk")).on("11:00", transferred("second-line")).until("12:10");
    expect(
        &mut world,
        &[
            "stage_second_line#1 stopped 10:00 30m met",
            "stage_second_line#2 started 11:00 0/60m of 1/1: 100%@12:00",
            "stage_second_line#2 breached 12:00",
        ],
    );
    let text = || Personal::new(Uuid::nil(), String::new());
    let resolved =
        IntakeEvent::Resolved { solution: text(), evidence: Vec::new(), confirm_by: us("17:00"), next: soon() };
    world.on("13:00", resolved).on("14:00", IntakeEvent::ConfirmationRejected { reason: text(), next: soon() });
    expect(&mut world, &["closure#1 started 13:00 0/480m of 1/1: 100%@21:00", "closure#1 stopped 14:00 60m met"]);
}

/// Proves part of: L1, L3
#[test]
fn a_pause_is_a_condition_over_typed_facts_and_its_result_is_in_the_event() {
    let mut world = with(&json!({"resolution": {
        "target": "4h", "pause": "ticket.status == 'waiting' && 'customer' in ticket.waiting_for",
    }}));
    world.on("09:00", received(soon())).on("10:00", waits(&[WaitReason::Parts]));
    world.on("11:00", waits(&[WaitReason::Customer]));
    expect(&mut world, &["resolution#1 started 09:00 0/240m of 1/1: 100%@13:00", "resolution#1 paused 11:00 120m"]);
    let because = world.log.iter().rev().find_map(|entry| match &entry.event {
        Event::Sla(SlaEvent::ClockPaused { because, .. }) => because.clone(),
        _ => None,
    });
    assert_eq!(because, Some(Because { clause: Clause::Pause, activity: "WaitStarted".into() }));
    let reasons = [WaitReason::Customer].into_iter().collect();
    let remaining = [WaitReason::Parts].into_iter().collect();
    world.on("12:00", IntakeEvent::WaitEnded { reasons, remaining, next: soon() });
    expect(&mut world, &["resolution#2 resumed 12:00 120m: 100%@14:00"]);
}

/// Proves part of: L1
#[test]
fn a_clock_attaches_where_start_holds_and_neither_stop_nor_cancel_does() {
    let clock = |more: Value| {
        let mut clock = json!({"target": "1h", "start": "ticket.priority == 'high'", "cancel": ["Spam"]});
        clock.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with(&json!({ "vip": clock }))
    };
    let story = |mut world: World, facts: &[(&str, &str, Status, &str)]| {
        for (at, activity, status, priority) in facts {
            world.on(at, line(activity, *status, priority));
        }
        world.said()
    };
    let blocked = [("09:00", "Spam", Open, "high"), ("09:30", "Note", Open, "high"), ("10:00", "Note", Open, "low")];
    assert!(story(clock(json!({})), &blocked).is_empty(), "where it began to hold, cancel held too");
    let again = [
        ("09:00", "New", Open, "low"),
        ("09:10", "Raise", Open, "high"),
        ("09:20", "Done", InProgress, "high"),
        ("09:30", "Note", InProgress, "high"),
        ("09:40", "Lower", InProgress, "low"),
        ("09:50", "Raise", Waiting, "high"),
    ];
    let rounds = ["vip#1 started 09:10 0/60m of 1/1: 100%@10:10", "vip#1 stopped 09:20 10m met"];
    let second = "vip#2 started 09:50 0/60m of 1/1: 100%@10:50";
    assert_eq!(story(clock(json!({"stop": ["Done"]})), &again), [rounds[0], rounds[1], second]);
    assert_eq!(story(clock(json!({"stop": ["Done"], "once": true})), &again), rounds);
    let closed = [("09:00", "New", Open, "high"), ("09:10", "End", Closed, "high"), ("12:00", "Note", Closed, "high")];
    let said = story(clock(json!({"run_while": ["open"]})), &closed);
    assert_eq!(said[1..], ["vip#1 stopped 09:10 10m met"]);
}

/// Proves part of: L1, L3
#[test]
fn a_transfer_may_mean_another_policy_with_its_past() {
    let mut world = with(&json!({"resolution": {"target": "8h"}}));
    world.apply(
        "SlaPolicy",
        "network",
        &json!({"calendar": "always", "match": {"when": "ticket.queue == 'network' && ticket.channel == 'phone'"},
            "clocks": {"resolution": {"target": "2h", "marks": [50]}}}),
    );
    world.on("09:00", received(soon())).on("12:00", transferred("network")).until("12:01");
    expect(
        &mut world,
        &[
            "resolution#1 started 09:00 0/480m of 1/1: 100%@17:00",
            "resolution#2 started 09:00 0/120m of 1/1: 50%@10:00 100%@11:00",
            "resolution#2 warned 50% 10:00",
            "resolution#2 breached 11:00",
        ],
    );
    world.on("12:30", transferred("desk"));
    expect(
        &mut world,
        &["resolution#2 revoked 11:00 by 12:30", "resolution#3 started 09:00 0/480m of 1/1: 100%@17:00"],
    );
}

/// Proves part of: L1
#[test]
fn a_ticket_without_any_target_is_legal() {
    let mut world = with(&json!({}));
    world.on("09:00", received(soon()));
    world.on("09:05", IntakeEvent::Triaged { queue: "desk".into(), priority: Priority::Low, next: soon() });
    expect(&mut world, &[]);
    let attention = <SlaMonitor as decider::Core>::next_due(&world.state);
    assert_eq!(attention, Some(us("2024-03-06 09:00") + 1), "its attention holds");
    let person = Attention { accountable: Accountable::Person("ann".into()), attend_by: us("11:00") };
    world.on("09:10", IntakeEvent::TakenInCharge { agent: "ann".into(), next: person });
    assert_eq!(<SlaMonitor as decider::Core>::next_due(&world.state), Some(us("11:00") + 1));
}
