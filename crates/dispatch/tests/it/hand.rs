//! A dispatcher's hand, in given/when/then.

use dispatch::Refusal;
use dispatch::command::Verb;
use dispatch::duty;
use dispatch::work::VisitState;
use serde_json::json;
use ticket::dispatch::{Chooser, DispatchEvent, HardRule, OffDuty, Term};
use ticket::intake::IntakeEvent;
use uuid::Uuid;

use crate::world::{TICKET, World, north, received, text, us};

fn assign(engineer: &str, arrive: Option<&str>, reason: &str) -> Verb {
    let arrive_at = arrive.map(us);
    Verb::Assign { engineer: engineer.into(), arrive_at, override_reason: reason.into() }
}

fn hand_over(engineer: &str) -> Verb {
    Verb::HandOver { engineer: engineer.into(), note: "the key is at the desk".into(), override_reason: String::new() }
}

fn rules(refusal: Refusal) -> Vec<HardRule> {
    match refusal {
        Refusal::HardRule(rules) => rules.into_iter().map(|(rule, _)| rule).collect(),
        other => panic!("{other:?}"),
    }
}

/// Zoe lacks the skill, works elsewhere, and is off duty.
fn with_zoe() -> World {
    let mut world = World::new();
    let zoe = json!({"skills": {"network": 1}, "regions": ["south"], "home": north(2_000), "shift": "day"});
    world.engineer("zoe", &zoe);
    world.says("zoe", duty::Verb::End { why: OffDuty::ShiftOver, back_at: None }).unwrap();
    world.on("09:00", received("repair"));
    world.said();
    world
}

/// Proves part of: D5
#[test]
fn a_dispatcher_gives_a_visit_to_somebody_else() {
    let mut world = with_zoe();
    assert_eq!(world.dispatcher(assign("eve", Some("11:00"), "")), Ok(4));
    let events = ["VisitReleased ann Reassigned", "SlotReleased ann", "Offered eve 11:00 #2", "SlotHeld eve"];
    assert_eq!(world.said(), events);
    assert_eq!(world.dispatcher(assign("nobody", None, "")), Err(Refusal::EngineerUnknown("nobody".into())));
    let past = world.dispatcher(assign("bob", Some("08:59"), "")).unwrap_err();
    assert!(matches!(past, Refusal::Invalid(faults) if faults[0].field == "arrive_time"));
}

/// Proves: D5
#[test]
fn a_hard_rule_is_broken_only_with_a_reason_which_stays() {
    let mut world = with_zoe();
    let broken = [HardRule::Skill, HardRule::Region, HardRule::OffDuty, HardRule::NoSlot];
    assert_eq!(rules(world.dispatcher(assign("zoe", None, "  ")).unwrap_err()), broken);
    assert_eq!(world.said(), [""; 0]);
    assert_eq!(world.dispatcher(assign("zoe", None, "she is next door")), Ok(4));
    let decision = world.last(|event| match event {
        DispatchEvent::Offered { decision, .. } => Some(decision.clone()),
        _ => None,
    });
    let reason = "she is next door".to_owned();
    assert_eq!(decision.chooser, Chooser::Override { rules: broken.into(), reason });
    assert_eq!(decision.ranked[0].engineer, "zoe");
    assert_eq!(decision.ranked[0].costs[0].0, Term::Travel);
}

/// Proves part of: D5
#[test]
fn nobody_overrides_two_visits_at_once_nor_an_ended_ticket() {
    let mut world = with_zoe();
    let second = Uuid::from_u128(2);
    world.ticket(second, received("repair"));
    assert_eq!(world.said()[1], "Offered bob 09:07 #1");
    let both = world.dispatcher(assign("bob", Some("09:30"), "he can do two")).unwrap_err();
    assert_eq!(both, Refusal::Overlap("bob".into()));
    world.ticket(TICKET, IntakeEvent::Cancelled { reason: text("never mind") });
    assert_eq!(world.dispatcher(assign("eve", None, "all the same")), Err(Refusal::TicketEnded));
}

/// Proves part of: D5
#[test]
fn what_has_begun_stays_where_it_is() {
    let mut world = with_zoe();
    world.does("ann", Verb::Accept).unwrap();
    world.does("ann", Verb::Depart).unwrap();
    for verb in [assign("eve", None, ""), Verb::Release { reason: "x".into() }, hand_over("eve")] {
        assert_eq!(world.dispatcher(verb), Err(Refusal::VisitBegun(VisitState::EnRoute)));
    }
}

/// Proves part of: D5, D7
#[test]
fn a_visit_withdrawn_goes_to_the_next() {
    let mut world = with_zoe();
    world.does("ann", Verb::Accept).unwrap();
    world.said();
    assert_eq!(
        world.does("ann", Verb::Decline { reason: "x".into() }).unwrap_err(),
        Refusal::OutOfOrder { state: VisitState::Accepted, next: "ReleaseVisit" }
    );
    assert_eq!(world.dispatcher(Verb::Release { reason: "needed elsewhere".into() }), Ok(2));
    assert_eq!(world.said()[..3], ["VisitReleased ann Withdrawn", "SlotReleased ann", "Offered bob 09:07 #2"]);
}

/// Proves part of: D10
#[test]
fn accepted_work_is_handed_over_with_its_note() {
    let mut world = with_zoe();
    assert_eq!(
        world.does("ann", hand_over("bob")).unwrap_err(),
        Refusal::OutOfOrder { state: VisitState::Offered, next: "AcceptOffer" }
    );
    world.does("ann", Verb::Accept).unwrap();
    world.said();
    assert_eq!(world.does("bob", hand_over("bob")), Err(Refusal::NotYours));
    assert_eq!(rules(world.does("ann", hand_over("zoe")).unwrap_err())[0], HardRule::Skill);
    assert_eq!(world.does("ann", hand_over("bob")), Ok(3));
    assert_eq!(world.said(), ["WorkHandedOver ann bob", "SlotReleased ann", "SlotHeld bob"]);
    assert_eq!(world.does("ann", Verb::Depart), Err(Refusal::NotYours));
    assert_eq!(world.does("bob", Verb::Depart), Ok(1));
}

/// Proves part of: D8
#[test]
fn positions_are_kept_coarse_and_are_where_the_way_begins() {
    let mut world = World::new();
    let place = ticket::dispatch::Place { lat_udeg: 50_000_000, lon_udeg: 8_000_000 };
    assert_eq!(world.says("eve", duty::Verb::Report { place }), Ok(1));
    world.until("08:04");
    assert_eq!(world.says("eve", duty::Verb::Report { place }), Ok(0));
    let odd = ticket::dispatch::Place { lat_udeg: 91_000_000, lon_udeg: 0 };
    assert!(matches!(world.says("eve", duty::Verb::Report { place: odd }), Err(Refusal::Invalid(_))));
    world.said();
    world.on("08:10", received("repair"));
    assert_eq!(world.said()[1], "Offered eve 08:10 #1", "she stands before the door");
}
