//! A ticket follows its visit: what dispatch tells, early or late, once or again, and what becomes of it.

use decider::{At, Micros, Read, Recorded, Versions};
use intake::Refusal;
use intake::command::{Command, Move, Reach, Verb};
use ticket::dispatch::{Destination, DispatchEvent, Release, Slot, StopReason, VisitEnd};
use ticket::intake::{Accountable, IntakeEvent, WaitReason};
use ticket::lifecycle::Phase;
use ticket::sla::Pinned;
use ticket::{Event, Personal, stream};
use uuid::Uuid;

use crate::desk::{Desk, HOUR, MONDAY, because, close, kind, resolve, take};

const VISIT: Uuid = Uuid::from_u128(71);
const OTHER: Uuid = Uuid::from_u128(72);
const MINUTE: Micros = HOUR / 60;

fn eve() -> String {
    "eve".into()
}

/// Eve is to be there two hours after the clock of the desk began, for an hour.
fn slot() -> Slot {
    Slot { from: MONDAY + HOUR, arrive: MONDAY + 2 * HOUR, to: MONDAY + 3 * HOUR }
}

pub(crate) fn accepted(engineer: &str) -> DispatchEvent {
    DispatchEvent::OfferAccepted { visit: VISIT, engineer: engineer.into(), slot: slot(), depart_by: slot().from }
}

pub(crate) fn departed() -> DispatchEvent {
    DispatchEvent::Departed { visit: VISIT, engineer: eve() }
}

pub(crate) fn arrived() -> DispatchEvent {
    DispatchEvent::Arrived { visit: VISIT, engineer: eve(), place: None }
}

pub(crate) fn released(engineer: &str) -> DispatchEvent {
    let (engineer, note) = (engineer.to_owned(), String::new());
    DispatchEvent::VisitReleased { visit: VISIT, engineer, why: Release::OffDuty, note }
}

fn sealed(data: &str) -> Personal<String> {
    Personal::Sealed { subject: Uuid::from_u128(9), data: data.into() }
}

pub(crate) fn completed() -> DispatchEvent {
    let evidence = vec!["photo:after".to_owned()];
    DispatchEvent::VisitCompleted { visit: VISIT, engineer: eve(), report: sealed("c2VhbGVk"), evidence }
}

pub(crate) fn stopped(why: StopReason) -> DispatchEvent {
    DispatchEvent::VisitStopped { visit: VISIT, engineer: eve(), why, note: sealed("bm90ZQ==") }
}

pub(crate) fn called_off(why: VisitEnd) -> DispatchEvent {
    DispatchEvent::VisitCancelled { visit: VISIT, why }
}

pub(crate) fn routed(to: Destination) -> DispatchEvent {
    let routing = Pinned { name: "main".into(), version: 1 };
    DispatchEvent::Routed { rule: "to-the-seniors".into(), routing, to }
}

pub(crate) fn kinds(happened: &[Recorded<Event>]) -> Vec<String> {
    happened.iter().map(kind).collect()
}

/// Who owes the next step, and by when.
pub(crate) fn owed(desk: &Desk, ticket: Uuid) -> (Accountable, Micros) {
    let next = desk.ticket(ticket).course.next.clone().unwrap();
    (next.accountable, next.attend_by)
}

pub(crate) fn queue(name: &str) -> Accountable {
    Accountable::Queue(name.into())
}

pub(crate) fn person(name: &str) -> Accountable {
    Accountable::Person(name.into())
}

pub(crate) fn agent(desk: &Desk, ticket: Uuid) -> Option<&str> {
    let house = desk.state.house(&desk.tenant).unwrap();
    desk.ticket(ticket).agent.map(|agent| house.names.text(agent))
}

fn cancel(force: bool) -> Verb {
    because(|reason| Verb::Cancel { reason, force })
}

/// A ticket to which these things happened in the field, each followed at once.
pub(crate) fn visited<const N: usize>(told: [DispatchEvent; N]) -> (Desk, Uuid) {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    for event in told {
        desk.told(ticket, event);
    }
    (desk, ticket)
}

/// Proves part of: D7, L8
#[test]
fn the_engineer_who_accepts_owes_the_next_step_until_an_hour_after_the_slot() {
    let (mut desk, ticket) = visited([]);
    let happened = desk.told(ticket, accepted("eve"));
    let [scheduled] = &happened[..] else { panic!("{happened:?}") };
    let Event::Intake(IntakeEvent::VisitScheduled { visit, engineer, arrive_at, .. }) = &scheduled.event else {
        panic!("{scheduled:?}")
    };
    assert_eq!((*visit, engineer.as_str(), *arrive_at), (VISIT, "eve", MONDAY + 2 * HOUR));
    assert_eq!(owed(&desk, ticket), (person("eve"), MONDAY + 4 * HOUR));
    assert_eq!((agent(&desk, ticket), desk.phase(ticket)), (Some("eve"), "received"), "a plan moves nothing");
    let far = Slot { to: MONDAY + 100 * HOUR, ..slot() };
    let depart_by = far.from;
    desk.told(ticket, DispatchEvent::OfferAccepted { visit: OTHER, engineer: eve(), slot: far, depart_by });
    assert_eq!(owed(&desk, ticket).1, MONDAY + 24 * HOUR, "never beyond the horizon of its queue");
}

/// Proves part of: D10, L8
#[test]
fn work_handed_over_is_owed_by_whoever_has_it_now() {
    let (mut desk, ticket) = visited([accepted("eve")]);
    let later = Slot { to: MONDAY + 5 * HOUR, ..slot() };
    let note = sealed("bm90ZQ==");
    let (to, depart_by) = ("mia".to_owned(), later.from);
    let handed = DispatchEvent::WorkHandedOver { visit: VISIT, from: eve(), to, slot: later, depart_by, note };
    assert_eq!(kinds(&desk.told(ticket, handed)), ["VisitScheduled"]);
    assert_eq!((owed(&desk, ticket), agent(&desk, ticket)), ((person("mia"), MONDAY + 6 * HOUR), Some("mia")));
    assert!(desk.told(ticket, departed()).is_empty(), "eve no longer has it");
}

/// Proves part of: D8
#[test]
fn the_way_of_a_visit_moves_the_ticket_to_work_done_with_the_sealed_report() {
    let (mut desk, ticket) = visited([accepted("eve")]);
    desk.now = MONDAY + HOUR;
    assert_eq!(kinds(&desk.told(ticket, departed())), ["VisitBegun"]);
    assert_eq!((desk.phase(ticket), owed(&desk, ticket)), ("in_progress", (person("eve"), MONDAY + 4 * HOUR)));
    assert!(desk.told(ticket, arrived()).is_empty());
    desk.now = MONDAY + 3 * HOUR;
    let happened = desk.told(ticket, completed());
    let Event::Intake(IntakeEvent::Resolved { solution, evidence, .. }) = &happened[0].event else {
        panic!("{happened:?}")
    };
    assert_eq!((solution, evidence.as_slice()), (&sealed("c2VhbGVk"), &["photo:after".to_owned()][..]));
    assert_eq!((desk.phase(ticket), owed(&desk, ticket).0), ("work_done", queue("desk")));
}

#[test]
fn who_sets_out_after_the_time_named_owes_the_next_step_as_soon_as_the_priority_demands() {
    let (mut desk, ticket) = visited([accepted("eve")]);
    desk.now = MONDAY + 9 * HOUR;
    desk.told(ticket, departed());
    assert_eq!(owed(&desk, ticket), (person("eve"), MONDAY + 13 * HOUR));
}

/// Proves part of: D7, L8
#[test]
fn a_visit_that_falls_through_gives_the_ticket_back_to_its_queue() {
    let other_ends = [
        vec![released("eve")],
        vec![called_off(VisitEnd::TicketEnded)],
        vec![departed(), stopped(StopReason::CustomerAbsent)],
        vec![departed(), arrived(), stopped(StopReason::OtherSkills)],
        vec![departed(), arrived(), stopped(StopReason::MoreTime)],
    ];
    for end in other_ends {
        let (mut desk, ticket) = visited([accepted("eve")]);
        let happened: Vec<_> = end.iter().flat_map(|event| desk.told(ticket, event.clone())).collect();
        assert_eq!(kinds(&happened).last().unwrap(), "VisitFellThrough", "{end:?}");
        assert_eq!(owed(&desk, ticket), (queue("desk"), MONDAY + 4 * HOUR), "{end:?}");
        assert_eq!(agent(&desk, ticket), None, "{end:?}");
        assert!(!desk.ticket(ticket).field.on_site());
    }
}

/// Proves part of: I9
#[test]
fn a_visit_stopped_for_parts_makes_the_ticket_wait_for_them() {
    let (mut desk, ticket) = visited([accepted("eve"), departed(), arrived()]);
    assert_eq!(kinds(&desk.told(ticket, stopped(StopReason::Parts))), ["WaitStarted"]);
    assert_eq!(desk.ticket(ticket).course.phase, Phase::Waiting([WaitReason::Parts].into()));
    assert_eq!((owed(&desk, ticket), agent(&desk, ticket)), ((queue("desk"), MONDAY + 24 * HOUR), None));
    desk.verb(ticket, Verb::Resume { reasons: [].into() }).unwrap();
    assert_eq!(owed(&desk, ticket).0, queue("desk"));
}

#[test]
fn a_ticket_that_waits_for_parts_already_only_loses_its_visit() {
    let (mut desk, ticket) = visited([accepted("eve"), departed()]);
    let parts = Verb::Hold { reasons: [WaitReason::Parts].into(), look_again_at: None };
    assert_eq!(desk.verb(ticket, parts).unwrap(), ["WaitStarted"]);
    assert_eq!(agent(&desk, ticket), Some("eve"), "a hold by hand does not end the visit");
    assert_eq!(kinds(&desk.told(ticket, stopped(StopReason::Parts))), ["VisitFellThrough"]);
    assert_eq!((desk.phase(ticket), owed(&desk, ticket).0), ("waiting", queue("desk")));
}

#[test]
fn a_late_fact_takes_effect_behind_the_status_it_overrides() {
    let (mut desk, ticket) = visited([accepted("eve")]);
    desk.now = MONDAY + 2 * HOUR;
    desk.verb(ticket, take()).unwrap();
    (desk.now, desk.ago) = (MONDAY + 3 * HOUR, 2 * HOUR);
    let begun = desk.told(ticket, departed());
    assert_eq!(begun[0].occurred_at, MONDAY + 2 * HOUR, "not before the agent took it");
    desk.ago = 10 * MINUTE;
    let resolved = desk.told(ticket, completed());
    assert_eq!((kinds(&resolved), resolved[0].occurred_at), (vec!["Resolved".into()], MONDAY + 3 * HOUR - desk.ago));
}

#[test]
fn a_ticket_that_ended_meanwhile_stays_as_it_is() {
    for verbs in [vec![cancel(false)], vec![take(), resolve()], vec![take(), resolve(), Verb::Confirm, close()]] {
        for event in [accepted("eve"), departed(), completed(), stopped(StopReason::Parts), released("eve")] {
            let (mut desk, ticket) = visited([accepted("eve")]);
            for verb in verbs.clone() {
                desk.verb(ticket, verb).unwrap();
            }
            let phase = desk.phase(ticket);
            assert!(desk.told(ticket, event.clone()).is_empty(), "{event:?} in {phase}");
            assert!(desk.told(ticket, called_off(VisitEnd::TicketEnded)).is_empty());
            assert_eq!(desk.phase(ticket), phase);
        }
    }
}

/// What is folded before it is followed: the reactions come one after the other, and the ticket ends up where the field is.
#[test]
fn reactions_that_lag_behind_end_up_where_the_field_is() {
    let (mut desk, ticket) = visited([]);
    let causes = [accepted("eve"), departed(), arrived(), completed()].map(|event| desk.note(ticket, event));
    let happened: Vec<_> = causes.iter().flat_map(|cause| desk.react(cause)).collect();
    assert_eq!(kinds(&happened), ["VisitScheduled", "VisitBegun", "Resolved"]);

    let (mut desk, ticket) = visited([]);
    let causes = [accepted("eve"), released("eve"), accepted("mia")].map(|event| desk.note(ticket, event));
    let happened: Vec<_> = causes.iter().flat_map(|cause| desk.react(cause)).collect();
    assert_eq!(kinds(&happened), ["VisitScheduled"], "eve was relieved before anybody counted on her");
    assert_eq!(owed(&desk, ticket).0, person("mia"));
    assert!(causes.iter().all(|cause| desk.react(cause).is_empty()), "told again, nothing changes");

    let (mut desk, ticket) = visited([accepted("eve")]);
    let causes = [released("eve"), accepted("mia")].map(|event| desk.note(ticket, event));
    let happened: Vec<_> = causes.iter().flat_map(|cause| desk.react(cause)).collect();
    assert_eq!(kinds(&happened), ["VisitFellThrough", "VisitScheduled"]);

    let (mut desk, ticket) = visited([accepted("eve")]);
    let later = Slot { arrive: MONDAY + 5 * HOUR, ..slot() };
    let depart_by = later.from;
    let again = DispatchEvent::OfferAccepted { visit: VISIT, engineer: eve(), slot: later, depart_by };
    let causes = [released("eve"), again].map(|event| desk.note(ticket, event));
    let happened: Vec<_> = causes.iter().flat_map(|cause| desk.react(cause)).collect();
    assert_eq!(kinds(&happened), ["VisitScheduled"], "she has it again, at another time");
}

#[test]
fn what_is_told_of_a_visit_the_ticket_does_not_count_on_changes_nothing() {
    let (mut desk, ticket) = visited([accepted("eve")]);
    let mia = || "mia".to_owned();
    let others = [
        DispatchEvent::Departed { visit: OTHER, engineer: eve() },
        DispatchEvent::Departed { visit: VISIT, engineer: mia() },
        DispatchEvent::VisitCompleted { visit: OTHER, engineer: mia(), report: sealed(""), evidence: Vec::new() },
    ];
    for event in others {
        assert!(desk.told(ticket, event.clone()).is_empty(), "{event:?}");
    }
    assert!(desk.told(Uuid::from_u128(404), accepted("eve")).is_empty(), "nor of a ticket that is not here");
}

/// Proves part of: D1
#[test]
fn a_rule_places_a_ticket_nobody_works_on_yet() {
    let to = |queue: &str| routed(Destination::Queue(queue.into()));
    let (mut desk, ticket) = visited([]);
    assert!(desk.told(ticket, to("desk")).is_empty(), "it lies there");
    assert!(desk.told(ticket, routed(Destination::Team("field".into()))).is_empty(), "a team is dispatch's own");
    let happened = desk.told(ticket, to("seniors"));
    let Event::Intake(IntakeEvent::Transferred { from, queue: now, reason, .. }) = &happened[0].event else {
        panic!("{happened:?}")
    };
    assert_eq!((from.as_str(), now.as_str(), reason.as_str()), ("desk", "seniors", "rule to-the-seniors"));
    // Four working hours of the seniors' calendar.
    assert_eq!(owed(&desk, ticket), (queue("seniors"), MONDAY + 4 * HOUR));
    let (mut desk, ticket) = visited([]);
    desk.verb(ticket, take()).unwrap();
    assert!(desk.told(ticket, to("seniors")).is_empty(), "somebody works on it");
}

#[test]
fn a_rule_told_of_again_does_not_undo_what_somebody_decided_since() {
    let to = |queue: &str| routed(Destination::Queue(queue.into()));
    let transfer = |queue: &str| because(|reason| Verb::Transfer { queue: Some(queue.into()), person: None, reason });
    let (mut desk, ticket) = visited([]);
    assert!(desk.told(ticket, to("desk")).is_empty());
    desk.verb(ticket, transfer("seniors")).unwrap();
    assert!(desk.told(ticket, to("desk")).is_empty(), "it was sent to the seniors by hand");
    desk.verb(ticket, transfer("desk")).unwrap();
    assert!(desk.told(ticket, to("seniors")).is_empty(), "and back again");
}

#[test]
fn while_an_engineer_is_on_site_only_force_calls_the_ticket_off() {
    let (mut desk, ticket) = visited([accepted("eve"), departed()]);
    let asked = |verb| Command::Move(Move { ticket, etag: None, reach: Reach::All, verb });
    desk.told(ticket, arrived());
    assert_eq!(desk.verb(ticket, cancel(false)), Err(Refusal::VisitOnSite));
    let mute = Verb::Cancel { reason: String::new(), force: true };
    assert!(matches!(desk.verb(ticket, mute), Err(Refusal::Invalid(_))), "and never without a reason");
    let (versions, at) = (Versions::default(), at(&desk));
    let read = Read::new(&desk.state, &versions, &desk.tenant);
    assert_eq!(intake::command::decide(&asked(cancel(false)), &read, &at), Err(Refusal::VisitOnSite));
    assert!(read.into_guards().contains_key(&stream::work(ticket)), "the refusal holds as long as the field stands so");
    assert_eq!(desk.verb(ticket, cancel(true)).unwrap(), ["Cancelled"]);
}

#[test]
fn once_the_engineer_has_left_or_before_they_come_no_force_is_needed() {
    let ends = [
        vec![departed()],
        vec![departed(), arrived(), stopped(StopReason::MoreTime)],
        vec![arrived(), released("eve")],
    ];
    for end in ends {
        let (mut desk, ticket) = visited([accepted("eve")]);
        for event in end {
            desk.told(ticket, event);
        }
        assert_eq!(desk.verb(ticket, cancel(false)).unwrap(), ["Cancelled"]);
    }
}

pub(crate) fn at(desk: &Desk) -> At {
    let (tenant, actor, request) = (desk.tenant.clone(), "user/ann".to_owned(), Uuid::nil());
    At { now: desk.now, occurred_at: desk.now, tenant, actor, request }
}
