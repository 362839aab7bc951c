//! Given a ticket that stands somewhere, when something is asked, then that happens, and asked again nothing does:
//! `Desk::ask` repeats every accepted command.

use std::collections::BTreeSet;

use intake::command::{Command, Move, Reach, Verb};
use intake::{Refusal, refusal::FieldFault};
use ticket::Event;
use ticket::intake::{Accountable, Author, Channel, FieldValue, Impact, IntakeEvent, Priority, Urgency, WaitReason};
use ticket::lifecycle::Phase;
use uuid::Uuid;

use crate::desk::{Desk, HOUR, MONDAY, because, close, kind, opening, resolve, take};

const CUSTOMER: WaitReason = WaitReason::Customer;
const PARTS: WaitReason = WaitReason::Parts;

fn hold(reasons: &[WaitReason]) -> Verb {
    Verb::Hold { reasons: reasons.iter().copied().collect(), look_again_at: None }
}

fn resume() -> Verb {
    Verb::Resume { reasons: BTreeSet::new() }
}

fn says(author: Author) -> Verb {
    Verb::Comment { author, public: true, text: "hello".into() }
}

fn reject() -> Verb {
    because(|reason| Verb::Reject { reason })
}

fn reopen() -> Verb {
    because(|reason| Verb::Reopen { reason })
}

fn cancel() -> Verb {
    because(|reason| Verb::Cancel { reason, force: false })
}

fn faults(refusal: Refusal) -> Vec<String> {
    let Refusal::Invalid(faults) = refusal else { panic!("{refusal:?}") };
    faults.into_iter().map(|FieldFault { field, message }| format!("{field} {message}")).collect()
}

fn accountable(desk: &Desk, ticket: Uuid) -> Accountable {
    desk.ticket(ticket).course.next.as_ref().unwrap().accountable.clone()
}

/// Proves part of: L8
#[test]
fn a_new_ticket_has_somebody_accountable_from_its_first_event() {
    let mut desk = Desk::new();
    let events = desk.ask(&Command::Open(Box::new(opening("repair")))).unwrap();
    let [event] = &events[..] else { panic!("{events:?}") };
    let Event::Intake(IntakeEvent::Received { request, next }) = &event.event else { panic!("{event:?}") };
    assert_eq!((request.queue.as_str(), request.priority, request.type_version), ("desk", Priority::Medium, 1));
    assert_eq!(next.accountable, Accountable::Queue("desk".into()));
    assert_eq!(next.attend_by, MONDAY + 4 * HOUR);
}

#[test]
fn a_queue_with_a_calendar_counts_working_time_within_its_horizon() {
    let mut desk = Desk::new();
    desk.now = MONDAY + 6 * HOUR;
    let mut at_seniors = opening("incident");
    at_seniors.queue = Some("seniors".into());
    let ticket = desk.ask(&Command::Open(Box::new(at_seniors.clone()))).unwrap()[0].correlation.unwrap();
    // Two hours on Monday, two on Tuesday from 08:00.
    assert_eq!(desk.ticket(ticket).course.next.as_ref().unwrap().attend_by, MONDAY + 26 * HOUR);
    desk.now = MONDAY + 55 * HOUR;
    let ticket = desk.ask(&Command::Open(Box::new(at_seniors))).unwrap()[0].correlation.unwrap();
    // Wednesday afternoon: the office opens on Monday again, but somebody looks within 72 hours.
    assert_eq!(desk.ticket(ticket).course.next.as_ref().unwrap().attend_by, MONDAY + (55 + 72) * HOUR);
}

/// Proves: I4
/// Proves part of: I5
#[test]
fn opening_names_every_missing_and_wrong_field_at_once() {
    let mut desk = Desk::new();
    let mut bad = opening("repair");
    bad.title = String::new();
    bad.queue = Some("nowhere".into());
    bad.fields = [("asset".into(), FieldValue::Number(1)), ("colour".into(), FieldValue::Flag(true))].into();
    desk.ago = 73 * HOUR;
    let expected = [
        "ticket.title is required",
        "ticket.queue there is no queue nowhere",
        "occur_time lies more than 72 hours back",
        "ticket.fields.asset must be text",
        "ticket.fields.colour is not a field of this ticket type",
    ];
    assert_eq!(faults(desk.ask(&Command::Open(Box::new(bad))).unwrap_err()), expected);
    desk.ago = 0;
    let wrong = desk.ask(&Command::Open(Box::new(opening("fax")))).unwrap_err();
    assert_eq!(faults(wrong), ["ticket.ticket_type there is no ticket type fax"]);
}

/// Proves part of: X6
#[test]
fn personal_fields_are_recorded_as_personal() {
    let mut desk = Desk::new();
    let mut repair = opening("repair");
    repair.fields.insert("phone".into(), FieldValue::Text("555".into()));
    let events = desk.ask(&Command::Open(Box::new(repair))).unwrap();
    let Event::Intake(IntakeEvent::Received { request, .. }) = &events[0].event else { panic!() };
    assert!(matches!(request.fields["phone"], FieldValue::Private(_)));
    assert!(matches!(request.fields["asset"], FieldValue::Text(_)));
}

/// Proves part of: I9
#[test]
fn the_way_from_the_first_call_to_the_reviewed_close() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    let steps = [
        (Verb::Triage { priority: Some(Priority::High), queue: None }, "Triaged", "triaged"),
        (take(), "TakenInCharge", "in_progress"),
        (hold(&[PARTS]), "WaitStarted", "waiting"),
        (resume(), "WaitEnded", "in_progress"),
        (resolve(), "Resolved", "work_done"),
        (Verb::Confirm, "Confirmed", "confirmed"),
        (close(), "Closed", "closed"),
    ];
    for (verb, kind, phase) in steps {
        assert_eq!(desk.verb(ticket, verb).unwrap(), [kind]);
        assert_eq!(desk.phase(ticket), phase);
        assert_eq!(desk.ticket(ticket).course.next.is_some(), phase != "closed");
    }
}

#[test]
fn triage_is_for_new_tickets() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    let to = |queue: &str| Verb::Triage { priority: None, queue: Some(queue.into()) };
    assert_eq!(faults(desk.verb(ticket, to("nowhere")).unwrap_err()), ["queue there is no queue nowhere"]);
    assert_eq!(desk.verb(ticket, to("seniors")).unwrap(), ["Triaged"]);
    assert_eq!(desk.verb(ticket, to("desk")).unwrap(), ["Triaged"], "placed again");
    desk.verb(ticket, take()).unwrap();
    assert!(desk.verb(ticket, to("desk")).unwrap().is_empty());
    assert_eq!(desk.verb(ticket, to("seniors")), Err(Refusal::PastTriage));
}

/// Proves part of: I10
#[test]
fn the_customers_answer_ends_the_waiting_for_it() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take(), hold(&[CUSTOMER, PARTS])]);
    assert_eq!(desk.verb(ticket, says(Author::Agent)).unwrap(), ["Commented"]);
    assert_eq!(desk.verb(ticket, says(Author::Customer)).unwrap(), ["Commented", "WaitEnded"]);
    assert_eq!(desk.ticket(ticket).course.phase, Phase::Waiting([PARTS].into()));
    assert_eq!(desk.verb(ticket, says(Author::Customer)).unwrap(), ["Commented"]);
}

#[test]
fn a_customers_word_on_finished_work_wants_attention() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take(), resolve()]);
    desk.verb(ticket, says(Author::Customer)).unwrap();
    let next = desk.ticket(ticket).course.next.clone().unwrap();
    assert_eq!(next.attend_by, MONDAY + 4 * HOUR);
    desk.verb(ticket, Verb::Confirm).unwrap();
    desk.verb(ticket, close()).unwrap();
    assert_eq!(desk.verb(ticket, says(Author::Customer)), Err(Refusal::Ended));
}

/// Proves part of: I10
#[test]
fn a_contact_is_written_down_once_a_request() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    let contact =
        Verb::LogContact { channel: Channel::Phone, inbound: false, reached: true, summary: "called back".into() };
    assert_eq!(desk.verb(ticket, contact.clone()).unwrap(), ["ContactLogged"]);
    assert_eq!(desk.verb(ticket, contact).unwrap(), ["ContactLogged"], "another request is another contact");
    let empty = Verb::Comment { author: Author::Agent, public: true, text: " ".into() };
    assert_eq!(faults(desk.verb(ticket, empty).unwrap_err()), ["text is required"]);
}

/// Proves part of: I7
#[test]
fn priority_by_matrix_and_by_hand() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    let weigh = Verb::Weigh { impact: Impact::Department, urgency: Urgency::Critical };
    assert_eq!(desk.verb(ticket, weigh).unwrap(), ["PriorityRaised"]);
    assert_eq!(desk.ticket(ticket).priority, Priority::Critical);
    let by_hand = |reason: &str| Verb::Prioritise { priority: Priority::Low, reason: reason.into() };
    assert_eq!(faults(desk.verb(ticket, by_hand("")).unwrap_err()), ["reason is required"]);
    assert_eq!(desk.verb(ticket, by_hand("a drill")).unwrap(), ["PriorityLowered"]);
    assert!(desk.verb(ticket, by_hand("still a drill")).unwrap().is_empty());
}

/// Proves part of: I9
#[test]
fn a_transfer_names_a_new_accountable() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take()]);
    let to = |queue: Option<&str>, person: Option<&str>| Verb::Transfer {
        queue: queue.map(Into::into),
        person: person.map(Into::into),
        reason: String::new(),
    };
    assert_eq!(desk.verb(ticket, to(None, Some("bob"))).unwrap(), ["Transferred"]);
    assert_eq!(accountable(&desk, ticket), Accountable::Person("bob".into()));
    assert_eq!(desk.ticket(ticket).agent, None, "ann answers no longer");
    assert_eq!(desk.verb(ticket, to(Some("seniors"), None)).unwrap(), ["Transferred"]);
    assert_eq!(accountable(&desk, ticket), Accountable::Queue("seniors".into()));
    assert!(desk.verb(ticket, to(None, None)).unwrap().is_empty());
    let nowhere = desk.verb(ticket, to(Some("nowhere"), None)).unwrap_err();
    assert_eq!(faults(nowhere), ["queue there is no queue nowhere"]);
}

#[test]
fn taking_in_charge_makes_the_agent_accountable() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take()]);
    assert_eq!(accountable(&desk, ticket), Accountable::Person("ann".into()));
    assert_eq!(desk.verb(ticket, Verb::Take { agent: "bob".into() }).unwrap(), ["TakenInCharge"]);
    desk.verb(ticket, hold(&[PARTS])).unwrap();
    assert_eq!(desk.verb(ticket, take()), Err(Refusal::Waiting));
    desk.verb(ticket, resolve()).unwrap();
    assert_eq!(desk.verb(ticket, take()), Err(Refusal::WorkDone));
}

#[test]
fn waiting_has_reasons_and_somebody_who_looks_again() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    assert_eq!(desk.verb(ticket, hold(&[PARTS])), Err(Refusal::NotInProgress));
    desk.verb(ticket, take()).unwrap();
    assert_eq!(faults(desk.verb(ticket, hold(&[])).unwrap_err()), ["reasons must name at least one"]);
    let at = |look_again_at| Verb::Hold { reasons: [PARTS].into(), look_again_at: Some(look_again_at) };
    let past = desk.verb(ticket, at(MONDAY)).unwrap_err();
    assert_eq!(faults(past), ["look_again_time must lie in the future"]);
    assert_eq!(desk.verb(ticket, at(MONDAY + 999 * HOUR)).unwrap(), ["WaitStarted"]);
    let next = desk.ticket(ticket).course.next.clone().unwrap();
    assert_eq!((next.attend_by, next.accountable), (MONDAY + 24 * HOUR, Accountable::Person("ann".into())));
    assert!(desk.verb(ticket, hold(&[PARTS])).unwrap().is_empty());
    assert_eq!(desk.verb(ticket, hold(&[PARTS, CUSTOMER])).unwrap(), ["WaitStarted"]);
}

/// Proves part of: I9
#[test]
fn waiting_ends_by_reason() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    assert_eq!(desk.verb(ticket, resume()), Err(Refusal::NotWaiting));
    desk.verb(ticket, take()).unwrap();
    desk.verb(ticket, hold(&[PARTS, CUSTOMER])).unwrap();
    assert_eq!(desk.verb(ticket, Verb::Resume { reasons: [PARTS].into() }).unwrap(), ["WaitEnded"]);
    assert_eq!(desk.phase(ticket), "waiting");
    assert!(desk.verb(ticket, Verb::Resume { reasons: [PARTS].into() }).unwrap().is_empty());
    assert_eq!(desk.verb(ticket, resume()).unwrap(), ["WaitEnded"]);
    assert_eq!(desk.phase(ticket), "in_progress");
}

/// Proves part of: I12
#[test]
fn a_resolution_brings_the_evidence_its_type_demands() {
    let mut desk = Desk::new();
    let ticket = desk.ask(&Command::Open(Box::new(opening("repair")))).unwrap()[0].correlation.unwrap();
    assert_eq!(desk.verb(ticket, resolve()), Err(Refusal::NotInProgress));
    desk.verb(ticket, take()).unwrap();
    let with = |solution: &str, evidence: &[&str]| Verb::Resolve {
        solution: solution.into(),
        evidence: evidence.iter().map(|reference| (*reference).to_owned()).collect(),
    };
    assert_eq!(desk.verb(ticket, with("done", &[])), Err(Refusal::EvidenceMissing { required: 1 }));
    assert_eq!(faults(desk.verb(ticket, with("", &["p"])).unwrap_err()), ["solution is required"]);
    assert_eq!(desk.verb(ticket, with("done", &["p"])).unwrap(), ["Resolved"]);
    assert!(desk.verb(ticket, with("done better", &["q"])).unwrap().is_empty());
}

/// Proves part of: I12
#[test]
fn silence_becomes_consent_at_the_end_of_the_working_day_promised() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take(), resolve()]);
    let confirm_by = MONDAY + 32 * HOUR;
    assert_eq!(desk.ticket(ticket).course.phase, Phase::WorkDone { confirm_by });
    assert!(desk.ticket(ticket).course.next.as_ref().unwrap().attend_by > confirm_by);
    desk.now = confirm_by;
    assert!(desk.settle().is_empty(), "at that very instant the customer may still speak");
    desk.now = confirm_by + HOUR;
    assert_eq!(desk.settle(), ["Confirmed"]);
    assert!(desk.settle().is_empty());
    assert_eq!(desk.phase(ticket), "confirmed");
    assert_eq!(desk.ticket(ticket).course.moved_at, confirm_by, "it happened when the silence was over");
}

#[test]
fn a_rejection_in_time_is_no_consent() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    assert_eq!(desk.verb(ticket, reject()), Err(Refusal::NotWorkDone));
    assert_eq!(desk.verb(ticket, Verb::Confirm), Err(Refusal::NotWorkDone));
    desk.verb(ticket, take()).unwrap();
    desk.verb(ticket, resolve()).unwrap();
    assert_eq!(desk.verb(ticket, reject()).unwrap(), ["ConfirmationRejected"]);
    assert_eq!((desk.phase(ticket), desk.ticket(ticket).course.reopened), ("in_progress", 1));
    desk.now += 999 * HOUR;
    assert!(desk.settle().is_empty());
}

/// Proves part of: I12
#[test]
fn only_what_the_customer_confirmed_is_closed() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take(), resolve()]);
    assert_eq!(desk.verb(ticket, close()), Err(Refusal::NotConfirmed));
    desk.verb(ticket, Verb::Confirm).unwrap();
    assert_eq!(desk.verb(ticket, close()).unwrap(), ["Closed"]);
    for verb in [take(), hold(&[PARTS]), resume(), resolve(), Verb::Confirm, reject(), cancel()] {
        assert_eq!(desk.verb(ticket, verb.clone()), Err(Refusal::Ended), "{verb:?}");
    }
}

/// Proves part of: I18
#[test]
fn a_closed_ticket_comes_back_within_its_grace() {
    let mut desk = Desk::new();
    let ticket = desk.brought([take(), resolve(), Verb::Confirm, close()]);
    desk.now += 7 * 24 * HOUR;
    assert_eq!(desk.verb(ticket, reopen()).unwrap(), ["Reopened"]);
    for verb in [resolve(), Verb::Confirm, close()] {
        desk.verb(ticket, verb).unwrap();
    }
    desk.now += 7 * 24 * HOUR + 1;
    assert_eq!(desk.verb(ticket, reopen()), Err(Refusal::GraceOver));
    let other = desk.incident();
    assert_eq!(desk.verb(other, reopen()), Err(Refusal::NotClosed));
}

#[test]
fn a_cancelled_ticket_has_ended() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    assert_eq!(
        faults(desk.verb(ticket, Verb::Cancel { reason: String::new(), force: false }).unwrap_err()),
        ["reason is required"]
    );
    assert_eq!(desk.verb(ticket, cancel()).unwrap(), ["Cancelled"]);
    assert_eq!(desk.verb(ticket, close()), Err(Refusal::Ended));
    assert_eq!(desk.verb(ticket, reopen()), Err(Refusal::NotClosed));
}

#[test]
fn an_occurrence_lies_neither_in_the_future_nor_before_its_ticket() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    desk.now += HOUR;
    desk.ago = -1;
    assert_eq!(faults(desk.verb(ticket, take()).unwrap_err()), ["occur_time lies in the future"]);
    desk.ago = HOUR + 1;
    assert_eq!(faults(desk.verb(ticket, take()).unwrap_err()), ["occur_time lies before the ticket was opened"]);
    desk.ago = HOUR;
    assert_eq!(desk.verb(ticket, take()).unwrap(), ["TakenInCharge"]);
    assert_eq!(desk.ticket(ticket).course.moved_at, MONDAY);
}

#[test]
fn a_stale_etag_is_refused_unless_the_goal_holds() {
    let mut desk = Desk::new();
    let ticket = desk.incident();
    let with = |etag, verb| Command::Move(Move { ticket, etag: Some(etag), reach: Reach::All, verb });
    assert_eq!(desk.ask(&with(7, take())).unwrap_err(), Refusal::EtagMismatch { current: 1 });
    assert_eq!(desk.ask(&with(1, take())).unwrap().len(), 1);
    assert!(desk.ask(&with(1, take())).unwrap().is_empty());
}

/// Proves part of: X3
#[test]
fn who_only_reports_knows_of_their_own_tickets() {
    let mut desk = Desk::new();
    let ticket = desk.ask_as("rita", &Command::Open(Box::new(opening("incident")))).unwrap()[0].correlation.unwrap();
    let says = Command::Move(Move { ticket, etag: None, reach: Reach::Own, verb: says(Author::Customer) });
    assert_eq!(desk.ask_as("eve", &says).unwrap_err(), Refusal::NotFound);
    assert_eq!(kind(&desk.ask_as("rita", &says).unwrap()[0]), "Commented");
    assert_eq!(desk.verb(Uuid::nil(), take()), Err(Refusal::NotFound));
}

#[test]
fn an_erased_customer_opens_nothing_more() {
    let mut desk = Desk::new();
    let customer = Uuid::from_u128(7);
    let erase = |reason: &str| Command::EraseCustomer { customer, reason: reason.into() };
    assert_eq!(faults(desk.ask(&erase("")).unwrap_err()), ["reason is required"]);
    assert_eq!(kind(&desk.ask(&erase("on request")).unwrap()[0]), "CustomerErased");
    assert!(desk.ask(&erase("again")).unwrap().is_empty());
    let mut theirs = opening("incident");
    theirs.customer = Some((customer, "C-7".into()));
    assert_eq!(desk.ask(&Command::Open(Box::new(theirs))).unwrap_err(), Refusal::CustomerErased);
}
