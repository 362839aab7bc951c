//! Falling through media until somebody moved: after what came back, and after what arrived and nobody saw.

use notifier::command::{Attempt, Command};
use notifier::retry::Fate;
use serde_json::{Value, json};
use ticket::intake::Priority;
use ticket::notifier::Medium;

use crate::world::{TICKET, World, arrived, received};

/// Ann is told by mail, by text message, by telephone, in this order, and not in the inbox.
fn world(fields: &Value) -> World {
    let mut rule = json!({"on": ["Received"], "audience": {"queue": "desk"}, "media": ["email", "sms", "voice"]});
    rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut world = World::with(&[("key", rule)]);
    world.apply("intake", "Queue", "desk", &json!({"members": ["ann"]}));
    world.set("ann", "en", &[Medium::Email, Medium::Sms, Medium::Voice], |_| ());
    world.on("09:00", received(Priority::High, "2024-03-06 09:00"));
    world.deliver(arrived);
    world.said();
    world
}

/// Proves part of: N7
#[test]
fn a_key_reminder_goes_from_medium_to_medium_until_somebody_moved() {
    let mut world = world(&json!({"next_medium_after": "5m", "answer_within": "30m"}));
    world.until("09:04");
    assert!(world.said().is_empty());
    world.until("09:05");
    assert_eq!(world.said(), ["ann also Sms"]);
    world.deliver(arrived);
    assert_eq!(world.said(), ["ann Sms #1", "ann Sms #1 arrived"]);
    world.until("09:09");
    assert!(world.said().is_empty(), "each medium has its own five minutes");
    world.until("09:12").deliver(arrived);
    assert_eq!(world.said(), ["ann also Voice", "ann Voice #1", "ann Voice #1 arrived"]);
    world.until("09:29");
    assert!(world.said().is_empty(), "no medium is left");
    world.until("09:31").react_again();
    assert_eq!(world.said(), ["ann unanswered true -> nobody"]);
}

/// Proves part of: N7
#[test]
fn whoever_saw_it_or_put_it_off_is_left_alone() {
    let insisting = json!({"next_medium_after": "5m"});
    let mut seen = world(&insisting);
    let reminder = seen.reminder("ann");
    seen.until("09:03").ask("ann", &Command::Read { ticket: TICKET, reminder }).unwrap();
    seen.said();
    seen.until("11:00");
    assert!(seen.said().is_empty());
    let mut later = world(&insisting);
    let (reminder, until) = (later.reminder("ann"), crate::world::us("10:00"));
    later.until("09:03").ask("ann", &Command::Snooze { ticket: TICKET, reminder, until }).unwrap();
    later.said();
    later.until("10:00");
    assert_eq!(later.said(), ["ann again"]);
    later.until("10:04");
    assert!(later.said().is_empty());
    later.until("10:05");
    assert_eq!(later.said(), ["ann also Sms"], "five minutes after it came again");
    let mut calm = world(&json!({}));
    calm.until("2024-03-05 09:00");
    assert!(calm.said().is_empty(), "a rule that does not insist is content with what arrived");
}

/// Proves part of: N1, N7
#[test]
fn what_comes_back_falls_through_and_what_was_delivered_does_not_come_back() {
    let mut world = world(&json!({}));
    let reminder = world.reminder("ann");
    let attempt = |medium| Attempt { ticket: TICKET, reminder, medium, number: 1 };
    let bounced = Command::Hear(attempt(Medium::Email), Fate::Returned("bounced 5.1.1".into()));
    assert_eq!(world.ask("-", &bounced), Ok(1));
    assert_eq!(world.said(), ["ann Email #1 bounced 5.1.1, then Sms"]);
    assert_eq!(world.ask("-", &bounced), Ok(0), "told twice, it came back once");
    let unknown = Command::Hear(attempt(Medium::Sms), Fate::Returned("receipt expired".into()));
    assert_eq!(world.ask("-", &unknown), Ok(0), "nothing was sent yet");
    world.deliver(arrived);
    world.said();
    let reached = Command::Hear(attempt(Medium::Sms), Fate::Delivered("receipt delivered".into()));
    assert_eq!((world.ask("-", &reached), world.ask("-", &reached)), (Ok(1), Ok(0)));
    assert_eq!(world.said(), ["ann Sms #1 reached: receipt delivered"]);
    assert_eq!(world.ask("-", &unknown), Ok(0), "what was delivered does not come back");
}

/// Proves part of: N7
#[test]
fn what_came_back_by_every_medium_is_told_to_the_next() {
    let fields = json!({"media": ["email"], "answer_within": "4h", "escalate_to": "chiefs"});
    let mut world = world(&fields);
    let attempt = Attempt { ticket: TICKET, reminder: world.reminder("ann"), medium: Medium::Email, number: 1 };
    world.ask("-", &Command::Hear(attempt, Fate::Returned("bounced 5.1.1".into()))).unwrap();
    let expected = [
        "ann Email #1 bounced 5.1.1, given up",
        "ann unanswered false -> chiefs",
        "sue <- key en InApp 09:00 answer 13:00 step 1",
    ];
    assert_eq!(world.said(), expected);
}
