//! A clock's course as it is recorded: marks met exactly, pauses, late facts, reopening, priorities, policies.

use serde_json::{Value, json};
use sla_monitor::clock::{Phase, Seen, run};
use sla_monitor::policy::Policy;
use sla_monitor::scene::{About, Profile};
use ticket::intake::Status::{self, Closed, InProgress, Open, Resolved, Waiting};

use crate::world::{World, compiled, line, office, us};

fn policy(more: &Value) -> Value {
    let mut policy = json!({"calendar": "always", "clocks": {
        "work": {"target": {"low": "4h", "high": "1h"}, "marks": [50], "run_while": ["open", "in_progress"], "cancel": ["Cancel*"]},
    }});
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy
}

fn desk() -> World {
    World::with(&policy(&json!({})))
}

#[track_caller]
fn expect(world: &mut World, lines: &[&str]) {
    assert_eq!(world.said(), lines);
}

/// Proves part of: L3, L4
#[test]
fn runs_warns_pauses_resumes_and_stops_in_time() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low"));
    expect(&mut world, &["work#1 started 09:00 0/240m of 1/1: 50%@11:00 100%@13:00"]);
    world.on("10:00", line("Note", Open, "low")).on("12:00", line("Wait", Waiting, "low"));
    expect(&mut world, &["work#1 warned 50% 11:00", "work#1 paused 12:00 180m"]);
    world.on("14:00", line("Resume", InProgress, "low"));
    expect(&mut world, &["work#2 resumed 14:00 180m: 100%@15:00"]);
    world.on("14:30", line("Solve", Resolved, "low")).on("15:30", line("Close", Closed, "low"));
    expect(&mut world, &["work#2 paused 14:30 210m", "work#2 stopped 15:30 210m met"]);
    world.until("2024-03-05 09:00");
    expect(&mut world, &[]);
}

/// Proves part of: L1
#[test]
fn a_thing_done_exactly_at_the_mark_is_in_time() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low")).on("11:00", line("Wait", Waiting, "low"));
    world.until("11:30");
    expect(&mut world, &["work#1 started 09:00 0/240m of 1/1: 50%@11:00 100%@13:00", "work#1 paused 11:00 120m"]);
    // It runs again, past the mark at once.
    world.on("12:00", line("Resume", InProgress, "low"));
    expect(&mut world, &["work#2 resumed 12:00 120m: 50%@12:00 100%@14:00"]);
    world.until("12:00");
    expect(&mut world, &[]);
    world.on("14:00", line("Close", Closed, "low")).until("16:00");
    expect(&mut world, &["work#2 warned 50% 12:00", "work#2 stopped 14:00 240m met"]);
}

#[test]
fn a_stretch_without_length_fires_nothing() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low")).on("13:00", line("Wait", Waiting, "low"));
    world.on("14:00", line("Resume", InProgress, "low")).on("14:00", line("Wait", Waiting, "low"));
    world.until("20:00");
    assert!(!world.said().iter().any(|line| line.contains("breached")));
}

/// Proves part of: L3
#[test]
fn a_late_fact_takes_a_breach_back() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "high")).until("10:10");
    expect(
        &mut world,
        &[
            "work#1 started 09:00 0/60m of 1/1: 50%@09:30 100%@10:00",
            "work#1 warned 50% 09:30",
            "work#1 breached 10:00",
        ],
    );
    world.until("10:20").late("09:55", line("Solve", Closed, "high"));
    expect(&mut world, &["work#1 revoked 10:00 by 09:55", "work#1 stopped 09:55 55m met"]);
}

#[test]
fn a_late_pause_moves_the_deadline_and_it_may_be_missed_anew() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "high")).until("10:05").late("09:50", line("Wait", Waiting, "high"));
    world.said();
    world.late("10:00", line("Resume", InProgress, "high"));
    expect(&mut world, &["work#2 resumed 10:00 50m: 100%@10:10"]);
    world.until("11:00");
    expect(&mut world, &["work#2 breached 10:10"]);
}

#[test]
fn a_mark_found_to_lie_in_the_past_fires_with_its_own_instant() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "high")).on("09:10", line("Wait", Waiting, "high")).until("13:00");
    world.late("09:20", line("Resume", InProgress, "high"));
    world.fire();
    expect(
        &mut world,
        &[
            "work#1 started 09:00 0/60m of 1/1: 50%@09:30 100%@10:00",
            "work#1 paused 09:10 10m",
            "work#2 resumed 09:20 10m: 50%@09:40 100%@10:10",
            "work#2 warned 50% 09:40",
            "work#2 breached 10:10",
        ],
    );
    // A pause within, known later still, keeps what was passed before it and takes back the rest.
    world.late("10:05", line("Wait", Waiting, "high"));
    expect(&mut world, &["work#2 revoked 10:10 by 10:05", "work#2 paused 10:05 55m"]);
}

#[test]
fn a_mark_passed_before_a_halt_still_fires() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "high"));
    world.said();
    // The halt is known before the mark had a chance to fire.
    world.late("10:30", line("Solve", Closed, "high"));
    world.fire();
    expect(&mut world, &["work#1 stopped 10:30 90m missed", "work#1 warned 50% 09:30", "work#1 breached 10:00"]);
}

#[test]
fn what_a_clock_ran_past_before_its_policy_dropped_it_fires_however_late() {
    let clocks = json!({"work": {"target": "1h"}, "answer": {"target": "30m", "stop": ["Reply"]}});
    let mut world = World::with(&policy(&json!({"clocks": clocks})));
    world.on("09:00", line("New", Open, "high"));
    // Neither the reply nor the policy found the service running.
    world.late("09:45", line("Reply", InProgress, "high"));
    world.said();
    world.now = us("11:00");
    world.apply("SlaPolicy", "standard", &policy(&json!({"retroactive": true, "clocks": {}})));
    world.fire();
    expect(&mut world, &["work#1 cancelled 11:00 0m", "answer#1 breached 09:30", "work#1 breached 10:00"]);
}

#[test]
fn a_reopened_ticket_goes_on_where_it_stopped() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low")).on("12:00", line("Close", Closed, "low"));
    world.on("2024-03-06 09:00", line("Reopen", InProgress, "low"));
    world.until("2024-03-06 12:00");
    let said = world.said();
    assert_eq!(
        said[2..],
        [
            "work#1 stopped 12:00 180m met",
            "work#2 resumed 2024-03-06T09:00 180m: 100%@2024-03-06T10:00",
            "work#2 breached 2024-03-06T10:00"
        ]
    );
}

/// Proves part of: L3
#[test]
fn another_priority_is_another_budget_for_the_time_already_used() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low")).on("10:30", line("Urge", Open, "high"));
    world.until("11:00");
    expect(
        &mut world,
        &[
            "work#1 started 09:00 0/240m of 1/1: 50%@11:00 100%@13:00",
            "work#2 started 10:30 90/60m of 1/1: 50%@10:30 100%@10:30",
            "work#2 warned 50% 10:30",
            "work#2 breached 10:30",
        ],
    );
    // Lowered again: what was missed stays missed.
    world.on("11:30", line("Calm", Open, "low")).until("18:00");
    expect(&mut world, &["work#3 started 11:30 150/240m of 1/1: "]);
}

#[test]
fn a_priority_without_a_target_has_no_clock() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "medium"));
    expect(&mut world, &[]);
    world.on("10:00", line("Urge", Open, "high")).on("10:10", line("Calm", Open, "medium")).until("12:00");
    expect(
        &mut world,
        &[
            "work#1 started 10:00 60/60m of 1/1: 50%@10:00 100%@10:00",
            "work#1 warned 50% 10:00",
            "work#1 breached 10:00",
            "work#1 cancelled 10:10 70m",
        ],
    );
}

#[test]
fn what_is_called_off_is_neither_in_time_nor_late() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low")).on("10:00", line("Cancelled", Closed, "low"));
    world.on("11:00", line("Note", Open, "low")).until("18:00");
    let said = world.said();
    assert_eq!(said[1..], ["work#1 cancelled 10:00 60m"]);
}

/// Proves part of: L3
#[test]
fn a_new_version_takes_open_tickets_over_only_if_it_says_so() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low")).on("10:00", line("Wait", Waiting, "low"));
    world.on("11:00", line("Resume", InProgress, "low")).until("12:00");
    world.said();
    let faster = json!({"clocks": {"work": {"target": "3h", "run_while": ["open", "in_progress"]}}});
    world.apply("SlaPolicy", "standard", &policy(&faster));
    world.on("12:10", line("Note", InProgress, "low"));
    expect(&mut world, &["work#2 warned 50% 12:00"]);
    let retroactive =
        json!({"retroactive": true, "clocks": {"work": {"target": "3h", "run_while": ["open", "in_progress"]}}});
    world.apply("SlaPolicy", "standard", &policy(&retroactive));
    expect(&mut world, &["work#3 started 11:00 60/180m of 3/1: 100%@13:00"]);
}

#[test]
fn a_version_that_drops_a_clock_cancels_it() {
    let mut world = desk();
    world.on("09:00", line("New", Open, "low"));
    world.said();
    world.apply("SlaPolicy", "standard", &policy(&json!({"retroactive": true, "clocks": {}})));
    expect(&mut world, &["work#1 cancelled 09:00 0m"]);
}

#[track_caller]
fn marks(zone: &str, clock: &Value, facts: &[(&str, &str, Status)], expected: &[(u32, &str)]) -> Phase {
    let policy = Policy::read(&json!({"calendar": "c", "clocks": {"c": clock}})).unwrap();
    let seen = facts.iter().map(|(at, activity, status)| Seen { status: Some(*status), ..Seen::of(us(at), activity) });
    let profile = Profile::default();
    let about = About { ticket_type: "", imported: true, profile: &profile };
    let course = run(&policy.clocks[0], &compiled(office(zone)), about, seen).unwrap();
    let found: Vec<_> = course.marks.iter().map(|mark| (mark.share_bp / 100, mark.at)).collect();
    let expected: Vec<_> = expected.iter().map(|(share, at)| (*share, us(at))).collect();
    assert_eq!(found, expected);
    course.phase
}

/// Proves part of: L2
#[test]
fn the_night_the_clocks_change_is_not_working_time_and_moves_the_hours() {
    // Rome: Friday in winter time (UTC+1), Monday in summer time (UTC+2).
    let clock = json!({"target": "4h", "marks": [50]});
    let facts = [("2024-03-29 15:00", "New", Open)];
    marks("Europe/Rome", &clock, &facts, &[(50, "2024-04-01 08:00"), (100, "2024-04-01 10:00")]);
}

#[test]
fn a_target_of_nothing_is_met_by_the_opening_event_alone() {
    let clock = json!({"target": "0s", "stop": ["Solve"]});
    let at_once = [("09:00", "Solve", Open)];
    assert_eq!(marks("UTC", &clock, &at_once, &[]), Phase::Stopped { met: true });
    let same_instant = [("09:00", "New", Open), ("09:00", "Solve", Open)];
    assert_eq!(marks("UTC", &clock, &same_instant, &[]), Phase::Stopped { met: true });
    let later = [("09:00", "New", Open), ("09:01", "Solve", Open)];
    assert_eq!(marks("UTC", &clock, &later, &[(100, "09:00")]), Phase::Stopped { met: false });
}

#[test]
fn a_mark_at_closing_time_fires_then_if_the_clock_ran_into_the_evening() {
    let clock = json!({"target": "2h", "run_while": ["open"]});
    let evening = [("15:00", "New", Open), ("17:30", "Wait", Waiting)];
    marks("UTC", &clock, &evening, &[(100, "17:00")]);
    let closing = [("15:00", "New", Open), ("17:00", "Wait", Waiting), ("18:00", "Resume", Open)];
    marks("UTC", &clock, &closing, &[(100, "18:00")]);
}

#[test]
fn of_one_instant_what_became_known_last_holds() {
    let mut world = desk();
    world.on("09:00", line("New", Waiting, "low")).on("09:00", line("Start", Open, "low"));
    world.until("13:30");
    let said = world.said();
    assert_eq!(said.last().unwrap(), "work#2 breached 13:00");
}
