//! Whatever happens: every decision repeated is silent, and nothing that has to be said is lost.

use decider::Core;
use notifier::command::Attempt;
use notifier::outbox;
use notifier::retry::Outcome;
use notifier::view::{self, Standing};
use notifier::{Command, Notifier};
use proptest::prelude::*;
use serde_json::json;
use ticket::intake::{IntakeEvent, Priority};
use ticket::notifier::Medium;
use ticket::sla::SlaEvent;

use crate::world::{NIGHT, TICKET, World, arrived, failed, received, started, taken, tenant, us, warned};

/// A step of a day: something happens, somebody answers, or letters leave.
#[derive(Clone, Debug)]
enum Step {
    Taken(bool),
    Warned,
    Stopped,
    Closed,
    Read(bool),
    Acknowledged(bool),
    Snoozed(bool),
    Delivered(u8),
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<bool>().prop_map(Step::Taken),
        Just(Step::Warned),
        Just(Step::Stopped),
        Just(Step::Closed),
        any::<bool>().prop_map(Step::Read),
        any::<bool>().prop_map(Step::Acknowledged),
        any::<bool>().prop_map(Step::Snoozed),
        (0..4_u8).prop_map(Step::Delivered),
        (1..120_u8).prop_map(Step::Wait),
    ]
}

fn world() -> World {
    let on = json!(["Received", "TakenInCharge", "WarningRaised"]);
    let calm = json!({"on": on, "audience": {"accountable": true}, "escalate_to": "chiefs", "answer_within": "20m"});
    let urgent = json!({"on": ["WarningRaised"], "audience": {"queue": "desk"}, "urgent": true});
    let customer = json!({"on": ["Received"], "audience": {"customer": true}});
    let mut world = World::with(&[("calm", calm), ("customer", customer), ("urgent", urgent)]);
    world.set("ann", "en", &[Medium::Email, Medium::Webhook], |settings| settings.hourly_cap = 2);
    world.set("bob", "zh", &[Medium::Webhook], |settings| settings.quiet = Some(NIGHT));
    world.on("09:00", received(Priority::High, "12:00")).on("09:00", started("repair", "09:00", "23:00"));
    world
}

fn whose(ann: bool) -> &'static str {
    if ann { "ann" } else { "bob" }
}

fn outcome(n: u8, attempt: &Attempt) -> Outcome {
    match n {
        0 => arrived(attempt),
        1 => failed("refused 451", false),
        2 => failed("status 410", true),
        _ => Outcome::Lost,
    }
}

/// Asks twice; the second time nothing may come of it.
fn twice(world: &mut World, who: &str, command: &Command) -> Result<(), TestCaseError> {
    if world.ask(who, command).is_ok() {
        let again = world.ask(who, command);
        prop_assert!(!matches!(again, Ok(1..)), "{command:?}");
    }
    Ok(())
}

fn play(world: &mut World, step: &Step) -> Result<(), TestCaseError> {
    let ticket = TICKET;
    let text = jiff::Timestamp::from_microsecond(world.now).unwrap().to_string();
    let at = text.replace('T', " ").trim_end_matches('Z').to_owned();
    match step {
        Step::Taken(ann) => drop(world.on(&at, taken(whose(*ann), "2024-03-05 12:00"))),
        Step::Warned => drop(world.on(&at, warned("repair", "10:00"))),
        Step::Stopped => {
            let (clock, since) = ("repair".to_owned(), us("10:00"));
            world.on(
                &at,
                SlaEvent::ClockStopped { clock, generation: 1, since, elapsed_us: 0, met: true, because: None },
            );
        }
        Step::Closed => drop(world.on(&at, IntakeEvent::Closed { review: String::new() })),
        Step::Read(ann) => {
            let reminder = world.reminder(whose(*ann));
            twice(world, whose(*ann), &Command::Read { ticket, reminder })?;
        }
        Step::Acknowledged(ann) => {
            let reminder = world.reminder(whose(*ann));
            twice(world, whose(*ann), &Command::Acknowledge { ticket, reminder })?;
        }
        Step::Snoozed(ann) => {
            let (reminder, until) = (world.reminder(whose(*ann)), world.now + 600_000_000);
            twice(world, whose(*ann), &Command::Snooze { ticket, reminder, until })?;
        }
        Step::Delivered(n) => {
            for owed in outbox::owed(&world.state, world.now, 100) {
                let Attempt { ticket, reminder, .. } = owed.attempt;
                twice(world, "-", &Command::Start(owed.attempt.clone()))?;
                twice(world, "-", &Command::Defer { ticket, reminder })?;
                twice(world, "-", &Command::Finish(owed.attempt.clone(), outcome(*n, &owed.attempt)))?;
            }
        }
        Step::Wait(minutes) => {
            world.now += i64::from(*minutes) * 60_000_000;
            while let Some(due) = Notifier::due(&world.state, world.now, 1).pop() {
                let written = world.carry_out(&due);
                prop_assert!(written > 0, "what is due must have an outcome");
                twice(world, "-", &due.command)?;
                world.react();
            }
        }
    }
    // What was carried out, decided once more without its claim.
    for cause in world.log.clone() {
        let mut reactions = Notifier::react(&world.state, &cause);
        reactions.retain(|reaction| world.carried_out(reaction));
        for reaction in reactions {
            let written = world.ask("-", &reaction.command).unwrap();
            prop_assert_eq!(written, 0, "{:?}", reaction);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Proves part of: X5, N5
    #[test]
    fn every_decision_repeated_is_silent(steps in proptest::collection::vec(step(), 1..25)) {
        let mut world = world();
        for step in &steps {
            play(&mut world, step)?;
        }
    }

    /// Proves part of: N7
    #[test]
    fn nothing_that_has_to_be_said_is_lost(steps in proptest::collection::vec(step(), 1..25)) {
        let mut world = world();
        for step in &steps {
            play(&mut world, step)?;
        }
        // Two days in which every attempt arrives: nothing waits for ever.
        for _ in 0..96 {
            play(&mut world, &Step::Wait(30))?;
            for lost in outbox::in_flight(&world.state) {
                world.ask("-", &Command::Finish(lost.attempt, Outcome::Lost)).unwrap();
            }
            world.deliver(arrived);
        }
        let told = view::of_ticket(&world.state, &tenant(), TICKET, world.now).unwrap();
        for one in told {
            prop_assert!(!matches!(one.standing, Standing::Waiting | Standing::Sending | Standing::Snoozed), "{:?}", one);
        }
    }
}
