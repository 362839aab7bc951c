//! A visit from the ticket to its end, in given/when/then; the world checks that every command repeated is silent.

use dispatch::Refusal;
use dispatch::command::Verb;
use dispatch::duty;
use dispatch::work::VisitState;
use serde_json::json;
use ticket::dispatch::{DispatchEvent, HardRule, OffDuty, StopReason};
use ticket::intake::{FieldValue, IntakeEvent, Priority, WaitReason};
use ticket::notifier::NotifierEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::world::{TICKET, World, next, north, received, request, shift, text, us, wait_ended};

fn complete(evidence: &[&str]) -> Verb {
    let evidence = evidence.iter().map(|one| (*one).to_owned()).collect();
    Verb::Complete { report: "a new drum".into(), evidence }
}

fn decline() -> Verb {
    Verb::Decline { reason: "another tool is needed".into() }
}

fn stop(why: StopReason) -> Verb {
    Verb::Stop { why, note: String::new() }
}

/// Proves part of: N5
#[test]
fn an_offer_taken_by_a_link_is_accepted_if_it_still_stands_and_is_theirs() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.said();
    let visit = world.last_visit(TICKET);
    let taken_by = |world: &mut World, by: &str| {
        let taken = NotifierEvent::OfferTaken { reminder: Uuid::nil(), visit, by: by.into() };
        world.record(world.now, stream::reminder(TICKET), Event::Notifier(taken));
        world.react();
        world.said()
    };
    assert_eq!(taken_by(&mut world, "bob"), [""; 0], "it was not offered to him");
    assert_eq!(taken_by(&mut world, "ann"), ["OfferAccepted ann"]);
    assert_eq!(taken_by(&mut world, "ann"), [""; 0], "taken twice, it is accepted once");
}

/// Proves part of: D7, D8
#[test]
fn a_visit_goes_from_the_offer_to_the_report_step_by_step() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    assert_eq!(world.said(), ["VisitPlanned 1", "Offered ann 09:01 #1", "SlotHeld ann"]);
    let early = world.does("ann", Verb::Depart).unwrap_err();
    assert_eq!(early, Refusal::OutOfOrder { state: VisitState::Offered, next: "AcceptOffer" });
    for verb in [Verb::Accept, Verb::Depart] {
        assert_eq!(world.does("bob", verb.clone()), Err(Refusal::NotYours), "{verb:?}");
        assert_eq!(world.does("ann", verb), Ok(1));
    }
    let skipped = world.does("ann", Verb::Start).unwrap_err();
    assert_eq!(skipped, Refusal::OutOfOrder { state: VisitState::EnRoute, next: "ArriveAtVisit" });
    world.until("09:02");
    for verb in
        [Verb::Arrive { place: None }, Verb::Start, Verb::Pause { reason: "the room is locked".into() }, Verb::Continue]
    {
        assert_eq!(world.does("ann", verb), Ok(1));
    }
    world.until("09:40");
    assert_eq!(world.does("ann", complete(&[])), Err(Refusal::EvidenceMissing { required: 1 }));
    assert_eq!(world.does("ann", complete(&["photo/1"])), Ok(2));
    let expected = [
        "OfferAccepted ann",
        "Departed",
        "Arrived",
        "WorkStarted",
        "WorkPaused",
        "WorkContinued",
        "VisitCompleted",
        "SlotReleased ann",
    ];
    assert_eq!(world.said(), expected);
    assert_eq!(world.does("ann", stop(StopReason::Parts)), Err(Refusal::VisitEnded(VisitState::Complete)));
}

/// Proves part of: D7
#[test]
fn who_declines_or_lets_the_offer_pass_is_not_asked_again() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.said();
    assert_eq!(world.does("ann", decline()), Ok(2));
    assert_eq!(world.said(), ["OfferDeclined ann", "SlotReleased ann", "Offered bob 09:07 #2", "SlotHeld bob"]);
    world.until("09:10");
    assert_eq!(world.said(), [""; 0], "an answer at the deadline is in time");
    world.now += 1;
    assert_eq!(world.does("bob", Verb::Accept), Err(Refusal::OfferOver));
    world.until("09:11");
    assert_eq!(world.said()[..2], ["OfferExpired bob", "SlotReleased bob"]);
    world.until("09:22");
    let said = world.said();
    assert_eq!(said.last().unwrap(), "NobodyFound #4", "{said:?}");
    let dropped = world.last(|event| match event {
        DispatchEvent::NobodyFound { decision, .. } => Some(decision.dropped.clone()),
        _ => None,
    });
    assert!(dropped.len() == 3 && dropped.iter().all(|one| one.rule == HardRule::Declined), "{dropped:?}");
}

/// Proves part of: D7
#[test]
fn who_sleeps_is_asked_when_the_shift_begins() {
    let mut world = World::new();
    world.until("20:00");
    world.on("23:00", received("repair"));
    assert_eq!(world.said()[1..], ["Offered ann 08:01 #1", "SlotHeld ann"]);
    world.until("2024-03-05 08:10");
    assert_eq!(world.said(), [""; 0], "nobody is taken for silent at night");
    assert_eq!(world.does("ann", Verb::Accept), Ok(1));
}

/// Proves part of: D7, D13
#[test]
fn a_visit_nobody_can_do_waits_with_its_reasons_and_is_tried_again() {
    let mut world = World::bare(&json!({"retry_every": "20m"}));
    world.engineer("ann", &json!({"skills": {"network": 1}, "shift": "day"}));
    world.on("09:00", received("repair"));
    assert_eq!(world.said(), ["VisitPlanned 1", "NobodyFound #1"]);
    world.until("09:25");
    assert_eq!(world.said(), ["NobodyFound #2"]);
    assert_eq!(world.says("ann", duty::Verb::Start { until: Some(us("20:00")) }), Ok(1));
    assert_eq!(world.said(), ["DutyStarted"], "what is known already is not said again");
    world.engineer("bob", &json!({"skills": {"printers": 1}, "shift": "day"}));
    assert_eq!(world.said(), ["Offered bob 09:25 #3", "SlotHeld bob"]);
}

/// Proves part of: D5
#[test]
fn in_recommend_mode_a_dispatcher_has_the_last_word() {
    let mut world = World::bare(&json!({"mode": "recommend", "decide_within": "30m"}));
    world.engineer("ann", &json!({"skills": {"printers": 2}, "shift": "day"}));
    world.on("09:00", received("repair"));
    assert_eq!(world.said(), ["VisitPlanned 1", "Recommended ann #1"]);
    world.until("09:31");
    assert_eq!(world.said(), ["Recommended ann #2"], "nobody decided");
    let assign = Verb::Assign { engineer: "ann".into(), arrive_at: None, override_reason: String::new() };
    assert_eq!(world.dispatcher(assign), Ok(2));
    assert_eq!(world.said(), ["Offered ann 09:31 #3", "SlotHeld ann"]);
}

/// Proves part of: D10
#[test]
fn visits_not_begun_pass_on_when_duty_ends() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.does("ann", Verb::Accept).unwrap();
    world.said();
    let back_at = Some(us("13:00"));
    assert_eq!(world.says("ann", duty::Verb::End { why: OffDuty::Sick, back_at }), Ok(1));
    let passed = ["DutyEnded", "VisitReleased ann OffDuty", "SlotReleased ann", "Offered bob 09:07 #2", "SlotHeld bob"];
    assert_eq!(world.said(), passed);
    world.does("bob", Verb::Accept).unwrap();
    world.does("bob", Verb::Depart).unwrap();
    world.said();
    world.says("bob", duty::Verb::End { why: OffDuty::ShiftOver, back_at: None }).unwrap();
    assert_eq!(world.said(), ["DutyEnded"], "who is on the way goes on");
}

/// Proves part of: D10
#[test]
fn time_off_frees_the_visits_within_it() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.said();
    let off = duty::Verb::Book { from: us("09:30"), to: us("12:00") };
    assert_eq!(world.says("ann", off.clone()), Ok(1));
    assert_eq!(world.said()[..3], ["TimeOffBooked", "VisitReleased ann OffDuty", "SlotReleased ann"]);
    assert_eq!(world.says("ann", duty::Verb::Cancel { from: us("09:30") }), Ok(1));
    let back = duty::Verb::Book { from: us("12:00"), to: us("11:00") };
    let Err(Refusal::Invalid(faults)) = world.says("ann", back) else { panic!("it ends before it begins") };
    let told = (faults[0].field.as_str(), faults[0].message.as_str());
    assert_eq!(told, ("end_time", "must lie after start_time, by at most 366 days"));
}

/// Proves part of: D7, D8
#[test]
fn who_does_not_set_out_in_time_loses_the_visit() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.until("09:05");
    world.does("ann", Verb::Accept).unwrap();
    world.said();
    world.until("09:20");
    assert_eq!(world.said(), [""; 0], "fifteen minutes of grace, counted from the acceptance if that was later");
    world.until("09:21");
    assert_eq!(world.said()[..3], ["VisitReleased ann NoShow", "SlotReleased ann", "Offered bob 09:27 #2"]);
}

/// Proves part of: D8, D14
#[test]
fn a_phone_reports_late_what_happened_in_its_order() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.does("ann", Verb::Accept).unwrap();
    world.until("09:12");
    let at = |refusal: Refusal| match refusal {
        Refusal::Invalid(faults) => faults[0].message.clone(),
        other => panic!("{other:?}"),
    };
    assert!(at(world.did("ann", Verb::Depart, us("08:59")).unwrap_err()).contains("before"));
    assert!(at(world.did("ann", Verb::Depart, us("09:13")).unwrap_err()).contains("future"));
    assert_eq!(world.did("ann", Verb::Depart, us("09:05")), Ok(1));
    assert!(at(world.did("ann", Verb::Arrive { place: None }, us("09:04")).unwrap_err()).contains("came to last"));
    world.until("2024-03-07 09:30");
    assert!(at(world.did("ann", Verb::Arrive { place: None }, us("09:06")).unwrap_err()).contains("72 hours"));
    assert_eq!(world.did("ann", Verb::Arrive { place: None }, us("2024-03-04 12:00")), Ok(1));
}

/// Proves part of: D7
#[test]
fn a_ticket_that_ends_calls_its_visit_off() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    world.does("ann", Verb::Accept).unwrap();
    world.said();
    world.ticket(TICKET, IntakeEvent::Cancelled { reason: text("never mind") });
    assert_eq!(world.said(), ["VisitCancelled TicketEnded", "SlotReleased ann"]);
    assert_eq!(world.does("ann", Verb::Depart), Err(Refusal::TicketEnded));
    world.until("10:00");
    assert_eq!(world.said(), [""; 0], "nothing falls due any more");
}

/// Proves part of: D7
#[test]
fn a_visit_that_did_not_do_it_is_followed_by_another() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    for verb in [Verb::Accept, Verb::Depart, Verb::Arrive { place: None }] {
        world.does("ann", verb).unwrap();
    }
    world.said();
    world.does("ann", stop(StopReason::MoreTime)).unwrap();
    let again = ["VisitStopped", "SlotReleased ann", "VisitPlanned 2", "Offered ann 09:00 #1", "SlotHeld ann"];
    assert_eq!(world.said(), again, "she is there, and knows the ticket");
    for verb in [Verb::Accept, Verb::Depart, Verb::Arrive { place: None }, stop(StopReason::Parts)] {
        world.does("ann", verb).unwrap();
    }
    world.said();
    world.until("12:00");
    assert_eq!(world.said(), [""; 0], "parts are waited for");
    world.ticket(TICKET, wait_ended(WaitReason::Parts, &[WaitReason::Approval]));
    assert_eq!(world.said(), [""; 0], "the parts are there, the approval is not");
    world.ticket(TICKET, wait_ended(WaitReason::Approval, &[]));
    assert_eq!(world.said()[0], "VisitPlanned 3");
}

/// Proves part of: D7
#[test]
fn a_ticket_that_comes_back_is_visited_again_as_before() {
    let mut world = World::new();
    world.on("09:00", received("repair"));
    for verb in [Verb::Accept, Verb::Depart, Verb::Arrive { place: None }, Verb::Start, complete(&["photo/1"])] {
        world.does("ann", verb).unwrap();
    }
    let confirm_by = us("2024-03-08 09:00");
    world.ticket(TICKET, IntakeEvent::Resolved { solution: text(""), evidence: Vec::new(), confirm_by, next: next() });
    world.ticket(TICKET, IntakeEvent::Closed { review: String::new() });
    world.said();
    world.on("2024-03-05 09:00", IntakeEvent::Reopened { reason: text("again"), next: next() });
    assert_eq!(world.said()[0], "VisitPlanned 2");
    let job =
        world.last(|event| if let DispatchEvent::VisitPlanned { job, .. } = event { Some(job.clone()) } else { None });
    let decision = world.last(|event| match event {
        DispatchEvent::Offered { decision, .. } => Some(decision.clone()),
        _ => None,
    });
    assert_eq!((job.region.as_deref(), job.skills["printers"], job.site.is_some()), (Some("north"), 1, true));
    assert_eq!(job.arrive_by, us("2024-03-05 17:00"));
    let strange = |name: &str| decision.ranked.iter().find(|one| one.engineer == name).unwrap().seen.amounts[5].1;
    assert_eq!((strange("ann"), strange("bob")), (0, 60), "it is remembered who was there");
}

/// Proves part of: D1
#[test]
fn the_first_rule_that_holds_routes_a_ticket() {
    let mut world = World::new();
    let rules = json!({"rules": [
        {"name": "vip", "when": "ticket.priority == \"critical\"", "person": "eve"},
        {"name": "north", "when": "has(ticket.fields.region) && ticket.fields.region == \"north\"", "team": "far"},
        {"name": "rest", "when": "true", "queue": "desk"},
    ]});
    world.apply("Routing", "a", &rules);
    world.engineer("bob", &json!({"skills": {"printers": 2}, "teams": ["far"], "shift": "day"}));
    world.on("09:00", received("repair"));
    assert_eq!(world.said()[..3], ["Routed north", "VisitPlanned 1", "Offered bob 09:00 #1"]);
    let critical =
        |kind| IntakeEvent::Received { request: Box::new(request(kind, Priority::Critical, &[])), next: next() };
    world.ticket(uuid::Uuid::from_u128(2), critical("repair"));
    assert_eq!(world.said()[..3], ["Routed vip", "VisitPlanned 1", "Offered eve 09:00 #1"]);
    let floor = [("region", FieldValue::Text("south".into()))];
    let desk = IntakeEvent::Received { request: Box::new(request("question", Priority::Low, &floor)), next: next() };
    world.ticket(uuid::Uuid::from_u128(3), desk);
    assert_eq!(world.said(), ["Routed rest"], "a ticket of the desk needs no visit");
}

/// Proves part of: D2
#[test]
fn the_way_begins_at_the_site_before_and_leaves_time_for_the_next() {
    let mut world = World::bare(&json!({}));
    world.engineer("ann", &json!({"skills": {"printers": 2}, "home": north(-20_000), "shift": "day"}));
    world.on("09:00", received("repair"));
    let first = world.slot();
    assert_eq!((first.arrive - first.from) / 60_000_000, 39, "20 km and a third, at 40 km/h");
    let far = |lat: i64| {
        let site = [("lat_udeg", FieldValue::Number(lat)), ("lon_udeg", FieldValue::Number(8_000_000))];
        IntakeEvent::Received { request: Box::new(request("repair", Priority::Medium, &site)), next: next() }
    };
    world.ticket(uuid::Uuid::from_u128(2), far(50_000_000));
    let second = world.slot();
    assert_eq!((second.from, second.arrive), (first.to, first.to), "she is there already");
    world.apply("Calendar", "day", &shift("09:00-12:30"));
    world.ticket(uuid::Uuid::from_u128(3), far(50_000_000));
    assert_eq!(world.slot().from, us("2024-03-05 09:00"), "a visit lies within one shift");
}
