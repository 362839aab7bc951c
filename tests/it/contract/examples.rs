//! One example of every kind of event, with everything set that may be set, and the same with nothing set that need
//! not be.
//!
//! Nothing here is left to `..` or `_`: a new kind or a new field does not compile until it has its place.

mod dispatch;
mod notifier;
mod sla;

use std::collections::BTreeMap;

use ticket::Event;
use ticket::house::HouseEvent;
use ticket::intake::{
    Accountable, Activity, ActivityKind, Attention, Author, Channel, Contact, Customer, FieldValue, Impact,
    IntakeEvent, Priority, Request, Status, Urgency, WaitReason, Weight,
};
use ticket::personal::Personal;
use ticket::sla::Pinned;
use uuid::Uuid;

/// 2026-03-02T09:30:00Z.
const MONDAY: i64 = 1_772_443_800_000_000;
const HOUR: i64 = 3_600_000_000;
/// Whom all personal data in the examples is about.
pub(super) const CUSTOMER: Uuid = Uuid::from_u128(0x0195_5630_0000_8000_8000_0000_0000_00c1);

/// The visit of the examples.
const VISIT: Uuid = Uuid::from_u128(0x0195_5630_0000_7000_8000_0000_0000_0003);

/// Every kind, fully set.
pub(super) fn full() -> Vec<Event> {
    let intake = intake_opening().into_iter().chain(intake_moving()).chain(intake_visits()).chain(intake_ending());
    let sla = sla::full().map(Event::Sla);
    let field = dispatch::full().into_iter().map(Event::Dispatch);
    let told = notifier::full().into_iter().map(Event::Notifier);
    let house = house().into_iter().map(Event::House);
    intake.map(Event::Intake).chain(field).chain(sla).chain(told).chain(house).collect()
}

/// The event with everything unset that may be; none where nothing may.
pub(super) fn minimal(event: &Event) -> Option<Event> {
    match event {
        Event::Intake(event) => intake_minimal(event).map(Event::Intake),
        Event::Sla(event) => sla::minimal(event).map(Event::Sla),
        Event::House(event) => house_minimal(event),
        Event::Dispatch(event) => dispatch::minimal(event).map(Event::Dispatch),
        Event::Notifier(event) => notifier::minimal(event).map(Event::Notifier),
    }
}

fn intake_minimal(event: &IntakeEvent) -> Option<IntakeEvent> {
    use IntakeEvent as E;
    Some(match event.clone() {
        E::Received { request, next } => E::Received { request: plain(*request), next },
        E::Commented { author, public, text, next: Some(_) } => E::Commented { author, public, text, next: None },
        E::WaitEnded { reasons, remaining: _, next } => E::WaitEnded { reasons, remaining: [].into(), next },
        E::Resolved { solution, evidence: _, confirm_by, next } => {
            E::Resolved { solution, evidence: Vec::new(), confirm_by, next }
        }
        E::TicketImported { source, reference, request, next: _ } => {
            E::TicketImported { source, reference, request: plain(*request), next: None }
        }
        E::ActivityImported { source, reference, line } => {
            let line = Activity { product: String::new(), customer: String::new(), ..line };
            E::ActivityImported { source, reference, line }
        }
        E::Triaged { .. }
        | E::PriorityRaised { .. }
        | E::PriorityLowered { .. }
        | E::Transferred { .. }
        | E::TakenInCharge { .. }
        | E::Commented { next: None, .. }
        | E::ContactLogged { .. }
        | E::WaitStarted { .. }
        | E::VisitScheduled { .. }
        | E::VisitFellThrough { .. }
        | E::VisitBegun { .. }
        | E::Confirmed { .. }
        | E::ConfirmationRejected { .. }
        | E::Closed { .. }
        | E::Reopened { .. }
        | E::Cancelled { .. }
        | E::CustomerErased { .. } => return None,
    })
}

fn house_minimal(event: &HouseEvent) -> Option<Event> {
    match event {
        HouseEvent::ConfigApplied { kind, name, spec, .. } => {
            let (kind, name, spec) = (kind.clone(), name.clone(), spec.clone());
            Some(Event::House(HouseEvent::ConfigApplied { kind, name, spec, reason: None }))
        }
        HouseEvent::ConfigRetired { .. }
        | HouseEvent::ReactedThrough { .. }
        | HouseEvent::ReactionParked { .. }
        | HouseEvent::ClockAnchored { .. } => None,
    }
}

fn intake_opening() -> [IntakeEvent; 4] {
    use IntakeEvent as E;
    [
        E::Received { request: request(), next: next() },
        E::TicketImported {
            source: "old-desk".into(),
            reference: "INC-4711".into(),
            request: request(),
            next: Some(next()),
        },
        E::ActivityImported {
            source: "old-desk".into(),
            reference: "INC-4711".into(),
            line: Activity {
                activity: "Wait".into(),
                kind: ActivityKind::Wait,
                state: Status::Waiting,
                agent: "Value 2".into(),
                group: "Value 1".into(),
                priority: "Value 3".into(),
                product: "Value 4".into(),
                customer: "Value 5".into(),
            },
        },
        E::Triaged { queue: "desk".into(), priority: Priority::Medium, next: next() },
    ]
}

fn intake_moving() -> [IntakeEvent; 8] {
    use IntakeEvent as E;
    let (medium, high) = (Priority::Medium, Priority::High);
    [
        E::PriorityRaised {
            from: medium,
            to: high,
            weight: Some(Weight { impact: Impact::Department, urgency: Urgency::Medium }),
            reason: "the whole floor is touched".into(),
            next: Some(next()),
        },
        E::PriorityLowered {
            from: high,
            to: medium,
            weight: None,
            reason: "a second printer stands there".into(),
            next: None,
        },
        E::Transferred { from: "desk".into(), queue: "field".into(), reason: "needs a visit".into(), next: next() },
        E::TakenInCharge { agent: "ann".into(), next: next() },
        E::Commented {
            author: Author::Agent,
            public: true,
            text: about("We are looking into it.".into()),
            next: Some(next()),
        },
        E::ContactLogged {
            channel: Channel::Phone,
            inbound: true,
            reached: true,
            summary: about("Asked when somebody comes.".into()),
        },
        E::WaitStarted { reasons: [WaitReason::Customer, WaitReason::Parts].into(), next: next() },
        E::WaitEnded { reasons: [WaitReason::Parts].into(), remaining: [WaitReason::Customer].into(), next: next() },
    ]
}

fn intake_visits() -> [IntakeEvent; 3] {
    use IntakeEvent as E;
    [
        E::VisitScheduled { visit: VISIT, engineer: "eve".into(), arrive_at: MONDAY + 2 * HOUR, next: next() },
        E::VisitFellThrough { visit: VISIT, next: next() },
        E::VisitBegun { visit: VISIT, engineer: "eve".into(), next: next() },
    ]
}

fn intake_ending() -> [IntakeEvent; 7] {
    use IntakeEvent as E;
    [
        E::Resolved {
            solution: about("Fuser exchanged.".into()),
            evidence: vec!["photo:after.jpg".into()],
            confirm_by: MONDAY + 72 * HOUR,
            next: next(),
        },
        E::Confirmed { implicit: false, next: next() },
        E::ConfirmationRejected { reason: about("It jams again.".into()), next: next() },
        E::Closed { review: "Complete.".into() },
        E::Reopened { reason: about("It is back.".into()), next: next() },
        E::Cancelled { reason: about("Opened by mistake.".into()) },
        E::CustomerErased { customer: CUSTOMER, reason: "The customer asked for it.".into() },
    ]
}

fn house() -> [HouseEvent; 5] {
    use HouseEvent as E;
    [
        E::ConfigApplied {
            kind: "Queue".into(),
            name: "desk".into(),
            spec: serde_json::json!({"members": ["ann", "bob"], "attend_within": "4h"}),
            reason: Some("Ann is back on Monday.".into()),
        },
        E::ConfigRetired { kind: "Queue".into(), name: "desk".into() },
        E::ReactedThrough { position: 42 },
        E::ReactionParked {
            claim: Uuid::from_u128(7),
            rule: "confirm-by-silence".into(),
            cause: "01955630-0000-7000-8000-000000000001/confirm/1/0".into(),
            target: "01955630-0000-7000-8000-000000000001".into(),
            reason: "TICKET_ENDED".into(),
        },
        E::ClockAnchored {
            machine_us: MONDAY,
            business_us: MONDAY + HOUR,
            scale_permille: 600_000,
            until_us: MONDAY + 10 * HOUR,
        },
    ]
}

fn request() -> Box<Request> {
    let contact =
        Contact { name: "Reception".into(), phone: "+49 30 0000000".into(), email: "desk@example.org".into() };
    Box::new(Request {
        ticket_type: "repair".into(),
        type_version: 3,
        channel: Channel::Phone,
        title: about("The printer jams".into()),
        description: about("Since this morning, in every tray.".into()),
        customer: Some(Customer { id: CUSTOMER, reference: about("C-1042".into()) }),
        contact: Some(about(contact)),
        fields: BTreeMap::from([
            ("address".into(), FieldValue::Private(about("12 Harbour Street".into()))),
            ("asset".into(), FieldValue::Text("PRN-17".into())),
            ("pages".into(), FieldValue::Number(120_000)),
            ("under_warranty".into(), FieldValue::Flag(true)),
        ]),
        impact: Impact::Service,
        urgency: Urgency::High,
        priority: Priority::High,
        queue: "field".into(),
        zone: Some("Asia/Shanghai".into()),
    })
}

/// The request with nothing that need not be said.
fn plain(request: Request) -> Box<Request> {
    Box::new(Request { customer: None, contact: None, fields: BTreeMap::new(), zone: None, ..request })
}

fn about<T>(value: T) -> Personal<T> {
    Personal::new(CUSTOMER, value)
}

fn next() -> Attention {
    Attention { accountable: Accountable::Queue("desk".into()), attend_by: MONDAY + 4 * HOUR }
}

fn pinned(name: &str) -> Pinned {
    Pinned { name: name.into(), version: 2 }
}
