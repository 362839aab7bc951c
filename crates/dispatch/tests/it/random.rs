//! Whatever people do in whatever order: nobody is ever in two places, and nothing held belongs to nobody.

use std::collections::BTreeMap;

use decider::Tenant;
use dispatch::command::{By, Command, Verb};
use dispatch::{State, duty};
use proptest::prelude::*;
use ticket::Event;
use ticket::dispatch::{DispatchEvent, OffDuty, Slot, StopReason};
use ticket::intake::{IntakeEvent, WaitReason};
use uuid::Uuid;

use crate::world::{World, moved, next, received, text, wait_ended};

const ENGINEERS: [&str; 3] = ["ann", "bob", "eve"];
const TICKETS: u128 = 4;

/// What may happen: a verb for a ticket's last visit, a word about somebody's time, a turn of the ticket, time.
#[derive(Clone, Debug)]
enum Step {
    Open(u128),
    Does(u128, usize, bool, Box<Verb>),
    Says(usize, duty::Verb),
    Turns(u128, u8),
    Passes(i64),
}

fn verb() -> impl Strategy<Value = Verb> {
    let words = || "why".to_owned();
    let who = (0..ENGINEERS.len()).prop_map(|n| ENGINEERS[n].to_owned());
    prop_oneof![
        4 => Just(Verb::Accept),
        1 => Just(Verb::Decline { reason: words() }),
        3 => Just(Verb::Depart),
        3 => Just(Verb::Arrive { place: None }),
        3 => Just(Verb::Start),
        1 => Just(Verb::Pause { reason: words() }),
        1 => Just(Verb::Continue),
        2 => Just(Verb::Complete { report: words(), evidence: vec![words()] }),
        1 => Just(Verb::Stop { why: StopReason::MoreTime, note: words() }),
        1 => Just(Verb::Stop { why: StopReason::Parts, note: words() }),
        2 => (who.clone(), any::<bool>(), proptest::option::of(0_i64..20)).prop_map(|(engineer, against, hours)| {
            let reason = if against { "urgent".to_owned() } else { String::new() };
            let arrive_at = hours.map(|hours| crate::world::us("08:00") + hours * 1_800_000_000);
            Verb::Assign { engineer, arrive_at, override_reason: reason }
        }),
        1 => Just(Verb::Release { reason: words() }),
        2 => who.prop_map(move |engineer| Verb::HandOver { engineer, note: words(), override_reason: "urgent".into() }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let ticket = 1..=TICKETS;
    let said = prop_oneof![
        Just(duty::Verb::Start { until: None }),
        Just(duty::Verb::End { why: OffDuty::Sick, back_at: None }),
        (0_i64..40).prop_map(|hours| {
            let from = crate::world::us("08:00") + hours * 1_800_000_000;
            duty::Verb::Book { from, to: from + 5_400_000_000 }
        }),
    ];
    prop_oneof![
        4 => ticket.clone().prop_map(Step::Open),
        12 => (ticket.clone(), 0..ENGINEERS.len(), any::<bool>(), verb())
            .prop_map(|(ticket, who, dispatcher, verb)| Step::Does(ticket, who, dispatcher, Box::new(verb))),
        2 => (0..ENGINEERS.len(), said).prop_map(|(who, verb)| Step::Says(who, verb)),
        1 => (ticket, 0_u8..5).prop_map(|(ticket, turn)| Step::Turns(ticket, turn)),
        4 => (1_i64..90).prop_map(Step::Passes),
    ]
}

fn take(world: &mut World, step: &Step) {
    let opened = |world: &World, ticket| {
        let planned = |event: &Event| matches!(event, Event::Dispatch(DispatchEvent::VisitPlanned { .. }));
        world.log.iter().any(|one| one.correlation == Some(ticket) && planned(&one.event))
    };
    match step {
        Step::Open(ticket) if !opened(world, Uuid::from_u128(*ticket)) => {
            world.ticket(Uuid::from_u128(*ticket), received("repair"));
        }
        Step::Does(ticket, who, dispatcher, verb) if opened(world, Uuid::from_u128(*ticket)) => {
            let (id, now) = (Uuid::from_u128(*ticket), world.now);
            let by = By { subject: ENGINEERS[*who].into(), dispatcher: *dispatcher };
            let visit = world.last_visit(id);
            // A refusal is an answer too.
            let _answer = world.tell(&moved((id, visit), by, (**verb).clone()), now);
        }
        Step::Says(who, verb) => {
            let subject = ENGINEERS[*who].to_owned();
            let by = By { subject: subject.clone(), dispatcher: false };
            let now = world.now;
            let _answer = world.tell(&Command::Duty { subject, by, verb: verb.clone() }, now);
        }
        Step::Turns(ticket, turn) if opened(world, Uuid::from_u128(*ticket)) => {
            let event = match turn {
                0 => IntakeEvent::Closed { review: String::new() },
                1 => IntakeEvent::Cancelled { reason: text("x") },
                2 => IntakeEvent::Reopened { reason: text("x"), next: next() },
                3 => IntakeEvent::Resolved {
                    solution: text("x"),
                    evidence: Vec::new(),
                    confirm_by: i64::MAX,
                    next: next(),
                },
                _ => wait_ended(WaitReason::Parts, &[]),
            };
            world.ticket(Uuid::from_u128(*ticket), event);
        }
        Step::Passes(minutes) => {
            let until = world.now + minutes * 60_000_000;
            world.pass(until);
        }
        Step::Open(_) | Step::Does(..) | Step::Turns(..) => {}
    }
}

/// What the log itself says of everybody's time and of who has what.
fn check(world: &World) {
    let mut held = BTreeMap::<(String, Uuid), Slot>::new();
    let mut has = BTreeMap::<Uuid, String>::new();
    for recorded in &world.log {
        let Event::Dispatch(event) = &recorded.event else { continue };
        let subject = recorded.stream.key().to_owned();
        match event {
            DispatchEvent::SlotHeld { visit, slot, .. } => drop(held.insert((subject, *visit), *slot)),
            DispatchEvent::SlotReleased { visit, .. } => drop(held.remove(&(subject, *visit)).unwrap()),
            DispatchEvent::Offered { visit, engineer, .. }
            | DispatchEvent::WorkHandedOver { visit, to: engineer, .. } => {
                has.insert(*visit, engineer.clone());
            }
            DispatchEvent::OfferDeclined { visit, .. }
            | DispatchEvent::OfferExpired { visit, .. }
            | DispatchEvent::VisitReleased { visit, .. }
            | DispatchEvent::VisitCompleted { visit, .. }
            | DispatchEvent::VisitStopped { visit, .. }
            | DispatchEvent::VisitCancelled { visit, .. } => drop(has.remove(visit)),
            _ => {}
        }
    }
    let holders: BTreeMap<_, _> = held.keys().map(|(subject, visit)| (*visit, subject.clone())).collect();
    assert_eq!(
        (holders.len(), &holders),
        (held.len(), &has),
        "time is held by whoever has the visit, and by nobody else"
    );
    for ((one, visit), slot) in &held {
        for ((other, another), beside) in &held {
            assert!(one != other || visit == another || slot.to <= beside.from || beside.to <= slot.from, "{one}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Proves part of: D5, D7
    #[test]
    fn nobody_is_ever_in_two_places(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            take(&mut world, step);
            check(&world);
        }
        let bytes = postcard::to_stdvec(&world.state).unwrap();
        let kept: State = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(postcard::to_stdvec(&kept).unwrap(), bytes);
        prop_assert!(kept.board(&Tenant::new("acme")).is_some());
    }
}
