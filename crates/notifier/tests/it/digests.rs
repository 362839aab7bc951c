//! Digests and groups: what waited is told in one message, a storm in one with a count, and nothing is dropped or late.

use notifier::{Command, outbox, view};
use serde_json::json;
use ticket::intake::{Channel, IntakeEvent, Priority};
use ticket::notifier::{Medium, NotifierEvent};
use ticket::{Event, Personal, stream};
use uuid::Uuid;

use crate::world::{Happened, NIGHT, World, arrived, failed, received, started, tenant, us, warned};

fn ticket(n: u32) -> Uuid {
    Uuid::from_u128(1_000 + u128::from(n))
}

/// Something of this ticket.
fn of(n: u32, event: IntakeEvent) -> Happened {
    Happened(stream::ticket(ticket(n)), Event::Intake(event))
}

fn called() -> IntakeEvent {
    let summary = Personal::new(ticket(0), "x".to_owned());
    IntakeEvent::ContactLogged { channel: Channel::Phone, inbound: true, reached: true, summary }
}

/// Sue is told of every call by mail.
fn calls(more: &serde_json::Value) -> World {
    let mut rule = json!({"on": ["ContactLogged"], "audience": {"queue": "chiefs"}});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    World::with(&[("calls", rule)])
}

/// So many tickets, each called about at this instant, one after the other.
fn called_about(world: &mut World, tickets: std::ops::Range<u32>, at: &str) {
    for n in tickets.clone() {
        world.quietly("08:00", of(n, received(Priority::Low, "2024-03-08 21:00")));
    }
    world.react();
    for n in tickets {
        world.on(at, of(n, called()));
    }
}

/// Every reminder with the digest that tells it and the message ids of its tries.
fn told(world: &World) -> Vec<(Option<Uuid>, Vec<String>)> {
    let planned = world.log.iter().filter_map(|entry| match &entry.event {
        Event::Notifier(NotifierEvent::ReminderPlanned { reminder, .. }) => {
            Some((entry.correlation.unwrap(), *reminder))
        }
        _ => None,
    });
    let viewed = planned.map(|which| view::reminder(&world.state, &tenant(), which, world.now).unwrap());
    viewed.map(|one| (one.digest, one.tries.into_iter().map(|attempt| attempt.message_id).collect())).collect()
}

/// Proves part of: N4, N5
#[test]
fn what_waited_over_night_is_one_message_and_each_of_it_says_which() {
    let mut world = calls(&json!({}));
    world.set("sue", "en", &[Medium::Email], |settings| settings.quiet = Some(NIGHT));
    called_about(&mut world, 0..3, "23:00");
    assert_eq!(world.said(), ["sue <- calls en Email else InApp 2024-03-05T07:00 QuietHours"; 3]);
    world.until("2024-03-05 07:00");
    assert_eq!(
        world.said(),
        ["sue <- digest Email 2024-03-05T07:00", "sue within", "sue within", "sue within"],
        "three that wait are one message"
    );
    assert_eq!(world.deliver(arrived), 1);
    assert_eq!(world.said(), ["sue's digest Email #1", "sue's digest Email #1 arrived"]);
    let told = told(&world);
    assert!(told.iter().all(|one| *one == told[0]) && told[0].0.is_some(), "{told:?}");
    assert_eq!(told[0].1, [format!("{}.email", told[0].0.unwrap())]);
    assert_eq!(world.deliver(arrived), 0, "and none goes out by itself");
    world.react_again();
    assert!(world.said().is_empty());
}

/// Proves part of: N5
#[test]
fn a_cap_is_kept_by_telling_together_what_is_beyond_it() {
    let mut world = calls(&json!({}));
    world.set("sue", "en", &[Medium::Email], |settings| settings.hourly_cap = 1);
    called_about(&mut world, 0..6, "10:00");
    assert_eq!(world.deliver(arrived), 1);
    world.said();
    world.until("10:59:59");
    assert!(world.said().is_empty());
    world.until("11:00");
    let said = world.said();
    assert_eq!((said.len(), said[0].as_str()), (6, "sue <- digest Email 11:00"), "five more are one: {said:?}");
    assert_eq!(world.deliver(arrived), 1);
    assert_eq!(told(&world).iter().filter(|(_, sent)| sent.len() == 1).count(), 6, "nothing is dropped");
    world.said();
    called_about(&mut world, 6..7, "11:30");
    assert_eq!(world.said(), ["sue <- calls en Email else InApp 12:00 Cap"], "a digest counts as one");
}

/// Proves: N5
#[test]
fn a_storm_is_one_message_with_a_count_and_what_comes_later_joins_the_next() {
    let group = json!({"group": {"by": "queue", "wait": "30s", "every": "10m"}});
    let mut world = calls(&group);
    world.set("sue", "en", &[Medium::Email], |_| ());
    called_about(&mut world, 0..150, "10:00");
    let said = world.said();
    assert!(said.iter().all(|one| one == "sue <- calls en Email else InApp 10:00:30Z Grouped"), "{:?}", said[0]);
    world.until("10:00:30");
    let said = world.said();
    assert_eq!(said.iter().filter(|one| one.contains("digest")).count(), 1, "one message");
    assert_eq!(said.iter().filter(|one| *one == "sue within").count(), 150, "with all of them");
    assert_eq!(world.deliver(arrived), 1);
    world.said();
    called_about(&mut world, 150..152, "10:01");
    assert_eq!(world.said(), ["sue <- calls en Email else InApp 10:10:30Z Grouped"; 2]);
    world.until("10:10:30");
    assert_eq!(world.deliver(arrived), 1);
    let digests: std::collections::BTreeSet<_> = told(&world).into_iter().map(|(digest, _)| digest.unwrap()).collect();
    assert_eq!(digests.len(), 2);
}

/// Proves part of: N4, N5
#[test]
fn nothing_urgent_waits_for_a_digest_and_nothing_grouped_waits_past_its_breach() {
    let group = json!({"by": "queue", "wait": "1h"});
    let warn = json!({"on": ["WarningRaised"], "audience": {"queue": "chiefs"}, "group": group});
    let urgent = json!({"on": ["Breached"], "audience": {"queue": "chiefs"}, "urgent": true});
    let mut world = World::with(&[("urgent", urgent), ("warn", warn)]);
    world.set("sue", "en", &[Medium::Email], |_| ());
    world.on("09:00", received(Priority::High, "21:00")).on("09:00", started("repair", "09:00", "12:00"));
    world.on("10:00", warned("repair", "10:00"));
    assert_eq!(world.said(), ["sue <- warn en Email else InApp 11:00 Grouped"]);
    world.on("10:10", started("repair", "09:00", "10:40"));
    assert_eq!(world.said(), ["sue again"], "its breach moved before the end of its wait");
    world.on("10:20", started("reply", "09:00", "11:00")).on("10:30", warned("reply", "10:30"));
    assert_eq!(world.said(), ["sue <- warn en Email else InApp 10:30"], "the next of its group would come too late");
    let breached = ticket::sla::SlaEvent::Breached {
        clock: "repair".into(),
        generation: 1,
        at: us("10:40"),
        accountable: None,
        began: None,
        escalates_at: None,
        major: None,
    };
    world.on("10:40", breached);
    assert_eq!(world.said(), ["sue <- urgent en Email+InApp 10:40"]);
}

/// Proves: N6
#[test]
fn what_matters_less_than_its_recipient_says_is_told_together_a_few_times_a_day() {
    let mut world = calls(&json!({}));
    world.set("sue", "en", &[Medium::Email], |settings| settings.important_from = Some(Priority::High));
    called_about(&mut world, 0..3, "09:30");
    assert_eq!(world.said(), ["sue <- calls en Email else InApp 12:00 Unimportant"; 3]);
    world.quietly("09:40", of(9, received(Priority::High, "2024-03-08 21:00"))).react();
    world.on("09:41", of(9, called()));
    assert_eq!(world.said(), ["sue <- calls en Email else InApp 09:41"], "it matters enough");
    assert_eq!(world.deliver(arrived), 1);
    world.until("12:00");
    assert_eq!((world.deliver(arrived), world.deliver(arrived)), (1, 0), "one message");
}

/// Proves part of: N5
#[test]
fn what_is_settled_leaves_the_digest_and_what_is_put_off_comes_by_itself() {
    let mut world = calls(&json!({}));
    world.set("sue", "en", &[Medium::Email], |settings| settings.quiet = Some(NIGHT));
    called_about(&mut world, 0..3, "23:00");
    world.until("2024-03-05 07:00");
    let theirs: Vec<_> = outbox::owed(&world.state, world.now, 10);
    assert_eq!(theirs.len(), 1, "{theirs:?}");
    let all: Vec<_> = world
        .log
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Notifier(NotifierEvent::ReminderPlanned { reminder, .. }) => {
                Some((entry.correlation.unwrap(), *reminder))
            }
            _ => None,
        })
        .collect();
    let [(one, first), (two, second), (three, third)] = all[..] else { panic!("{all:?}") };
    let until = us("2024-03-05 08:00");
    world.ask("sue", &Command::Snooze { ticket: two, reminder: second, until }).unwrap();
    world.ask("sue", &Command::Acknowledge { ticket: one, reminder: first }).unwrap();
    assert_eq!(outbox::owed(&world.state, world.now, 10).len(), 1, "one is left to be told");
    world.ask("sue", &Command::Acknowledge { ticket: three, reminder: third }).unwrap();
    assert_eq!(outbox::pending(&world.state), 1, "nothing is, but for what comes again");
    world.said();
    world.until("2024-03-05 08:00").deliver(arrived);
    assert_eq!(world.said(), ["sue again", "sue Email #1", "sue Email #1 arrived"]);
    let told = told(&world);
    assert_eq!(told[1], (None, vec![format!("{second}.email.1")]), "{told:?}");
}

/// Proves part of: N5, N7
#[test]
fn a_digest_that_does_not_arrive_falls_through_and_escalates_each_of_what_it_tells() {
    let mut world = calls(&json!({"answer_within": "9h", "escalate_to": "desk", "media": ["email"]}));
    world.set("sue", "en", &[Medium::Email], |settings| settings.quiet = Some(NIGHT));
    called_about(&mut world, 0..2, "23:00");
    world.until("2024-03-05 07:00");
    world.said();
    assert_eq!(world.deliver(|_| failed("refused 451", false)), 1);
    assert_eq!(
        world.said(),
        ["sue's digest Email #1", "sue's digest Email #1 refused 451, again 2024-03-05T07:00:10Z"]
    );
    world.until("2024-03-05 07:00:10");
    assert_eq!(world.deliver(|_| failed("refused 550", true)), 1);
    let said = world.said();
    assert_eq!(said[..2], ["sue's digest Email #2", "sue's digest Email #2 refused 550, given up"]);
    let escalated = said.iter().filter(|one| *one == "sue unanswered false -> desk").count();
    assert_eq!(escalated, 2, "{said:?}");
    let told = told(&world);
    assert_eq!(told[0].1, [told[0].1[0].clone(), told[0].1[0].clone()], "the same message, tried twice");
}
