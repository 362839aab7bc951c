//! Tickets of another system: any state may follow any, repeats stay, time runs forward.

use intake::command::{Command, Verb};
use intake::import::{Import, Line, ticket_id};
use intake::{Refusal, refusal::FieldFault};
use ticket::intake::{Activity, ActivityKind, Status};
use ticket::lifecycle::Phase;
use uuid::Uuid;

use crate::desk::{Desk, HOUR, MONDAY, kind, opening};

fn line(state: Status) -> Activity {
    Activity {
        activity: "moved".into(),
        kind: ActivityKind::Note,
        state,
        agent: "?".into(),
        group: String::new(),
        priority: String::new(),
        product: String::new(),
        customer: String::new(),
    }
}

fn import(states: &[Status]) -> Import {
    let lines = states.iter().zip(1..).map(|(state, n)| (MONDAY - 1_000 * HOUR + n * HOUR, line(*state)));
    Import { source: "old".into(), reference: "R-1".into(), opening: opening("incident"), lines: lines.collect() }
}

/// Takes the ticket and its lines in, as the API does.
fn take_in(desk: &mut Desk, import: &Import) -> Uuid {
    let ticket = ticket_id(&desk.tenant, &import.source, &import.reference);
    desk.ago = desk.now - import.lines[0].0;
    desk.ask(&Command::Import(Box::new(import.clone()))).unwrap();
    for (ordinal, (at, line)) in (1u16..).zip(&import.lines) {
        desk.ago = desk.now - at;
        let (source, reference) = (import.source.clone(), import.reference.clone());
        let line = Line { ticket, ordinal, source, reference, line: line.clone() };
        let events = desk.ask(&Command::ImportLine(Box::new(line))).unwrap();
        assert_eq!(events.iter().map(kind).collect::<Vec<_>>(), ["ActivityImported"]);
    }
    desk.ago = 0;
    ticket
}

/// Proves part of: I22
#[test]
fn an_open_ticket_comes_in_with_its_history_and_a_next_step() {
    let mut desk = Desk::new();
    let history = [Status::Open, Status::Resolved, Status::Resolved, Status::Waiting];
    let ticket = take_in(&mut desk, &import(&history));
    let course = &desk.ticket(ticket).course;
    assert_eq!((course.phase.name(), course.opened_at), ("waiting", MONDAY - 999 * HOUR));
    assert_eq!(course.next.as_ref().unwrap().attend_by, MONDAY + 4 * HOUR);
    assert_eq!(desk.verb(ticket, Verb::Resume { reasons: [].into() }).unwrap(), ["WaitEnded"]);
}

#[test]
fn what_ended_there_has_ended_here_and_what_was_resolved_waits_for_a_word() {
    let mut desk = Desk::new();
    let ticket = take_in(&mut desk, &import(&[Status::Open, Status::Closed]));
    assert!(desk.ticket(ticket).course.phase.ended());
    assert_eq!(desk.ticket(ticket).course.next, None);
    let mut resolved = import(&[Status::Open, Status::Resolved]);
    resolved.reference = "R-2".into();
    let ticket = take_in(&mut desk, &resolved);
    assert_eq!(desk.ticket(ticket).course.phase, Phase::WorkDone { confirm_by: i64::MAX });
    desk.now += 9_999 * HOUR;
    assert!(desk.settle().is_empty(), "silence before our time is no consent");
}

#[test]
fn every_fault_of_a_row_is_named_and_nothing_comes_in() {
    let mut desk = Desk::new();
    let mut bad = import(&[Status::Open, Status::Open, Status::Open]);
    bad.lines[1].0 = MONDAY + 1;
    bad.lines[2].0 = MONDAY;
    bad.reference = String::new();
    let Err(Refusal::Invalid(faults)) = desk.ask(&Command::Import(Box::new(bad))) else { panic!() };
    let faults: Vec<_> = faults.into_iter().map(|FieldFault { field, message }| format!("{field} {message}")).collect();
    let expected = [
        "reference is required",
        "activities[1].occur_time lies in the future",
        "activities[2].occur_time lies before the line before it",
    ];
    assert_eq!(faults, expected);
    let mut empty = import(&[]);
    empty.opening.ticket_type = "fax".into();
    let Err(Refusal::Invalid(faults)) = desk.ask(&Command::Import(Box::new(empty))) else { panic!() };
    assert_eq!(faults.len(), 2, "{faults:?}");
}

#[test]
fn a_line_follows_the_one_before() {
    let mut desk = Desk::new();
    let ticket = take_in(&mut desk, &import(&[Status::Open]));
    let (source, reference) = ("old".to_owned(), "R-1".to_owned());
    let third = Line { ticket, ordinal: 3, source, reference, line: line(Status::Open) };
    assert_eq!(desk.ask(&Command::ImportLine(Box::new(third))).unwrap_err(), Refusal::ImportGap);
}
