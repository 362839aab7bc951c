//! Other reminder rules over a past: what they would have spared, added, and left without a timely word.

use notifier::Command;
use notifier::replay::{Difference, Messages, Replay};
use serde_json::{Value, json};
use ticket::intake::{Accountable, IntakeEvent, Priority};
use ticket::notifier::Medium;
use ticket::sla::SlaEvent;
use ticket::{Event, stream};
use uuid::Uuid;

use crate::world::{Happened, World, arrived, person, received, rule, started, tenant, us, warned};

fn warned_rule() -> Value {
    json!({"on": ["WarningRaised"], "audience": {"accountable": true}})
}

fn breached_rule() -> Value {
    json!({"on": ["Breached"], "audience": {"accountable": true}})
}

fn received_rule() -> Value {
    json!({"on": ["Received"], "audience": {"accountable": true}, "media": ["in_app"]})
}

/// Two tickets of Ann's: both warn, which she answers once by mail; the second breaches.
fn world() -> World {
    let mut world = World::with(&[("early", warned_rule()), ("late", breached_rule()), ("new", received_rule())]);
    world.set("ann", "en", &[Medium::Email], |_| {});
    for (number, at, breach) in [(7, "10:00", "12:00"), (8, "10:30", "12:30")] {
        let ticket = Uuid::from_u128(number);
        let on = |stream, event| Happened(stream, event);
        let IntakeEvent::Received { request, .. } = received(Priority::Medium, "18:00") else { unreachable!() };
        let received = IntakeEvent::Received { request, next: person("ann", "18:00") };
        world.on(at, on(stream::ticket(ticket), Event::Intake(received)));
        world.on(at, on(stream::sla(ticket), Event::Sla(started("repair", at, breach))));
        world.on(at, on(stream::sla(ticket), Event::Sla(warned("repair", at))));
        world.deliver(arrived);
    }
    let (ticket, reminder) = (Uuid::from_u128(8), world.reminder("ann"));
    world.ask("ann", &Command::Acknowledge { ticket, reminder }).unwrap();
    let breached = SlaEvent::Breached {
        clock: "repair".into(),
        generation: 1,
        at: us("12:30"),
        accountable: Some(Accountable::Person("ann".into())),
        began: None,
        escalates_at: None,
        major: None,
    };
    world.on("12:30", Happened(stream::sla(ticket), Event::Sla(breached)));
    world.deliver(arrived);
    world
}

fn replayed(world: &World, from: &str, rules: &[(&str, Value)]) -> Difference {
    let rules = rules.iter().map(|(name, spec)| ((*name).to_owned(), rule(spec))).collect();
    let mut replay = Replay::new(tenant(), (us(from), us("23:00")), rules);
    world.log.iter().for_each(|event| replay.take(event));
    replay.finish()
}

/// Proves part of: N9
#[test]
fn the_same_rules_differ_in_nothing_and_come_to_what_is_on_record() {
    let world = world();
    let same = [("early", warned_rule()), ("late", breached_rule()), ("new", received_rule())];
    let found = replayed(&world, "09:00", &same);
    assert_eq!(found.planned, Messages { was: 5, would_be: 5 });
    assert_eq!((found.recorded, found.risks), (5, 0));
    assert!(found.messages.values().all(|messages| messages.was == messages.would_be), "{found:?}");
    assert_eq!(found.messages[&("early".into(), Medium::Email)], Messages { was: 2, would_be: 2 });
    assert_eq!(found, replayed(&world, "09:00", &same));
    let later = replayed(&world, "10:15", &same);
    assert_eq!((later.recorded, later.planned), (3, Messages { was: 3, would_be: 3 }), "the period begins in between");
}

/// Proves part of: N9
#[test]
fn what_is_spared_is_counted_and_who_would_not_have_been_told_in_time_is_named() {
    let world = world();
    let found = replayed(&world, "09:00", &[("late", breached_rule())]);
    assert_eq!(found.planned, Messages { was: 5, would_be: 1 });
    assert_eq!(found.messages[&("early".into(), Medium::Email)], Messages { was: 2, would_be: 0 });
    assert_eq!(found.messages[&("late".into(), Medium::Email)], Messages { was: 1, would_be: 1 });
    assert_eq!((found.reminded, found.risks), (2, 2), "to be told of a breach is not to be told in time");
    let named: Vec<_> = found.at_risk.iter().map(|one| (one.ticket.as_u128(), one.rules.join("+"))).collect();
    assert_eq!(named, [(7, "early+new".into()), (8, "early+new".into())]);

    let found = replayed(&world, "09:00", &[("early", warned_rule()), ("also", warned_rule())]);
    assert_eq!(found.risks, 0, "one of two words in time is enough");
    assert_eq!(found.messages[&("also".into(), Medium::Email)], Messages { was: 0, would_be: 2 });
    assert_eq!(found.messages[&("new".into(), Medium::InApp)], Messages { was: 2, would_be: 0 });
}
