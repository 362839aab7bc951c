//! Stories of the field: events of every family as they are stored, with the least they can say.

use analytics::Analytics;
use decider::Micros;
use decider::given::Given;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{MONDAY, about};

const MINUTE: Micros = 60_000_000;

/// A minute of the Monday.
pub(crate) fn at(clock: &str) -> Micros {
    let (hour, minute) = clock.split_once(':').unwrap();
    MONDAY + (hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()) * MINUTE
}

/// Events about tickets: which, at which minute, what.
pub(crate) type Story<'a> = [(u128, &'a str, &'a str, Value)];

pub(crate) fn happen(given: &mut Given<Analytics>, story: &Story<'_>) {
    for (n, clock, kind, body) in story {
        let (stream, event) = about(*n, kind, body);
        given.happened(at(clock), stream, event);
    }
}

pub(crate) fn next() -> Value {
    json!({"accountable": {"queue": "field"}, "attend_by": 0})
}

pub(crate) fn text() -> Value {
    json!({"personal": {"subject": Uuid::nil(), "value": "words"}})
}

/// A ticket opened in this queue.
pub(crate) fn received(queue: &str) -> Value {
    let request = json!({
        "ticket_type": "repair", "type_version": 1, "channel": "phone", "title": text(), "description": text(),
        "impact": "person", "urgency": "low", "priority": "low", "queue": queue,
    });
    json!({"request": request, "next": next()})
}

pub(crate) fn resolved() -> Value {
    json!({"solution": text(), "confirm_by": 0, "next": next()})
}

pub(crate) fn returned() -> Value {
    json!({"reason": text(), "next": next()})
}

/// A visit planned, somebody to be on site by then.
pub(crate) fn planned(visit: u128, arrive_by: Micros) -> Value {
    let job = json!({
        "job_type": {"name": "repair", "version": 1}, "duration_secs": 3600, "arrive_by": arrive_by,
        "priority": "low", "evidence_required": 0,
    });
    json!({"visit": Uuid::from_u128(visit), "number": 1, "job": job})
}

pub(crate) fn decision(chooser: &Value) -> Value {
    let weights = ["travel", "wait", "late", "load", "overskill", "stranger"];
    let weights: serde_json::Map<_, _> =
        weights.map(|term| (format!("{term}_permille"), json!(1))).into_iter().collect();
    let policy = json!({"name": "standard", "version": 1});
    json!({"chooser": chooser, "policy": policy, "weights": weights, "at": 0, "candidates": 3})
}

pub(crate) fn slot() -> Value {
    json!({"from": 0, "arrive": 1, "to": 2})
}

/// An offer made by this chooser.
pub(crate) fn offered(visit: u128, engineer: &str, chooser: &Value) -> Value {
    json!({
        "visit": Uuid::from_u128(visit), "engineer": engineer, "slot": slot(), "respond_by": 0, "attempt": 1,
        "decision": decision(chooser),
    })
}

/// What says no more than the visit and the engineer.
pub(crate) fn by(visit: u128, engineer: &str) -> Value {
    json!({"visit": Uuid::from_u128(visit), "engineer": engineer})
}

/// A body with more in it.
pub(crate) fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

pub(crate) fn accepted(visit: u128, engineer: &str) -> Value {
    with(by(visit, engineer), &json!({"slot": slot(), "depart_by": 0}))
}

pub(crate) fn completed(visit: u128, engineer: &str) -> Value {
    with(by(visit, engineer), &json!({"report": text()}))
}

pub(crate) fn stopped(visit: u128, engineer: &str, why: &str) -> Value {
    with(by(visit, engineer), &json!({"why": why, "note": text()}))
}

pub(crate) fn policy() -> Value {
    json!("policy")
}

/// Two tickets with visits: the first repaired at once, the second on the second visit.
pub(crate) fn a_day_in_the_field() -> Vec<(u128, &'static str, &'static str, Value)> {
    let against = json!({"override": {"rules": ["distance"], "reason": "knows the site"}});
    let nobody = json!({"visit": Uuid::from_u128(11), "attempt": 1, "retry_at": 0, "decision": decision(&policy())});
    let handed = json!({"visit": Uuid::from_u128(21), "from": "cat", "to": "bob", "slot": slot(), "depart_by": 0,
        "note": text()});
    vec![
        (1, "09:00", "Received", received("field")),
        (1, "09:00", "VisitPlanned", planned(11, at("12:00"))),
        (1, "09:00", "NobodyFound", nobody),
        (1, "09:10", "Offered", offered(11, "ann", &policy())),
        (1, "09:20", "OfferExpired", by(11, "ann")),
        (1, "09:20", "Offered", offered(11, "bob", &policy())),
        (1, "09:30", "OfferAccepted", accepted(11, "bob")),
        (1, "12:00", "Arrived", by(11, "bob")),
        (1, "13:00", "VisitCompleted", completed(11, "bob")),
        (1, "13:00", "Resolved", resolved()),
        (1, "14:00", "Closed", json!({"review": "fine"})),
        (2, "10:00", "Received", received("office")),
        (2, "10:00", "VisitPlanned", planned(21, at("11:29"))),
        (2, "10:00", "Offered", offered(21, "ann", &policy())),
        (2, "10:05", "OfferDeclined", with(by(21, "ann"), &json!({"reason": "far"}))),
        (2, "10:05", "Offered", offered(21, "ann", &against)),
        (2, "10:40", "OfferAccepted", accepted(21, "ann")),
        (2, "10:45", "VisitReleased", with(by(21, "ann"), &json!({"why": "off_duty"}))),
        (2, "10:45", "Offered", offered(21, "cat", &json!("dispatcher"))),
        (2, "10:50", "OfferAccepted", accepted(21, "cat")),
        (2, "10:55", "WorkHandedOver", handed),
        (2, "11:30", "Arrived", by(21, "bob")),
        (2, "12:00", "VisitStopped", stopped(21, "bob", "parts")),
        (2, "15:00", "VisitPlanned", planned(22, at("18:00"))),
        (2, "15:00", "Offered", offered(22, "bob", &policy())),
        (2, "15:10", "OfferAccepted", accepted(22, "bob")),
        (2, "17:00", "Arrived", by(22, "bob")),
        (2, "18:00", "VisitCompleted", completed(22, "bob")),
        (2, "18:00", "Resolved", resolved()),
    ]
}

pub(crate) fn started(clock: &str) -> Value {
    let pinned = json!({"name": "p", "version": 1});
    let terms = json!({"policy": pinned, "calendar": pinned, "tzdb": "2025b", "budget_secs": 1});
    json!({"clock": clock, "generation": 1, "terms": terms, "since": 0, "elapsed_us": 0, "marks": []})
}

pub(crate) fn halted(clock: &str, since: &str, met: bool) -> Value {
    json!({"clock": clock, "generation": 1, "since": at(since), "elapsed_us": 0, "met": met})
}

/// A breach of the budget used up at this instant, or its revocation.
pub(crate) fn breached(clock: &str, at: Micros) -> Value {
    json!({"clock": clock, "generation": 1, "at": at, "fact_at": at})
}

pub(crate) fn reminder(id: u128, deferred: bool) -> Value {
    let pinned = json!({"name": "r", "version": 1});
    let body = json!({
        "reminder": Uuid::from_u128(id), "rule": pinned, "text": pinned, "recipient": {"person": "ann"},
        "language": "en", "media": ["in_app", "email"], "urgent": true, "step": 0, "send_at": 0,
    });
    with(body, &if deferred { json!({"deferred": "quiet_hours"}) } else { json!({}) })
}

pub(crate) fn of(id: u128, more: &Value) -> Value {
    with(json!({"reminder": Uuid::from_u128(id)}), more)
}
