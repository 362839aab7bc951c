//! What is chosen by what was learned: only among what is allowed, the same again, with its likelihoods on record.

use notifier::Command;
use serde_json::{Value, json};
use ticket::choice::{Choice, Chooser};
use ticket::intake::{IntakeEvent, Priority};
use ticket::notifier::{Deferral, Medium, NotifierEvent};
use ticket::{Event, stream};
use uuid::Uuid;

use crate::world::{Happened, NIGHT, World, arrived, person, received, started, us, warned};

/// A rule that learns once a hundred reminders are settled.
fn rule(learn: &Value) -> Value {
    json!({"on": ["WarningRaised", "TakenInCharge"], "audience": {"accountable": true}, "learn": learn})
}

/// Ann, by mail, webhook and inbox, not at night.
fn world(learn: &Value) -> World {
    let mut world = World::with(&[("warned", rule(learn))]);
    world.set("ann", "en", &[Medium::Email, Medium::Webhook], |settings| settings.quiet = Some(NIGHT));
    world
}

/// A ticket of Ann's, another for each number.
fn opened(world: &mut World, number: u128, at: &str) -> Uuid {
    let ticket = Uuid::from_u128(1_000 + number);
    let IntakeEvent::Received { request, .. } = received(Priority::Medium, at) else { unreachable!() };
    let received = IntakeEvent::Received { request, next: person("ann", "2024-12-31 12:00") };
    world.on(at, Happened(stream::ticket(ticket), Event::Intake(received)));
    ticket
}

/// The clock of a ticket warns, which breaches then.
fn warns(world: &mut World, ticket: Uuid, at: &str, breach: &str) {
    world.quietly(at, Happened(stream::sla(ticket), Event::Sla(started("repair", at, breach)))).react();
    world.on(at, Happened(stream::sla(ticket), Event::Sla(warned("repair", at))));
}

/// A reminder as it was planned: which, when, why not at once, what it was chosen from, by which media.
type Planned = (Uuid, i64, Option<Deferral>, Option<Choice>, Vec<Medium>);

/// The reminders planned, oldest first.
fn planned(world: &World) -> Vec<Planned> {
    let events = world.log.iter().filter_map(|entry| match &entry.event {
        Event::Notifier(NotifierEvent::ReminderPlanned { reminder, send_at, deferred, choice, media, .. }) => {
            Some((*reminder, *send_at, *deferred, choice.clone(), media.clone()))
        }
        _ => None,
    });
    events.collect()
}

/// Ann is told a hundred times by mail at nine and answers every one: that is history.
fn taught(world: &mut World) {
    for number in 0..100 {
        let at = "2024-03-04 09:00";
        let ticket = opened(world, number, at);
        warns(world, ticket, at, "2024-03-05 09:00");
        world.deliver(arrived);
        let reminder = world.reminder("ann");
        world.ask("ann", &Command::Acknowledge { ticket, reminder }).unwrap();
    }
}

/// Proves part of: N8
#[test]
fn nothing_is_chosen_before_there_is_enough_history() {
    let mut world = world(&json!({"after": 100}));
    taught(&mut world);
    let before = planned(&world);
    assert_eq!(before.len(), 100);
    for (_, send_at, deferred, choice, media) in &before {
        let choice = choice.as_ref().unwrap();
        assert_eq!((choice.by, choice.among.len(), choice.among[0].chance_bp), (Chooser::Usual, 1, 10_000));
        assert_eq!((*send_at, *deferred, media.as_slice()), (us("09:00"), None, &[Medium::Email][..]));
    }
    let ticket = opened(&mut world, 500, "2024-03-04 10:00");
    warns(&mut world, ticket, "2024-03-04 10:00", "2024-03-05 09:00");
    let choice = planned(&world).pop().unwrap().3.unwrap();
    assert!(choice.among.len() > 3 && choice.by != Chooser::Usual, "{choice:?}");
    let mail = &choice.among[0];
    assert_eq!((mail.medium, mail.hours, mail.seen), (Medium::Email, 3, 100));
    assert!(choice.among.iter().all(|option| option.expected_bp <= mail.expected_bp), "{choice:?}");
}

/// Proves part of: N8, N4
#[test]
fn every_option_is_allowed_and_has_its_likelihood() {
    let mut world = world(&json!({"after": 100, "delay": "12h"}));
    taught(&mut world);
    let half = us("2024-03-04 19:30") + (us("2024-03-05 09:00") - us("2024-03-04 19:30")) / 2;
    let ticket = opened(&mut world, 500, "2024-03-04 19:30");
    warns(&mut world, ticket, "2024-03-04 19:30", "2024-03-05 09:00");
    let choice = planned(&world).pop().unwrap().3.unwrap();
    assert_eq!(choice.among.iter().map(|option| option.chance_bp).sum::<u32>(), 10_000);
    let at: std::collections::BTreeSet<_> = choice.among.iter().map(|option| option.send_at).collect();
    assert_eq!(at, [us("19:30"), us("21:00")].into(), "not by night, and not later than half the time left: {half}");
    assert!(choice.among.iter().all(|option| option.chance_bp >= 9_500 * 400 / 10_000 / 6), "{choice:?}");
    assert!(choice.among[0].chance_bp >= 500, "the hold-out is the usual way");
    let ticket = opened(&mut world, 501, "2024-03-04 23:00");
    warns(&mut world, ticket, "2024-03-04 23:00", "2024-03-05 03:00");
    let (_, send_at, deferred, choice, _) = planned(&world).pop().unwrap();
    assert_eq!((send_at, deferred, choice), (us("23:00"), None, None), "what cannot wait is not chosen");
}

/// Proves part of: N8
#[test]
fn the_hold_out_is_a_fixed_share_told_as_usual_and_the_same_story_is_told_again() {
    let play = || {
        let mut world = world(&json!({"after": 100, "hold_out_bp": 1_000}));
        taught(&mut world);
        for number in 0..400 {
            let ticket = opened(&mut world, 500 + number, "2024-03-04 10:00");
            warns(&mut world, ticket, "2024-03-04 10:00", "2024-03-05 09:00");
        }
        planned(&world).split_off(100)
    };
    let story = play();
    assert_eq!(story, play());
    let held: Vec<_> = story.iter().filter(|(.., choice, _)| choice.as_ref().unwrap().by == Chooser::HeldOut).collect();
    assert!((20..=60).contains(&held.len()), "{} of 400 held out", held.len());
    assert!(held.iter().all(|(_, at, _, _, media)| (*at, media[0]) == (us("10:00"), Medium::Email)));
    let mail = |(.., media): &&Planned| media[0] == Medium::Email;
    assert!(
        (150..400).contains(&story.iter().filter(mail).count()),
        "what is known is done most, what is not is tried"
    );
    for (_, send_at, deferred, choice, media) in &story {
        let taken = *choice.as_ref().unwrap().taken().unwrap();
        assert_eq!((taken.send_at, taken.medium), (*send_at, media[0]));
        assert_eq!(*deferred, (*send_at > us("10:00")).then_some(Deferral::BestTime));
    }
}

/// Proves part of: N8
#[test]
fn what_leaves_nothing_to_choose_is_refused() {
    let faults = |fields: Value| {
        let mut spec = crate::world::rule(&rule(&json!({"hold_out_bp": 400, "delay": "24h", "colour": 1})));
        spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        notifier::rule::Rule::read(&spec).unwrap_err().into_iter().map(|fault| fault.path).collect::<Vec<_>>()
    };
    let in_learn = ["/learn/colour", "/learn/delay", "/learn/hold_out_bp"];
    assert_eq!(faults(json!({})), in_learn);
    assert_eq!(faults(json!({"urgent": true})), ["/learn"].into_iter().chain(in_learn).collect::<Vec<_>>());
}
