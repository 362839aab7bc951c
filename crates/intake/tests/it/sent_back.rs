//! A ticket whose work was said to be done and that the customer sends back: what dispatch told of its visit meanwhile.

use decider::{Read, Versions};
use intake::command::{Command, Move, Reach, Verb};
use ticket::dispatch::{StopReason, VisitEnd};
use ticket::stream;

use crate::desk::{HOUR, MONDAY, because, resolve, take};
use crate::field::{
    accepted, agent, at, called_off, completed, departed, kinds, owed, person, queue, stopped, visited,
};

/// Proves part of: D7, L8
#[test]
fn a_visit_called_off_while_the_customer_is_asked_binds_nobody_when_the_ticket_comes_back() {
    let cancelled = || called_off(VisitEnd::TicketEnded);
    let reject = || because(|reason| Verb::Reject { reason });
    let (mut desk, ticket) = visited([accepted("eve"), departed()]);
    desk.verb(ticket, resolve()).unwrap();
    assert!(desk.told(ticket, cancelled()).is_empty(), "the customer has the word");
    assert_eq!(agent(&desk, ticket), None);
    desk.verb(ticket, reject()).unwrap();
    assert_eq!(owed(&desk, ticket).0, queue("desk"), "eve has no visit any more");

    let (mut desk, ticket) = visited([accepted("eve"), departed()]);
    let late = desk.note(ticket, cancelled());
    desk.verb(ticket, resolve()).unwrap();
    desk.verb(ticket, reject()).unwrap();
    assert_eq!((owed(&desk, ticket).0, agent(&desk, ticket)), (queue("desk"), None));
    assert!(desk.react(&late).is_empty());

    let (mut desk, ticket) = visited([accepted("eve"), departed()]);
    desk.verb(ticket, resolve()).unwrap();
    desk.verb(ticket, reject()).unwrap();
    assert_eq!(owed(&desk, ticket).0, person("eve"), "she is on her way");
    assert_eq!(kinds(&desk.told(ticket, cancelled())), ["VisitFellThrough"]);
    assert_eq!((owed(&desk, ticket).0, agent(&desk, ticket)), (queue("desk"), None));
}

#[test]
fn whoever_sends_a_ticket_back_depends_on_where_its_visit_stands() {
    let (mut desk, ticket) = visited([accepted("eve"), departed()]);
    desk.verb(ticket, resolve()).unwrap();
    let verb = because(|reason| Verb::Reject { reason });
    let asked = Command::Move(Move { ticket, etag: None, reach: Reach::All, verb });
    let versions = Versions::default();
    let read = Read::new(&desk.state, &versions, &desk.tenant);
    intake::command::decide(&asked, &read, &at(&desk)).unwrap();
    assert!(read.into_guards().contains_key(&stream::work(ticket)));
}

#[test]
fn a_report_from_before_the_customer_disagreed_resolves_nothing() {
    let ends = [completed(), stopped(StopReason::Parts), stopped(StopReason::MoreTime)];
    for (end, first) in ends.iter().flat_map(|end| [(end, true), (end, false)]) {
        let (mut desk, ticket) = visited([accepted("eve"), departed()]);
        let early = first.then(|| desk.note(ticket, end.clone()));
        desk.verb(ticket, resolve()).unwrap();
        let late = early.unwrap_or_else(|| desk.note(ticket, end.clone()));
        desk.verb(ticket, because(|reason| Verb::Reject { reason })).unwrap();
        assert!(desk.react(&late).is_empty(), "{end:?}");
        assert_eq!(desk.phase(ticket), "in_progress");
    }
    let (mut desk, ticket) = visited([accepted("eve"), departed()]);
    desk.verb(ticket, resolve()).unwrap();
    desk.verb(ticket, because(|reason| Verb::Reject { reason })).unwrap();
    assert_eq!(kinds(&desk.told(ticket, completed())), ["Resolved"], "what was done since counts");
}

#[test]
fn what_moves_between_reaction_and_decision_is_overridden_in_order() {
    let (mut desk, ticket) = visited([accepted("eve")]);
    let cause = desk.note(ticket, departed());
    let reaction = intake::react::react(&desk.state, &cause).unwrap();
    desk.now = MONDAY + HOUR;
    desk.verb(ticket, take()).unwrap();
    assert_eq!(desk.carry_out(&reaction)[0].occurred_at, MONDAY + HOUR, "the decision saw the agent take it");
}
