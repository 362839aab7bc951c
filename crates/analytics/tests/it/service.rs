//! Service reports of small stories, counted by hand.

use analytics::service::{Clocks, Engineer, Ratio, Reminders, Tickets};
use analytics::{Analytics, Between, Command, ServiceReport, service_report};
use decider::given::Given;
use decider::{Core, Micros};
use serde_json::{Value, json};
use ticket::Personal;
use ticket::dispatch::{Release, StopReason, VisitEnd};
use ticket::intake::Contact;
use ticket::notifier::Recipient;
use uuid::Uuid;

use crate::story::*;
use crate::{HOUR, about, acme, given};

const DAY: Micros = 24 * HOUR;

fn counted(given: &Given<Analytics>) -> ServiceReport {
    service_report(&given.state, &acme(), &Between::default(), "")
}

fn ratio(numerator: u64, denominator: u64, excluded: u64) -> Ratio {
    Ratio { numerator, denominator, excluded }
}

/// Proves part of: A2
#[test]
fn a_day_in_the_field_is_counted() {
    let mut given = given();
    happen(&mut given, &a_day_in_the_field());
    let report = counted(&given);
    assert_eq!(report.tickets, Tickets { opened: 2, closed: 1, cancelled: 0 });
    let visits = &report.visits;
    assert_eq!((visits.planned, visits.nobody_found, visits.offered, visits.accepted), (3, 1, 6, 4));
    assert_eq!((visits.declined, visits.expired, visits.handed_over, visits.arrived), (1, 1, 1, 3));
    assert_eq!((visits.completed, visits.released.clone()), (2, [(Release::OffDuty, 1)].into()));
    assert_eq!((visits.stopped.clone(), visits.cancelled.len()), ([(StopReason::Parts, 1)].into(), 0));
    let dispatch = report.time_to_dispatch_secs;
    assert_eq!((dispatch.n, dispatch.median.to_string(), dispatch.p90.to_string()), (2, "2100".into(), "2340".into()));
    assert_eq!(report.on_time_arrival, ratio(2, 3, 0), "at the latest instant is on time, a minute after is not");
    assert_eq!((report.completion, report.override_share), (ratio(2, 3, 0), ratio(1, 6, 0)));
    assert_eq!((report.first_time_fix, report.first_time_fix_immature), (ratio(1, 2, 0), 1));
    assert_eq!((report.jobs_per_engineer, report.jobs_per_engineer_day), (ratio(2, 1, 0), ratio(2, 1, 0)));
    let row = |name: &str| report.engineers.iter().find(|(engineer, _)| **engineer == *name).unwrap().1;
    let ann = Engineer { offered: 3, accepted: 1, declined: 1, expired: 1, released: 1, ..Engineer::default() };
    let bob =
        Engineer { offered: 2, accepted: 2, arrived: 3, on_time: 2, completed: 2, stopped: 1, ..Engineer::default() };
    assert_eq!((row("ann"), row("bob")), (ann, bob));
    assert_eq!(row("cat"), Engineer { offered: 1, accepted: 1, ..Engineer::default() });
}

/// Proves part of: A2, A3
#[test]
fn adjoining_spans_add_up_and_a_queue_selects() {
    let mut given = given();
    happen(&mut given, &a_day_in_the_field());
    let noon = Some(at("12:00"));
    let of = |start, end, queue| service_report(&given.state, &acme(), &Between { start, end }, queue);
    let (morning, afternoon) = (of(None, noon, ""), of(noon, None, ""));
    assert_eq!((morning.visits.arrived, afternoon.visits.arrived), (1, 2), "noon belongs to the afternoon");
    assert_eq!((morning.tickets.opened, afternoon.tickets.opened, afternoon.tickets.closed), (2, 0, 1));
    assert_eq!((morning.time_to_dispatch_secs.n, afternoon.time_to_dispatch_secs.n), (2, 0));
    assert_eq!((morning.first_time_fix, afternoon.first_time_fix), (ratio(0, 0, 0), ratio(1, 2, 0)));
    let office = of(None, None, "office");
    assert_eq!((office.tickets.opened, office.visits.offered, office.first_time_fix), (1, 4, ratio(0, 1, 0)));
    assert_eq!(of(None, None, "nowhere"), ServiceReport::default());
    assert_eq!(
        service_report(&given.state, &decider::Tenant::new("globex"), &Between::default(), "").visits.offered,
        0
    );
}

/// Proves part of: A2
#[test]
fn who_comes_back_was_not_repaired_the_first_time() {
    let mut given = given();
    happen(
        &mut given,
        &[
            (1, "09:00", "Received", received("field")),
            (1, "09:00", "VisitPlanned", planned(11, at("12:00"))),
            (1, "10:00", "VisitCompleted", completed(11, "bob")),
            (1, "10:00", "Resolved", resolved()),
            (2, "09:00", "Received", received("field")),
            (2, "10:00", "Resolved", resolved()),
            (3, "09:00", "Received", received("field")),
            (3, "09:30", "VisitPlanned", planned(31, at("12:00"))),
            (3, "10:00", "Cancelled", json!({"reason": text()})),
            (3, "10:00", "VisitCancelled", json!({"visit": Uuid::from_u128(31), "why": "ticket_ended"})),
        ],
    );
    let before = counted(&given);
    assert_eq!((before.first_time_fix, before.first_time_fix_immature), (ratio(1, 1, 1), 1));
    assert_eq!(before.tickets, Tickets { opened: 3, closed: 0, cancelled: 1 });
    assert_eq!(before.visits.cancelled, [(VisitEnd::TicketEnded, 1)].into());
    happen(&mut given, &[(1, "11:00", "ConfirmationRejected", returned())]);
    assert_eq!(counted(&given).first_time_fix, ratio(0, 0, 1), "it is open again");
    happen(&mut given, &[(1, "12:00", "Resolved", resolved()), (1, "13:00", "Closed", json!({"review": ""}))]);
    assert_eq!(counted(&given).first_time_fix, ratio(0, 1, 1), "one visit, but it came back");
    happen(&mut given, &[(1, "14:00", "Reopened", returned())]);
    assert_eq!(counted(&given).tickets.closed, 0);
}

#[test]
fn a_repair_matures_in_thirty_days() {
    let mut given = given();
    happen(
        &mut given,
        &[
            (1, "09:00", "Received", received("field")),
            (1, "10:00", "VisitCompleted", completed(11, "bob")),
            (1, "10:00", "Resolved", resolved()),
        ],
    );
    for (later, immature) in [(30 * DAY - 1, 1), (30 * DAY, 0)] {
        let (stream, event) = about(2, "Received", &received("field"));
        given.happened(at("10:00") + later, stream, event);
        assert_eq!(counted(&given).first_time_fix_immature, immature);
    }
}

fn clocks(given: &Given<Analytics>) -> Vec<(String, Clocks)> {
    counted(given).clocks.iter().map(|(name, clocks)| (name.to_string(), *clocks)).collect()
}

/// Proves part of: A2
#[test]
fn a_clock_ends_once_and_a_breach_stands_until_it_is_revoked() {
    let mut given = given();
    let mut tell = |kind: &str, body: Value| {
        happen(&mut given, &[(1, "16:00", kind, body)]);
        clocks(&given)
    };
    let one = |clocks: Clocks| vec![("accept".to_owned(), clocks)];
    assert_eq!(tell("Received", received("field")), []);
    assert_eq!(tell("ClockStarted", started("accept")), [], "it has no end yet");
    assert_eq!(tell("ClockStopped", halted("accept", "09:30", true)), one(Clocks { met: 1, ..Clocks::default() }));
    let resumed = json!({"clock": "accept", "generation": 2, "since": 0, "elapsed_us": 0, "marks": []});
    assert_eq!(tell("ClockResumed", resumed), [], "it runs again");
    let late = one(Clocks { breached: 1, ..Clocks::default() });
    assert_eq!(tell("Breached", breached("accept", at("10:00"))), late);
    assert_eq!(tell("ClockStopped", halted("accept", "11:00", false)), late);
    assert_eq!(tell("ClockCancelled", halted("accept", "11:00", false)), late, "calling off undoes no breach");
    assert_eq!(
        tell("BreachRevoked", breached("accept", at("10:00"))),
        one(Clocks { revoked: 1, ..Clocks::default() }),
        "a late fact does"
    );
    let met = Clocks { met: 1, revoked: 1, ..Clocks::default() };
    assert_eq!(tell("ClockStopped", halted("accept", "09:55", true)), one(met));
    let resolve = ("resolve".to_owned(), Clocks { cancelled: 1, ..Clocks::default() });
    assert_eq!(tell("ClockCancelled", halted("resolve", "11:00", false)), [one(met), vec![resolve]].concat());
    let before_ten = Between { start: None, end: Some(at("10:00")) };
    let known = service_report(&given.state, &acme(), &before_ten, "");
    assert_eq!(known.clocks.iter().map(|(_, clocks)| (clocks.met, clocks.revoked)).collect::<Vec<_>>(), [(1, 0)]);
}

/// Proves part of: A2
#[test]
fn a_reminder_ends_once_however_many_media_carried_it() {
    let mut given = given();
    let started = |id, medium| of(id, &json!({"attempt": 1, "medium": medium, "message_id": "m"}));
    let arrived = |id, medium| of(id, &json!({"attempt": 1, "medium": medium, "receipt": "ok"}));
    let later = |id| of(id, &json!({"until": 0, "why": "cap"}));
    let by_mail = |id| with(reminder(id, false), &json!({"media": ["email"]}));
    let contact = Contact { name: "Doe".into(), phone: "7".into(), email: "doe@example.org".into() };
    let customer = Recipient::Customer(Personal::new(Uuid::from_u128(77), contact));
    let to_customer = |id| with(by_mail(id), &json!({"recipient": customer}));
    let falls = json!({"attempt": 1, "medium": "email", "error": "e", "then": {"fall_through": {"medium": "in_app"}}});
    happen(
        &mut given,
        &[
            (1, "09:00", "Received", received("field")),
            (1, "09:00", "ReminderPlanned", reminder(1, false)),
            (1, "09:00", "AttemptStarted", started(1, "in_app")),
            (1, "09:00", "AttemptSucceeded", arrived(1, "in_app")),
            (1, "09:00", "AttemptStarted", started(1, "email")),
            (1, "09:00", "AttemptSucceeded", arrived(1, "email")),
            (1, "09:05", "ReminderAcknowledged", of(1, &json!({"by": "ann"}))),
            (1, "09:06", "ReminderRecalled", of(1, &json!({"why": "acted_on"}))),
            (1, "10:00", "ReminderPlanned", reminder(2, true)),
            (1, "10:00", "ReminderDeferred", later(2)),
            (1, "10:05", "ReminderResumed", of(2, &json!({}))),
            (1, "10:10", "ReminderRecalled", of(2, &json!({"why": "acted_on"}))),
            (1, "11:00", "ReminderPlanned", reminder(3, false)),
            (1, "11:00", "ReminderDeferred", later(3)),
            (1, "11:00", "ReminderDeferred", later(3)),
            (1, "11:00", "AttemptStarted", started(3, "in_app")),
            (1, "11:00", "AttemptSucceeded", arrived(3, "in_app")),
            (1, "11:15", "ReminderUnanswered", of(3, &json!({"delivered": true}))),
            (1, "12:00", "ReminderPlanned", by_mail(4)),
            (1, "12:00", "AttemptStarted", started(4, "email")),
            (1, "12:15", "ReminderUnanswered", of(4, &json!({"delivered": false}))),
            (1, "13:00", "ReminderPlanned", reminder(5, true)),
            (1, "13:15", "ReminderRecalled", of(5, &json!({"why": "ticket_ended"}))),
            (1, "14:00", "ReminderPlanned", reminder(6, false)),
            (1, "15:00", "ReminderPlanned", to_customer(7)),
            (1, "15:01", "AttemptSucceeded", arrived(7, "email")),
            (1, "15:02", "AttemptSucceeded", arrived(7, "email")),
            (1, "16:00", "ReminderPlanned", by_mail(8)),
            (1, "16:01", "AttemptFailed", of(8, &falls)),
        ],
    );
    let expected = Reminders {
        planned: 8,
        deferred: 3,
        attempts: 4,
        delivered: 6,
        acted_on: 2,
        unanswered: 1,
        undelivered: 1,
        recalled: 1,
    };
    assert_eq!(counted(&given).reminders, expected, "what lies in the inbox has arrived");
    let kept = format!("{:?}", given.state);
    assert!(!kept.contains("to: Customer") && kept.contains("to: Staff"), "nothing is kept of what is over");
}

/// Proves part of: A2, N5
#[test]
fn a_digest_is_one_attempt_and_delivers_each_reminder_it_tells() {
    let mut given = given();
    let deferred = |id| with(reminder(id, true), &json!({"media": ["email"]}));
    let (stream, within) = (ticket::stream::reminder(Uuid::from_u128(50)), json!({"digest": Uuid::from_u128(50)}));
    for n in [1, 2] {
        let told = [
            (n, "09:00", "Received", received("field")),
            (n, "09:00", "ReminderPlanned", deferred(n)),
            (n, "10:00", "ReminderGathered", of(n, &within)),
        ];
        happen(&mut given, &told);
    }
    let digest = |kind: &str, more: &Value| {
        let mut body = json!({"reminder": Uuid::from_u128(50), "attempt": 1, "medium": "email"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(json!({ kind: body })).map(ticket::Event::Notifier).unwrap()
    };
    given.happened(at("10:00"), stream.clone(), digest("AttemptStarted", &json!({"message_id": "m"})));
    given.happened(at("10:01"), stream, digest("AttemptSucceeded", &json!({"receipt": "ok"})));
    let expected = Reminders { planned: 2, deferred: 2, attempts: 1, delivered: 2, ..Reminders::default() };
    assert_eq!(counted(&given).reminders, expected);
}

/// Every event these figures need is asked for, by a name the language knows.
#[test]
fn what_is_counted_is_wanted() {
    for (_, _, kind, _) in a_day_in_the_field() {
        assert!(Analytics::wants(kind), "{kind}");
    }
    let known = ticket::codec::KINDS.keys().filter(|kind| Analytics::wants(kind)).count();
    let intake = ticket::codec::KINDS.values().filter(|family| **family == ticket::codec::Family::Intake).count();
    assert_eq!(known, intake - 1 + 30 + 2, "a name in the list is misspelt");
    assert!(!Analytics::wants("PositionReported") && !Analytics::wants("CustomerErased"));
}

#[test]
fn a_snapshot_goes_on_counting() {
    let (mut given, story) = (given(), a_day_in_the_field());
    let (before, after) = story.split_at(8);
    happen(&mut given, before);
    let bytes = postcard::to_stdvec(&given.state).unwrap();
    let whole = std::mem::replace(&mut given.state, postcard::from_bytes(&bytes).unwrap());
    assert_eq!(postcard::to_stdvec(&given.state).unwrap(), postcard::to_stdvec(&whole).unwrap());
    happen(&mut given, after);
    let mut unbroken = crate::given();
    happen(&mut unbroken, &story);
    assert_eq!(counted(&given), counted(&unbroken));
    assert_eq!(postcard::to_stdvec(&given.state).unwrap(), postcard::to_stdvec(&unbroken.state).unwrap());
}

/// What happened in the field is part of a ticket's facts: who worked on it, and how soon somebody reacted.
#[test]
fn the_field_is_in_the_figures_of_a_ticket() {
    let mut given = given();
    let Command::Apply(mut drafts) = crate::documents::apply("field", crate::report_spec());
    drafts[0].spec["reactions"] = json!(["OfferAccepted"]);
    given.when(&Command::Apply(drafts)).unwrap();
    happen(&mut given, &a_day_in_the_field());
    let (definition, _) = analytics::Definition::of(given.state.ledger(&acme()).unwrap(), "field").unwrap();
    let window = analytics::Window::default();
    let tickets = analytics::tickets(&given.state, &acme(), (&definition, &window), None, usize::MAX);
    let first = tickets.iter().find(|ticket| ticket.ticket == crate::ticket(1)).unwrap();
    assert_eq!((first.first_response, &*first.agent), (Some(at("09:30")), "bob"));
}
