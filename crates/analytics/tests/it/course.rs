//! Figures of small courses, worked out by hand.

use analytics::figures::Figures;
use analytics::{Analytics, Definition, Drill, Report, Window, report, tickets};
use decider::given::Given;
use decider::{Core, Micros};
use ticket::intake::Status::{self, Closed, InProgress, Open, Resolved, Waiting};
use ticket::stream;

use crate::{HOUR, MONDAY, acme, applied, given, imported, line, office, ticket};

const LAST: usize = usize::MAX;

fn definition(given: &Given<Analytics>) -> Definition {
    Definition::of(given.state.ledger(&acme()).unwrap(), "default").unwrap().0
}

fn all(given: &Given<Analytics>, window: &Window) -> Vec<Figures> {
    tickets(&given.state, &acme(), (&definition(given), window), None, LAST)
}

fn one(given: &Given<Analytics>) -> Figures {
    all(given, &Window::default()).remove(0)
}

fn counted(given: &Given<Analytics>, window: &Window) -> Report {
    report(&given.state, &acme(), &definition(given), window)
}

/// Lets these happen to a ticket: at which hour of the Monday, what, the state after it, by whom.
fn happen(given: &mut Given<Analytics>, n: u128, course: &[(Micros, &str, Status, &str)]) {
    for (hour, activity, state, agent) in course {
        let event = imported(&format!("t{n}"), line(activity, *state, agent));
        given.happened(MONDAY + hour * HOUR, stream::ticket(ticket(n)), event);
    }
}

/// Proves part of: A2
#[test]
fn waiting_and_resolved_time_is_no_work() {
    let mut given = given();
    let course = [
        (9, "new", Open, "ann"),
        (10, "accept", InProgress, "bob"),
        (11, "wait", Waiting, "bob"),
        (13, "back", InProgress, "?"),
        (14, "done", Resolved, "ann"),
        (15, "again", InProgress, "ann"),
        (40, "done", Resolved, "robot"),
        (41, "shut", Closed, "cat"),
    ];
    happen(&mut given, 1, &course);
    let figures = one(&given);
    assert_eq!((figures.reopens, figures.handovers, figures.pingpong, figures.agents), (1, 3, 1, 3));
    assert_eq!(figures.waiting_us, 2 * HOUR);
    let by = figures.by_calendar[0];
    assert_eq!((by.response_us, by.resolution_us), (Some(HOUR), Some(15 * HOUR)));
    assert_eq!(by.resolution_net_us, Some(12 * HOUR));
    assert_eq!((by.resp_breach, by.res_breach, by.res_breach_net), (false, false, false));
    assert_eq!((figures.first_resolved, figures.last_resolved), (Some(MONDAY + 14 * HOUR), Some(MONDAY + 40 * HOUR)));
    assert_eq!((figures.closed_at, figures.final_state), (Some(MONDAY + 41 * HOUR), Closed));
}

#[test]
fn what_never_came_is_measured_to_the_last_fact() {
    let mut given = given();
    happen(&mut given, 1, &[(9, "new", Open, ""), (10, "accepted later", Waiting, "")]);
    happen(&mut given, 2, &[(34, "accept", Open, "ann")]);
    let first = one(&given);
    assert_eq!((first.first_response, first.last_resolved, first.agents), (None, None, 0));
    assert!(first.by_calendar[0].resp_breach, "eight hours on Monday, one on Tuesday");
    assert!(!first.by_calendar[0].res_breach);
    assert_eq!(first.waiting_us, 24 * HOUR);
    happen(&mut given, 2, &[(9 + 48, "work", Open, "ann")]);
    assert!(!one(&given).by_calendar[0].res_breach, "a budget used up exactly is not exceeded");
    happen(&mut given, 2, &[(10 + 48, "work", Open, "ann")]);
    assert!(one(&given).by_calendar[0].res_breach);
    let until = Window { until: Some(MONDAY + 34 * HOUR), ..Window::default() };
    assert!(!all(&given, &until)[0].by_calendar[0].res_breach);
}

#[test]
fn late_facts_take_their_place_and_unsaid_things_stay() {
    let course = [
        (9, "new", Open, "ann"),
        (10, "accept", InProgress, "bob"),
        (12, "done", Resolved, "ann"),
        (13, "shut", Closed, ""),
    ];
    let mut ordered = given();
    happen(&mut ordered, 1, &course);
    let mut shuffled = given();
    for n in [3, 0, 2, 1] {
        happen(&mut shuffled, 1, &course[n..=n]);
    }
    assert_eq!(one(&ordered), one(&shuffled));
    let window = Window::default();
    assert_eq!(counted(&ordered, &window), counted(&shuffled, &window));
    let raised = ticket::Event::Intake(ticket::intake::IntakeEvent::PriorityRaised {
        from: ticket::intake::Priority::Low,
        to: ticket::intake::Priority::High,
        weight: None,
        reason: String::new(),
        next: None,
    });
    shuffled.happened(MONDAY + 14 * HOUR, stream::ticket(ticket(1)), raised);
    let figures = one(&shuffled);
    assert_eq!((&*figures.priority, &*figures.group, figures.final_state), ("high", "g", Closed));
}

/// Proves part of: A2, A3, A4
#[test]
fn a_window_and_a_property_select() {
    let mut given = given();
    happen(&mut given, 1, &[(9, "new", Open, "ann"), (10, "done", Resolved, "ann"), (11, "again", Open, "bob")]);
    happen(&mut given, 2, &[(34, "accept", InProgress, "bob"), (35, "shut", Closed, "bob")]);
    let definition = definition(&given);
    let drilled = |text: &str| {
        let drill = Some(Drill::parse(text, &definition).unwrap_or_else(|| panic!("{text}")));
        counted(&given, &Window { drill, ..Window::default() }).tickets
    };
    assert_eq!(drilled("reopened"), 1);
    assert_eq!(drilled("never_responded"), 1);
    assert_eq!(drilled("unresolved"), 0);
    assert_eq!(drilled("pingpong"), 0);
    assert_eq!(drilled("resp_breach_b"), 1);
    assert_eq!(drilled("res_breach_net"), 0);
    assert_eq!((drilled("agent=bob"), drilled("priority=p"), drilled("group=x")), (2, 2, 0));
    assert_eq!((drilled("final_state=closed"), drilled("final_state=open")), (1, 1));
    for unknown in ["res_breach_c", "colour=red", "breach", ""] {
        assert_eq!(Drill::parse(unknown, &definition), None, "{unknown}");
    }
    let late = Window { start: Some(MONDAY + 34 * HOUR), ..Window::default() };
    assert_eq!((counted(&given, &late).tickets, counted(&given, &late).events), (1, 2));
    let early = Window { end: Some(MONDAY + 34 * HOUR), ..Window::default() };
    assert_eq!((counted(&given, &early).tickets, counted(&given, &early).reopens_total), (1, 1));
}

/// Proves part of: A2, L7
#[test]
fn the_backlog_is_what_stood_just_before_midnight() {
    let mut given = given();
    happen(&mut given, 1, &[(0, "new", Open, "a"), (24, "done", Resolved, "a"), (25, "shut", Closed, "a")]);
    happen(&mut given, 2, &[(1, "new", Open, "a"), (47, "shut", Closed, "a"), (49, "again", Open, "a")]);
    let report = counted(&given, &Window::default());
    let days: Vec<_> =
        report.backlog_daily.iter().map(|(day, b)| (day.to_string(), b.unresolved, b.not_closed)).collect();
    let expected = [("2024-01-02", 2, 2), ("2024-01-03", 0, 0), ("2024-01-04", 1, 1)];
    assert_eq!(days, expected.map(|(day, unresolved, open)| (day.to_owned(), unresolved, open)));
    assert_eq!(report.backlog_peak.unresolved.map(|(n, day)| (n, day.to_string())), Some((2, "2024-01-02".into())));
}

#[test]
fn a_new_version_of_a_calendar_counts_from_then_on() {
    let mut given = given();
    happen(&mut given, 1, &[(9, "new", Open, "ann"), (11, "accept", InProgress, "bob")]);
    assert_eq!(one(&given).by_calendar[0].response_us, Some(2 * HOUR));
    let mut late = office();
    late["weekly"]["mon"] = serde_json::json!(["10:00-17:00"]);
    given.happened(MONDAY, stream::config("sla-monitor", "Calendar", "office"), applied("Calendar", "office", late));
    assert_eq!(one(&given).by_calendar[0].response_us, Some(HOUR));
}

#[test]
fn nothing_has_figures_too() {
    let given = given();
    let report = counted(&given, &Window::default());
    assert_eq!((report.tickets, report.sla[0].1.breached, report.backlog_peak.unresolved), (0, 0, None));
    assert!(analytics::json(&report, "x").unwrap().contains("\"first\": null"));
}

#[test]
fn a_snapshot_holds_the_same_state() {
    let mut given = given();
    happen(&mut given, 1, &[(9, "new", Open, "ann"), (10, "accept", InProgress, "bob")]);
    let bytes = postcard::to_stdvec(&given.state).unwrap();
    let mut restored: <Analytics as Core>::State = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(postcard::to_stdvec(&restored).unwrap(), bytes);
    let next = given.happened(
        MONDAY + 12 * HOUR,
        stream::ticket(ticket(1)),
        imported("t1", line("shut", Closed, "new agent")),
    );
    Analytics::evolve(&mut restored, &next);
    assert_eq!(postcard::to_stdvec(&restored).unwrap(), postcard::to_stdvec(&given.state).unwrap());
}
