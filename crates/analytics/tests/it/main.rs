//! Analytics as its callers see it: figures of small courses, documents, the wire.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod course;
mod documents;
mod service;
mod story;
mod wire;

use decider::given::Given;
use decider::{Micros, Stream, Tenant};
use serde_json::{Value, json};
use ticket::codec::Family;
use ticket::house::HouseEvent;
use ticket::intake::{Activity, ActivityKind, IntakeEvent, Status};
use ticket::{Event, codec, stream};
use uuid::Uuid;

/// 2024-01-01, a Monday, midnight UTC.
const MONDAY: Micros = 1_704_067_200_000_000;
const HOUR: Micros = 3_600_000_000;
const TENANT: &str = "acme";

fn acme() -> Tenant {
    Tenant::new(TENANT)
}

fn ticket(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// One line of another system's history: who did what, and where the ticket stood then.
fn line(activity: &str, state: Status, agent: &str) -> Activity {
    Activity {
        activity: activity.into(),
        kind: ActivityKind::Work,
        state,
        agent: agent.into(),
        group: "g".into(),
        priority: "p".into(),
        product: String::new(),
        customer: String::new(),
    }
}

fn imported(reference: &str, line: Activity) -> Event {
    Event::Intake(IntakeEvent::ActivityImported { source: "old".into(), reference: reference.into(), line })
}

/// An event of any family about a ticket, as it is stored, and the stream it lies in.
fn about(n: u128, kind: &str, body: &Value) -> (Stream, Event) {
    let stream = match codec::KINDS[kind] {
        Family::Intake => stream::ticket,
        Family::Dispatch => stream::work,
        Family::Sla => stream::sla,
        Family::Notifier => stream::reminder,
        Family::House => panic!("{kind} is about no ticket"),
    };
    (stream(ticket(n)), codec::decode(kind, 1, body.to_string().as_bytes()).unwrap())
}

fn applied(kind: &str, name: &str, spec: Value) -> Event {
    Event::House(HouseEvent::ConfigApplied { kind: kind.into(), name: name.into(), spec, reason: None })
}

/// Nine to five, every day, UTC.
fn office() -> Value {
    let hours = json!(["09:00-17:00"]);
    let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), hours.clone()));
    json!({"zone": "UTC", "weekly": serde_json::Map::from_iter(week)})
}

fn report_spec() -> Value {
    json!({
        "calendars": [{"calendar": "office"}, {"suffix": "_b", "calendar": "office"}],
        "response_target": "8h",
        "resolution_target": {"p": "16h"},
        "reactions": ["accept*", "!*later"],
        "robots": ["robot"],
    })
}

/// Analytics with a calendar and a report in force.
fn given() -> Given<analytics::Analytics> {
    let mut given = Given::nothing(TENANT);
    let calendar = stream::config("sla-monitor", "Calendar", "office");
    given.happened(MONDAY, calendar, applied("Calendar", "office", office()));
    given.happened(
        MONDAY,
        stream::config("analytics", "Report", "default"),
        applied("Report", "default", report_spec()),
    );
    given
}
