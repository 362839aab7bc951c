//! What is told late, again, or by somebody hostile: reactions repeated after a crash, reactions parked, numbers and texts
//! as large as they can be.

use decider::Micros;
use dispatch::Refusal;
use dispatch::command::Verb;
use dispatch::duty;
use dispatch::view::Dossier;
use proptest::prelude::*;
use serde_json::json;
use ticket::dispatch::{DispatchEvent, OffDuty, Place, StopReason};
use ticket::house::HouseEvent;
use ticket::intake::{FieldValue, IntakeEvent, Priority, WaitReason};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::world::{TICKET, World, next, north, received, request, text, us, wait_ended};

const MINUTE: Micros = 60_000_000;

fn resolved() -> IntakeEvent {
    IntakeEvent::Resolved { solution: text(""), evidence: Vec::new(), confirm_by: i64::MAX, next: next() }
}

fn rejected() -> IntakeEvent {
    IntakeEvent::ConfirmationRejected { reason: text("it squeaks"), next: next() }
}

fn opened(fields: &[(&str, FieldValue)]) -> IntakeEvent {
    IntakeEvent::Received { request: Box::new(request("repair", Priority::Medium, fields)), next: next() }
}

/// Somebody says this of their time, and nobody reacts yet.
fn noted(world: &mut World, who: &str, event: DispatchEvent) {
    world.record(world.now, stream::engineer(who), Event::Dispatch(event));
}

/// Proves part of: D7
#[test]
fn the_end_of_a_ticket_told_again_spares_the_visit_planned_when_it_came_back() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    let work = Verb::Complete { report: "a new drum".into(), evidence: vec!["photo/1".into()] };
    for verb in [Verb::Accept, Verb::Depart, Verb::Arrive { place: None }, Verb::Start, work] {
        world.does("ann", verb).unwrap();
    }
    let ended = world.log.len();
    world.ticket(TICKET, resolved());
    world.ticket(TICKET, rejected());
    world.does("ann", Verb::Accept).unwrap();
    assert_eq!(world.said().last().unwrap(), "OfferAccepted ann");
    world.restart(ended);
    assert_eq!(world.said(), [""; 0], "the second visit stands");
    world.ticket(TICKET, resolved());
    assert_eq!(world.said(), ["VisitCancelled TicketEnded", "SlotReleased ann"]);
}

/// Proves part of: D10
#[test]
fn who_is_back_before_anybody_reacted_keeps_the_visits() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.does("ann", Verb::Accept).unwrap();
    world.said();
    let from = world.log.len();
    let sick = || DispatchEvent::DutyEnded { why: OffDuty::Sick, back_at: None };
    noted(&mut world, "ann", sick());
    noted(&mut world, "ann", DispatchEvent::DutyStarted { until: None });
    let (from_noon, to) = (us("09:00"), us("12:00"));
    noted(&mut world, "ann", DispatchEvent::TimeOffBooked { from: from_noon, to });
    noted(&mut world, "ann", DispatchEvent::TimeOffCancelled { from: from_noon });
    let (kind, name) = ("Engineer".to_owned(), "ann".to_owned());
    let document = stream::config("dispatch", &kind, &name);
    let spec = json!({"skills": {"printers": 2}, "home": north(1_000), "shift": "day"});
    let retired = HouseEvent::ConfigRetired { kind: kind.clone(), name: name.clone() };
    for event in [retired, HouseEvent::ConfigApplied { kind, name, spec, reason: None }] {
        world.record(world.now, document.clone(), Event::House(event));
    }
    world.restart(from);
    let kept = ["DutyEnded", "DutyStarted", "TimeOffBooked", "TimeOffCancelled"];
    assert_eq!(world.said(), kept);
    world.restart(from);
    assert_eq!(world.said(), [""; 0]);
    noted(&mut world, "ann", sick());
    world.react();
    assert_eq!(world.said()[1], "VisitReleased ann OffDuty");
}

/// Proves part of: D5, D10
#[test]
fn what_was_given_to_somebody_off_duty_stays_given_though_the_end_of_duty_is_told_again() {
    let mut world = World::new();
    let from = world.log.len();
    noted(&mut world, "ann", DispatchEvent::DutyEnded { why: OffDuty::Sick, back_at: None });
    world.restart(from);
    world.on("09:00", received("repair"));
    let override_reason = "she takes this one from home".into();
    world.dispatcher(Verb::Assign { engineer: "ann".into(), arrive_at: None, override_reason }).unwrap();
    world.said();
    world.restart(from);
    assert_eq!(world.said(), [""; 0], "the dispatcher knew");
}

/// Proves part of: D7
#[test]
fn a_wait_that_ended_told_again_is_not_the_end_of_a_later_one() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    let from = world.log.len();
    world.ticket(TICKET, wait_ended(WaitReason::Customer, &[]));
    for verb in [Verb::Accept, Verb::Depart, Verb::Arrive { place: None }, Verb::Start] {
        world.does("ann", verb).unwrap();
    }
    world.does("ann", Verb::Stop { why: StopReason::Parts, note: String::new() }).unwrap();
    world.said();
    world.restart(from);
    assert_eq!(world.said(), [""; 0], "the parts are still waited for");
    world.ticket(TICKET, wait_ended(WaitReason::Parts, &[]));
    assert_eq!(world.said()[0], "VisitPlanned 2");
}

/// Proves part of: D7
#[test]
fn a_reaction_takes_effect_after_what_it_overrides() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    noted(&mut world, "ann", DispatchEvent::DutyEnded { why: OffDuty::Sick, back_at: None });
    world.now += 1_000_000;
    world.does("ann", Verb::Accept).unwrap();
    let at = |kind: &str| {
        let found = world.log.iter().find(|recorded| format!("{:?}", recorded.event).contains(kind));
        found.unwrap().occurred_at
    };
    assert_eq!(at("VisitReleased"), at("OfferAccepted"), "not at 09:00, when she had not accepted yet");
}

/// Proves part of: D10
#[test]
fn who_says_when_duty_ends_loses_what_lies_beyond() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.does("ann", Verb::Accept).unwrap();
    world.said();
    let until = |at: &str| duty::Verb::Start { until: Some(us(at)) };
    assert_eq!(world.says("ann", until("10:30")), Ok(1));
    assert_eq!(world.said(), ["DutyStarted"]);
    assert_eq!(world.says("ann", until("09:45")), Ok(1));
    assert_eq!(world.said()[..3], ["DutyStarted", "VisitReleased ann OffDuty", "SlotReleased ann"]);
}

/// Proves part of: D7
#[test]
fn an_offer_made_to_somebody_who_declined_may_be_declined_again() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    let decline = || Verb::Decline { reason: "another tool is needed".into() };
    assert_eq!(world.does("ann", decline()), Ok(2));
    assert_eq!(world.does("ann", decline()), Ok(0), "it is not hers");
    let assign =
        Verb::Assign { engineer: "ann".into(), arrive_at: None, override_reason: "the tool is in her car".into() };
    world.dispatcher(assign).unwrap();
    world.said();
    assert_eq!(world.does("ann", decline()), Ok(2));
    assert_eq!(world.said()[..3], ["OfferDeclined ann", "SlotReleased ann", "Offered bob 09:07 #4"]);
}

/// Proves part of: D8
#[test]
fn a_no_show_is_judged_by_what_was_said_at_the_acceptance() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    let (visit, slot) = (world.last_visit(TICKET), world.slot());
    let accepted = DispatchEvent::OfferAccepted { visit, engineer: "ann".into(), slot, depart_by: us("09:40") };
    world.record(world.now, stream::work(TICKET), Event::Dispatch(accepted));
    world.said();
    world.until("09:40");
    assert_eq!(world.said(), [""; 0], "whatever the policy says by now");
    world.until("09:41");
    assert_eq!(world.said()[0], "VisitReleased ann NoShow");
    world.does("bob", Verb::Accept).unwrap();
    let said = world.last(|event| match event {
        DispatchEvent::OfferAccepted { depart_by, .. } => Some(*depart_by),
        _ => None,
    });
    assert_eq!(said, us("09:41") + 15 * MINUTE, "the policy's grace, from the acceptance on");
}

/// A visit of another ticket that was planned, and never chosen for.
fn stranded() -> World {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    let job =
        world.last(|event| if let DispatchEvent::VisitPlanned { job, .. } = event { Some(job.clone()) } else { None });
    let other = Uuid::from_u128(2);
    world.record(world.now, stream::ticket(other), Event::Intake(received("repair")));
    let planned = DispatchEvent::VisitPlanned { visit: Uuid::from_u128(22), number: 1, job };
    world.record(world.now, stream::work(other), Event::Dispatch(planned));
    world.miss();
    world.said();
    world
}

/// Proves part of: D7, L8
#[test]
fn a_visit_whose_choice_was_lost_is_chosen_for_all_the_same() {
    let mut world = stranded();
    world.until("09:01");
    assert_eq!(world.said(), [""; 0]);
    world.until("09:02");
    assert_eq!(world.said(), ["Offered bob 09:08 #1", "SlotHeld bob"]);
    let mut world = stranded();
    world.says("eve", duty::Verb::Start { until: Some(us("17:00")) }).unwrap();
    assert_eq!(world.said()[1], "Offered bob 09:07 #1", "or when somebody comes on duty");
}

/// Proves part of: D7, D13
#[test]
fn nobody_is_looked_for_less_and_less_often_and_named_once() {
    let mut world = World::bare(&json!({"retry_every": "20m"}));
    world.engineer("ann", &json!({"skills": {"network": 1}, "shift": "day"}));
    world.on("09:00", received("repair"));
    world.until("13:30");
    world.engineer("bob", &json!({"skills": {"network": 1}, "shift": "day"}));
    world.until("15:30");
    let tries = world.log.iter().filter_map(|recorded| match &recorded.event {
        Event::Dispatch(DispatchEvent::NobodyFound { retry_at, decision, same_as, .. }) => {
            Some(((retry_at - decision.at) / MINUTE, decision.dropped.len(), *same_as))
        }
        _ => None,
    });
    let again = |minutes| (minutes, 0, Some(1));
    assert_eq!(
        tries.collect::<Vec<_>>(),
        [(20, 1, None), again(40), again(80), again(120), again(120), (20, 2, None)],
        "twice as long each time up to two hours, and anew when something changed"
    );
    let work: Vec<_> = world.log.iter().filter(|one| one.stream == stream::work(TICKET)).cloned().collect();
    let named = |upto: usize| {
        let dossier = Dossier::fold(&work[..upto]);
        let shown = dossier.work.visits[0].findings.as_ref().unwrap().first.len();
        (dossier.decisions[&dossier.work.visits[0].id].decision.dropped.len(), shown)
    };
    assert_eq!((named(2), named(6), named(7)), ((1, 1), (1, 1), (2, 2)), "they are known all the same");
}

/// Proves part of: D13
#[test]
fn a_choice_always_fits_into_an_event() {
    let mut world = World::bare(&json!({}));
    for n in 0..1_000 {
        world.engineer(
            &format!("engineer-{n:04}"),
            &json!({"skills": {"printers": 1}, "regions": ["x"], "shift": "day"}),
        );
    }
    let region = FieldValue::Text("\u{1}".repeat(10_000));
    world.on("09:00", opened(&[("region", region)]));
    assert_eq!(world.said(), ["VisitPlanned 1", "NobodyFound #1"]);
    let event = world.log.iter().rfind(|one| one.stream == stream::work(TICKET)).unwrap();
    let (_, body) = ticket::codec::encode(&event.event).unwrap();
    assert!(body.len() < 200 * 1_024, "{}", body.len());
    let decision = world.last(|event| match event {
        DispatchEvent::NobodyFound { decision, .. } => Some(decision.clone()),
        _ => None,
    });
    assert_eq!((decision.candidates, decision.dropped[0].detail.chars().count()), (1_000, 64));
    assert!(decision.dropped.len() > 100, "{}", decision.dropped.len());
}

fn degrees() -> impl Strategy<Value = i64> {
    let edges = [0, 90_000_000, 90_000_001, 180_000_000, 180_000_001, i64::MAX];
    let edge = proptest::sample::select(edges.to_vec());
    prop_oneof![any::<i64>(), Just(i64::MIN), edge.clone(), edge.prop_map(|edge| -edge), -180_000_000..=180_000_000_i64]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Proves part of: D2
    #[test]
    fn no_place_is_too_far_away_to_be_judged(lat_udeg in degrees(), lon_udeg in degrees()) {
        let place = Place { lat_udeg, lon_udeg };
        let exists = lat_udeg.unsigned_abs() <= 90_000_000 && lon_udeg.unsigned_abs() <= 180_000_000;
        let mut world = World::new();
        let reported = world.says("ann", duty::Verb::Report { place });
        let fields = [("lat_udeg", FieldValue::Number(lat_udeg)), ("lon_udeg", FieldValue::Number(lon_udeg))];
        world.on("09:00", opened(&fields));
        let job = world.last(|event| {
            if let DispatchEvent::VisitPlanned { job, .. } = event { Some(job.clone()) } else { None }
        });
        prop_assert_eq!(job.site, exists.then_some(place));
        let chosen = world.said();
        prop_assert!(chosen.iter().any(|one| one.starts_with("Offered") || one.starts_with("NobodyFound")), "{:?}", chosen);
        let arrived = world.dispatcher(Verb::Arrive { place: Some(place) });
        for refused in [reported, arrived] {
            prop_assert_eq!(!matches!(refused, Err(Refusal::Invalid(_))), exists);
        }
    }
}
