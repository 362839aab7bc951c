//! Dispatch's facts feed the clocks; who is off duty is not counted on.

use decider::{At, Core, Read, Tenant, Versions};
use serde_json::json;
use sla_monitor::check::{checks, holes};
use sla_monitor::{Command, SlaMonitor};
use ticket::dispatch::{DispatchEvent, OffDuty, Slot};
use ticket::intake::{Accountable, IntakeEvent};
use ticket::stream;
use uuid::Uuid;

use crate::attention::{next, queue, received, world};
use crate::world::{TICKET, World, us};

const VISIT: Uuid = Uuid::from_u128(7);

fn accepted() -> DispatchEvent {
    let slot = Slot { from: us("14:00"), arrive: us("14:30"), to: us("15:30") };
    DispatchEvent::OfferAccepted { visit: VISIT, engineer: "eve".into(), slot, depart_by: slot.from }
}

fn arrived() -> DispatchEvent {
    DispatchEvent::Arrived { visit: VISIT, engineer: "eve".into(), place: None }
}

fn goes_home(back_at: Option<&str>) -> DispatchEvent {
    DispatchEvent::DutyEnded { why: OffDuty::ShiftOver, back_at: back_at.map(us) }
}

/// A ticket with an hour to be accepted and four for somebody to arrive.
fn clocks() -> World {
    let clocks = json!({
        "accept": {"target": "1h", "run_while": ["open"], "stop": ["TakenInCharge", "OfferAccepted"]},
        "arrive": {"target": "4h", "run_while": ["open", "in_progress"], "stop": ["Arrived"]},
    });
    let mut world = World::with(&json!({"calendar": "always", "clocks": clocks, "attention": {"every": "1h"}}));
    world.on("09:00", received(next(queue("desk"), "20:00"))).said();
    world
}

/// Proves part of: L1
#[test]
fn an_offer_accepted_exactly_at_the_mark_is_accepted_in_time() {
    let mut world = clocks();
    world.until("10:00").visited("10:00", accepted());
    assert_eq!(world.said(), ["accept#1 stopped 10:00 60m met"]);
    world.until("13:00").visited("13:00", arrived()).until("18:00");
    assert_eq!(world.said(), ["arrive#1 stopped 13:00 240m met"]);
}

/// Proves part of: L1
#[test]
fn an_arrival_that_becomes_known_late_takes_the_breach_back() {
    let mut world = clocks();
    world.visited("09:30", accepted()).until("13:20").said();
    world.visited("12:55", arrived());
    assert_eq!(world.said(), ["arrive#1 revoked 13:00 by 12:55", "arrive#1 stopped 12:55 235m met"]);
}

#[test]
fn what_happens_in_the_field_of_a_ticket_that_is_not_here_makes_no_ticket() {
    let mut world = World::with(&json!({"calendar": "always", "clocks": {}}));
    world.visited("09:00", accepted());
    assert!(world.said().is_empty() && checks(&world.state, &Tenant::new("acme"), world.now).is_empty());
}

#[test]
fn a_clock_is_brought_up_to_date_and_fired_under_the_guard_of_the_field_work() {
    let world = clocks();
    let fire = Command::Fire { ticket: TICKET, clock: "accept".into(), generation: 1, share_bp: 10_000 };
    for command in [Command::Reassess { ticket: TICKET }, fire] {
        let (tenant, versions) = (Tenant::new("acme"), Versions::default());
        let read = Read::new(&world.state, &versions, &tenant);
        let now = us("12:00");
        let (actor, request) = ("service/test".into(), Uuid::nil());
        let at = At { now, occurred_at: now, tenant: tenant.clone(), actor, request };
        SlaMonitor::decide(&command, &read, &at).unwrap();
        let guards = read.into_guards();
        assert!(
            guards.contains_key(&stream::work(TICKET)) && guards.contains_key(&stream::ticket(TICKET)),
            "{command:?}"
        );
    }
}

fn hole(world: &World) -> Option<String> {
    holes(&world.state, world.now).pop().map(|hole| hole.missing)
}

/// Proves part of: L8
#[test]
fn when_everybody_goes_home_the_hole_is_named_at_once_and_closed_by_whoever_comes() {
    let mut world = world();
    world.on("09:00", received(next(queue("desk"), "20:00")));
    assert_eq!(hole(&world), None);
    world.duty("ann", goes_home(None));
    assert_eq!(hole(&world), None, "the chiefs step in");
    assert_eq!(checks(&world.state, &Tenant::new("acme"), world.now)[0].wakes, ["sue"]);
    world.duty("sue", goes_home(Some("20:01")));
    let missing = hole(&world).unwrap();
    assert!(
        missing.contains("nobody in queue desk") && missing.contains("on duty at 2024-03-04T20:00:00Z"),
        "{missing}"
    );
    world.duty("sue", goes_home(Some("20:00")));
    assert_eq!(hole(&world), None, "back before the wake");
    world.duty("sue", DispatchEvent::DutyStarted { until: Some(us("20:00")) });
    assert!(hole(&world).is_some(), "on duty now, and gone by then");
    world.duty("ann", DispatchEvent::DutyStarted { until: None });
    assert_eq!(hole(&world), None);
}

/// Proves part of: L5, L8
#[test]
fn a_wake_passes_over_queues_with_nobody_on_duty() {
    let mut world = world();
    world.on("09:00", received(next(queue("desk"), "10:00"))).duty("ann", goes_home(Some("10:45")));
    world.until("10:01");
    let missed = |step: u32, at: &str, wakes: &str, next: &str| {
        format!("attention missed {step} {at}: Queue(\"desk\") -> Queue(\"{wakes}\"), next {next}")
    };
    assert_eq!(world.said(), [missed(1, "10:00", "chiefs", "10:30")], "the chiefs are first while the desk is empty");
    world.duty("sue", goes_home(None)).until("11:01");
    let at_home = missed(2, "10:30", "desk", "11:30");
    assert_eq!(world.said(), [at_home], "decided when the desk is back");
}

/// Proves part of: L8
#[test]
fn a_person_who_went_off_duty_is_not_counted_on() {
    let mut world = world();
    let clocks = json!({"work": {"target": "8h", "marks": [50], "run_while": ["open", "in_progress"]}});
    world.apply(
        "SlaPolicy",
        "standard",
        &json!({"calendar": "always", "clocks": clocks, "attention": {"every": "1h"}}),
    );
    world.on("09:00", received(next(queue("desk"), "20:00")));
    let eve = Accountable::Person("eve".into());
    world.on("09:10", IntakeEvent::TakenInCharge { agent: "eve".into(), next: next(eve.clone(), "20:00") });
    let check = |world: &World| checks(&world.state, &Tenant::new("acme"), world.now).remove(0);
    let found = check(&world);
    assert_eq!((found.next.clock.as_str(), found.accountable, found.wakes), ("work", eve.clone(), vec!["eve".into()]));
    world.duty("eve", goes_home(None));
    assert_eq!((check(&world).accountable, check(&world).wakes), (eve, vec!["ann".to_owned()]), "the queue it lies in");
    world.duty("ann", goes_home(None)).duty("sue", goes_home(None));
    assert!(hole(&world).unwrap().starts_with("eve is off duty, and nobody in queue desk"));
}
