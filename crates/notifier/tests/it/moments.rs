//! The shipped moments of reminding, each played with the shipped rules and texts, and held against the table of the page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use ticket::intake::{IntakeEvent, Priority};
use ticket::notifier::NotifierEvent;
use ticket::sla::{Backlog, Pinned, SlaEvent};
use ticket::{Event, stream};

use crate::world::{Happened, TICKET, VISIT, World, nobody, offered, received, taken, us, warned};

/// A file of the source tree.
fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The shipped documents of one kind by name, the later file's in the place of the earlier's.
fn shipped(kind: &str) -> BTreeMap<String, Value> {
    let files = ["deploy/pack/service.yaml", "deploy/pack/moments.yaml"].map(file);
    let all = files.iter().flat_map(|text| ticket::yaml::parse(text).unwrap());
    all.filter(|one| one.kind == kind).map(|one| (one.name, one.spec)).collect()
}

fn house() -> World {
    let mut world = World::with(&[]);
    for (service, kind) in [("intake", "Queue"), ("notifier", "MessageText"), ("notifier", "ReminderRule")] {
        for (name, spec) in shipped(kind) {
            world.apply(service, kind, &name, &spec);
        }
    }
    world
}

fn intake(event: &Value) -> Happened {
    Happened(stream::ticket(TICKET), Event::Intake(serde_json::from_value(event.clone()).unwrap()))
}

fn field(event: &Value) -> Happened {
    Happened(stream::work(TICKET), Event::Dispatch(serde_json::from_value(event.clone()).unwrap()))
}

fn personal(text: &str) -> Value {
    json!({"personal": {"subject": TICKET, "value": text}})
}

fn next(party: &Value) -> Value {
    json!({"accountable": party, "attend_by": us("18:00")})
}

/// Who is told by which rule after this happened to a ticket of the desk's with a customer.
fn told(before: Vec<Happened>, event: Happened) -> (World, BTreeSet<String>) {
    let mut world = house();
    world.on("09:00", with_customer());
    for earlier in before {
        world.on("09:10", earlier);
    }
    world.said();
    world.on("10:00", event);
    let said = world.said().into_iter().filter(|one| one.contains(" <- "));
    let short = said.map(|one| one.split(' ').take(3).collect::<Vec<_>>().join(" "));
    let found = short.collect();
    (world, found)
}

fn with_customer() -> IntakeEvent {
    let mut event = serde_json::to_value(received(Priority::High, "11:00")).unwrap();
    event["Received"]["request"]["customer"] = json!({"id": TICKET, "reference": personal("C-1")});
    serde_json::from_value(event).unwrap()
}

fn of(rule: &str, who: &[&str]) -> BTreeSet<String> {
    who.iter().map(|who| format!("{who} <- {rule}")).collect()
}

const DESK: [&str; 6] = ["ann", "bob", "chen", "dana", "egon", "fang"];

/// Proves part of: N3
#[test]
fn the_customer_hears_of_receipt_progress_and_the_visit_until_the_rating() {
    let mut world = house();
    world.on("09:00", with_customer());
    assert!(world.said().contains(&"customer <- receipt-to-the-customer en Email 09:00".to_owned()));
    let visit = |kind: &str, more: Value| {
        let mut body = json!({"visit": VISIT});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ kind: body })
    };
    let (engineer, desk) = (json!({"engineer": "eva"}), next(&json!({"queue": "desk"})));
    let slot = json!({"from": us("11:00"), "arrive": us("12:00"), "to": us("13:00")});
    let handed = json!({"from": "eva", "to": "fay", "slot": slot, "depart_by": us("11:30"), "note": personal("x")});
    let moments = [
        (intake(&json!({"TakenInCharge": {"agent": "ann", "next": desk}})), "progress-to-the-customer"),
        (intake(&json!({"WaitStarted": {"reasons": ["parts"], "next": desk}})), "progress-to-the-customer"),
        (intake(&json!({"WaitEnded": {"reasons": ["parts"], "next": desk}})), "progress-to-the-customer"),
        (intake(&json!({"ConfirmationRejected": {"reason": personal("x"), "next": desk}})), "progress-to-the-customer"),
        (intake(&json!({"Reopened": {"reason": personal("x"), "next": desk}})), "progress-to-the-customer"),
        (
            intake(&visit("VisitScheduled", json!({"engineer": "eva", "arrive_at": us("12:00"), "next": desk}))),
            "visit-to-the-customer",
        ),
        (intake(&visit("VisitFellThrough", json!({"next": desk}))), "moved-to-the-customer"),
        (field(&visit("Departed", engineer.clone())), "on-the-way-to-the-customer"),
        (field(&visit("Arrived", engineer)), "arrival-to-the-customer"),
        (field(&visit("WorkHandedOver", handed)), "another-engineer-to-the-customer"),
        (
            intake(&json!({"Resolved": {"solution": personal("x"), "confirm_by": us("18:00"), "next": desk}})),
            "done-to-the-customer",
        ),
        (intake(&json!({"Closed": {"review": "fine"}})), "rating-of-the-customer"),
    ];
    for (event, rule) in moments {
        let (mut world, said) = told(Vec::new(), event);
        assert_eq!(said, of(rule, &["customer"]));
        world.on("10:01", intake(&json!({"Cancelled": {"reason": personal("x")}})));
        assert!(world.said().contains(&"customer recalled TicketEnded".to_owned()), "{rule}: it is not sent any more");
    }
}

/// Proves part of: N3
#[test]
fn our_own_hear_of_offers_deadlines_and_what_is_owed() {
    let desk = next(&json!({"queue": "supervisors"}));
    let breached = |clock: &str| SlaEvent::Breached {
        clock: clock.into(),
        generation: 1,
        at: us("10:00"),
        accountable: None,
        began: None,
        escalates_at: None,
        major: None,
    };
    let missed = SlaEvent::AttentionMissed {
        step: 1,
        due_at: us("10:00"),
        owed: ticket::intake::Accountable::Queue("desk".into()),
        wakes: ticket::intake::Accountable::Queue("supervisors".into()),
        next_at: us("11:00"),
    };
    let desk_and = |rule: &str, other: &str, who: &[&str]| &of(rule, &DESK) | &of(other, who);
    let moments = [
        (Happened::from(offered("eva", "11:00")), of("offer-to-the-engineer", &["eva"])),
        (warned("resolution", "10:00").into(), of("warning-to-the-accountable", &DESK)),
        (warned("contact", "10:00").into(), of("contact-due-to-the-accountable", &DESK)),
        (
            breached("resolution").into(),
            desk_and("breach-to-the-accountable", "breach-to-the-supervisors", &["sue", "tom"]),
        ),
        (
            breached("contact").into(),
            desk_and("contact-due-to-the-accountable", "breach-to-the-supervisors", &["sue", "tom"]),
        ),
        (missed.into(), of("attention-to-the-woken", &["sue", "tom"])),
        (nobody(VISIT).into(), of("nobody-to-the-dispatchers", &["dora", "emil"])),
        (
            intake(&json!({"Confirmed": {"implicit": false, "next": desk}})),
            of("archive-due-to-the-accountable", &["sue", "tom"]),
        ),
    ];
    for (event, expected) in moments {
        assert_eq!(told(Vec::new(), event).1, expected);
    }
}

/// Proves part of: N3
#[test]
fn an_offer_comes_a_second_time_unless_it_is_taken() {
    let (mut world, _) = told(Vec::new(), offered("eva", "11:00").into());
    world.until("10:09:59");
    assert!(world.said().is_empty());
    world.until("10:10");
    assert_eq!(world.said(), ["eva a second time"]);
    world.until("10:59");
    assert!(world.said().is_empty(), "and no third");
    let (mut world, _) = told(Vec::new(), offered("eva", "11:00").into());
    let slot = json!({"from": us("11:00"), "arrive": us("12:00"), "to": us("13:00")});
    let accepted = json!({"visit": VISIT, "engineer": "eva", "slot": slot, "depart_by": us("11:30")});
    world.on("10:05", field(&json!({ "OfferAccepted": accepted })));
    assert_eq!(world.said(), ["eva recalled ActedOn"]);
    world.until("10:30");
    assert!(world.said().is_empty());
}

/// Proves part of: N5
#[test]
fn linked_teams_are_told_together_and_hear_who_acted() {
    let transferred = json!({"from": "desk", "queue": "second-line", "reason": "theirs",
        "next": next(&json!({"queue": "second-line"}))});
    let (mut world, said) = told(Vec::new(), intake(&json!({ "Transferred": transferred })));
    assert_eq!(said, of("hand-over-across-teams", &["gina", "hugo", "dora", "emil"]));
    let known = world.log.iter().rev().find_map(|entry| match &entry.event {
        Event::Notifier(NotifierEvent::ReminderPlanned { facts, .. }) => facts.get("told_with").cloned(),
        _ => None,
    });
    assert_eq!(known.as_deref(), Some("gina, hugo, dora, emil"));
    let reminder = world.reminder("gina");
    world.now = us("10:05");
    world.ask("gina", &notifier::Command::Acknowledge { ticket: TICKET, reminder }).unwrap();
    let said = world.said();
    assert_eq!(said[0], "gina answered");
    for other in ["hugo", "dora", "emil"] {
        assert!(said.contains(&format!("{other} recalled Answered")), "{said:?}");
        assert!(said.contains(&format!("{other} <- hand-over-across-teams en InApp 10:05")), "{said:?}");
    }
    world.react_again();
    assert!(world.said().is_empty(), "each hears of it once");
    world.on("10:06", taken("gina", "12:00"));
    let said = world.said();
    assert!(!said.iter().any(|one| one.contains("hand-over")), "and not of what follows: {said:?}");
}

/// Proves part of: L10, N3
#[test]
fn a_major_event_and_a_backlog_are_told_of_what_they_are_about() {
    let mut world = house();
    world.said();
    let policy = Pinned { name: "emergency".into(), version: 1 };
    let (name, reason, scope) = ("flood".to_owned(), "water".to_owned(), "ticket.queue == 'desk'".to_owned());
    let declared = SlaEvent::MajorEventDeclared { name: name.clone(), reason: reason.clone(), scope, policy };
    world.on("10:00", Happened(stream::major("flood"), Event::Sla(declared)));
    let told: BTreeSet<_> = world.said().into_iter().collect();
    assert_eq!(
        told,
        ["sue", "tom"].map(|who| format!("{who} <- major-event-to-the-supervisors en InApp 10:00")).into()
    );
    let ended = SlaEvent::MajorEventEnded { name, reason };
    world.on("11:00", Happened(stream::major("flood"), Event::Sla(ended)));
    let said = world.said();
    assert_eq!(said.iter().filter(|one| one.ends_with("recalled Over")).count(), 2, "{said:?}");

    let alert = || Pinned { name: "desk-full".into(), version: 1 };
    let (queue, alarm, measure) = ("desk".to_owned(), 1, Backlog::Count);
    let raised = SlaEvent::BacklogRaised {
        alert: alert(),
        queue: queue.clone(),
        alarm,
        measure,
        waiting: 51,
        oldest_at: us("08:00"),
        limit: 50,
    };
    world.on("12:00", raised);
    let said = world.said();
    assert_eq!(said.len(), DESK.len() + 2, "{said:?}");
    let planned = world.log.last().unwrap();
    assert_ne!(planned.correlation, Some(TICKET), "it is about the queue, not about its oldest ticket");
    let cleared = SlaEvent::BacklogCleared { alert: alert(), queue, alarm, measure, waiting: 40 };
    world.on("13:00", cleared);
    assert_eq!(world.said().iter().filter(|one| one.ends_with("recalled Over")).count(), DESK.len() + 2);
}

/// The rows of the page's table of moments: rule, its events, its audience, whether it is urgent.
fn rows() -> BTreeMap<String, (BTreeSet<String>, bool)> {
    let page = file("docs/reminders.md");
    let chapter = page.split("\n## Moments").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = chapter.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        (words(cells[5]).remove(0), (words(cells[1]).into_iter().collect(), cells[3].contains("urgent")))
    })
    .collect()
}

/// Proves part of: N2, N3
#[test]
fn the_page_names_every_shipped_rule_and_every_text_speaks_both_languages() {
    let rules = shipped("ReminderRule");
    let named: BTreeMap<_, _> = rules
        .iter()
        .map(|(name, spec)| {
            let on = spec["on"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_owned()).collect();
            (name.clone(), (on, spec["urgent"] == json!(true)))
        })
        .collect();
    assert_eq!(rows(), named);
    let texts = shipped("MessageText");
    for (name, spec) in &texts {
        assert!(spec["en"].is_object() && spec["zh-CN"].is_object(), "{name}");
    }
    let used: BTreeSet<_> = rules.values().flat_map(|spec| [spec["text"].as_str(), spec["acted"].as_str()]).collect();
    let used: BTreeSet<_> = used.into_iter().flatten().map(str::to_owned).collect();
    assert_eq!(used, texts.into_keys().collect(), "no text is left over, none is missing");
}

/// Proves part of: N2, X1
#[test]
fn every_document_of_the_page_can_be_put_in_force() {
    let page = file("docs/reminders.md");
    let blocks = page.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let documents: Vec<_> = blocks
        .filter(|block| block.starts_with("kind:"))
        .flat_map(|block| ticket::yaml::parse(block).unwrap())
        .collect();
    assert!(documents.len() > 6);
    for one in documents {
        match one.kind.as_str() {
            "ReminderRule" => drop(notifier::rule::Rule::read(&one.spec).unwrap()),
            "MessageText" => drop(notifier::text::Text::read(&one.spec).unwrap()),
            kind => panic!("{kind}"),
        }
    }
}
