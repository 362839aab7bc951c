//! Whatever is asked, in whatever order: nothing panics, repeating is silent, nothing falls through.

use std::collections::BTreeMap;

use decider::Recorded;
use intake::State;
use intake::command::{Command, Move, Reach, Verb};
use proptest::prelude::*;
use ticket::Event;
use ticket::dispatch::{Destination, DispatchEvent, StopReason, VisitEnd};
use ticket::intake::{Author, Channel, Impact, Priority, Urgency, WaitReason};
use uuid::Uuid;

use crate::desk::{Desk, HOUR, because, close, draft, opening, resolve, take};
use crate::field;

const ERASE: u8 = 16;
const APPLY: u8 = 17;
const OPEN: u8 = 18;
const FIELD: u8 = 19;
const OPS: u8 = 20;
/// Tried more often than the others, so that tickets come to their end and back (take, resolve, confirm, close, reopen)
/// and visits get somewhere.
const FAVOURED: [u8; 7] = [7, 11, 12, 14, 15, FIELD, FIELD];
/// Tickets in play; more are not opened, so that each of them gets somewhere.
const MAX_TICKETS: usize = 4;

/// What was tried, accepted and reached.
#[derive(Default)]
struct Tally {
    seen: BTreeMap<String, usize>,
    tried: BTreeMap<u8, usize>,
    accepted: BTreeMap<u8, usize>,
}

fn verb(op: u8, arg: u8) -> Verb {
    let reasons = [WaitReason::Customer, WaitReason::Parts, WaitReason::ThirdParty, WaitReason::Approval];
    let some = || reasons.into_iter().take(usize::from(arg % 5)).collect();
    let queue = [None, Some("desk".to_owned()), Some("seniors".to_owned())][usize::from(arg % 3)].clone();
    let priority = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical][usize::from(arg % 4)];
    let text = || "words".to_owned();
    match op {
        0 => Verb::Triage { priority: Some(priority), queue },
        1 => Verb::Comment { author: Author::Customer, public: true, text: text() },
        2 => Verb::Comment { author: Author::Agent, public: arg.is_multiple_of(2), text: text() },
        3 => Verb::LogContact { channel: Channel::Phone, inbound: true, reached: true, summary: text() },
        4 => Verb::Weigh { impact: Impact::Service, urgency: Urgency::Critical },
        5 => because(|reason| Verb::Prioritise { priority, reason }),
        6 => because(|reason| Verb::Transfer { queue, person: (arg > 128).then(|| "bob".into()), reason }),
        7 | 8 => take(),
        9 => Verb::Hold { reasons: some(), look_again_at: None },
        10 => Verb::Resume { reasons: some() },
        11 => resolve(),
        12 => Verb::Confirm,
        13 => because(|reason| Verb::Reject { reason }),
        14 => close(),
        15 if arg > 240 => because(|reason| Verb::Cancel { reason, force: false }),
        _ => because(|reason| Verb::Reopen { reason }),
    }
}

/// Something that dispatch may write, whether it fits what it wrote before or not.
fn in_the_field(arg: u8) -> DispatchEvent {
    match arg / 4 % 13 {
        0..3 => field::accepted("eve"),
        3 => field::accepted("mia"),
        4 => field::released("eve"),
        5..8 => field::departed(),
        8 => field::arrived(),
        9 => field::completed(),
        10 => field::stopped(if arg > 128 { StopReason::Parts } else { StopReason::MoreTime }),
        11 => field::called_off(VisitEnd::TicketEnded),
        _ => field::routed(Destination::Queue("seniors".into())),
    }
}

/// What dispatch writes about a ticket, and what comes of it.
fn visit(desk: &mut Desk, tickets: &[Uuid], arg: u8) -> Vec<Recorded<Event>> {
    desk.told(tickets[usize::from(arg) % tickets.len()], in_the_field(arg))
}

/// Asks for something, checks what must always hold, and counts what was accepted and reached.
fn step(desk: &mut Desk, tickets: &mut Vec<Uuid>, (op, arg): (u8, u8), tally: &mut Tally) {
    desk.now += i64::from(arg) * HOUR / 48;
    for kind in desk.settle() {
        *tally.seen.entry(kind).or_default() += 1;
    }
    let op = if tickets.is_empty() { OPEN } else { op % (OPS + 7) };
    let op = FAVOURED.get(usize::from(op.saturating_sub(OPS))).filter(|_| op >= OPS).copied().unwrap_or(op);
    if op == OPEN && tickets.len() == MAX_TICKETS {
        tickets.remove(0);
    }
    let command = match op {
        ERASE => Command::EraseCustomer { customer: Uuid::from_u128(arg.into()), reason: "asked".into() },
        APPLY => {
            let spec = serde_json::json!({"members": ["sue"], "attend_within": format!("{}m", u16::from(arg) + 1)});
            Command::Apply(vec![draft("Queue", "seniors", spec)])
        }
        OPEN => Command::Open(Box::new(opening(if arg.is_multiple_of(2) { "incident" } else { "repair" }))),
        verb_of => {
            let ticket = tickets[usize::from(arg) % tickets.len()];
            Command::Move(Move { ticket, etag: None, reach: Reach::All, verb: verb(verb_of, arg) })
        }
    };
    *tally.tried.entry(op).or_default() += 1;
    let outcome = if op == FIELD { Ok(visit(desk, tickets, arg)) } else { desk.ask(&command) };
    if let Ok(events) = outcome {
        *tally.accepted.entry(op).or_default() += usize::from(!events.is_empty());
        for event in &events {
            *tally.seen.entry(crate::desk::kind(event)).or_default() += 1;
        }
        if op == OPEN {
            tickets.extend(events[0].correlation);
        }
    }
    for ticket in tickets.iter() {
        let course = &desk.ticket(*ticket).course;
        *tally.seen.entry(course.phase.name().to_owned()).or_default() += 1;
        assert_eq!(course.phase.ended(), course.next.is_none(), "somebody owes the next step, unless it ended");
        if let Some(next) = &course.next {
            assert!(next.attend_by <= desk.now + 72 * HOUR, "within the horizon");
        }
    }
}

/// What comes back from a snapshot is what went in, and decides the same.
fn check_snapshot(desk: &Desk) {
    let bytes = postcard::to_stdvec(&desk.state).unwrap();
    let back: State = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(postcard::to_stdvec(&back).unwrap(), bytes);
    let later = desk.now + 999 * HOUR;
    let due = |state| format!("{:?}", intake::react::due(state, later, 100));
    assert_eq!(due(&back), due(&desk.state));
    let (before, after) = (desk.state.house(&desk.tenant).unwrap(), back.house(&desk.tenant).unwrap());
    assert_eq!(before.template("repair"), after.template("repair"));
    assert!(after.calendar("office").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Proves part of: L8
    #[test]
    fn nothing_falls_through(ops in prop::collection::vec(any::<(u8, u8)>(), 1..80)) {
        let (mut desk, mut tickets, mut tally) = (Desk::new(), Vec::new(), Tally::default());
        for op in ops {
            step(&mut desk, &mut tickets, op, &mut tally);
        }
        check_snapshot(&desk);
    }
}

/// The generator is worth something only if it reaches everything.
/// Proves part of: X5
#[test]
fn every_command_event_and_state_is_reached() {
    let mut tally = Tally::default();
    let mut seed = 7_u64;
    for _ in 0..40 {
        let (mut desk, mut tickets) = (Desk::new(), Vec::new());
        for _ in 0..200 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [.., high, _, low] = seed.to_le_bytes();
            step(&mut desk, &mut tickets, (high, low), &mut tally);
        }
    }
    let kinds = ["Received", "Triaged", "PriorityRaised", "PriorityLowered", "Transferred", "TakenInCharge"];
    let more = ["Commented", "ContactLogged", "WaitStarted", "WaitEnded", "Resolved", "Confirmed"];
    let last = ["ConfirmationRejected", "Closed", "Reopened", "Cancelled", "CustomerErased", "ConfigApplied"];
    let phases = ["received", "triaged", "in_progress", "waiting", "work_done", "confirmed", "closed", "cancelled"];
    let visits = ["VisitScheduled", "VisitFellThrough", "VisitBegun"];
    for name in kinds.iter().chain(&more).chain(&last).chain(&visits).chain(&phases) {
        assert!(tally.seen.get(*name).is_some_and(|count| *count >= 10), "{name}: {:?}", tally.seen);
    }
    for op in 0..OPS {
        let (tried, accepted) = (tally.tried[&op], tally.accepted[&op]);
        assert!(accepted * 20 >= tried, "{op}: {accepted} of {tried}");
    }
}
